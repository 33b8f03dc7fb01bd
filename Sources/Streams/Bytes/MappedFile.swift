// A regular file seen as memory, read only.
import Glibc

/// A read-only private mapping of a whole regular file, released with the last reference.
///
/// Nothing is read until it is touched. Replacing the file by rename does no harm, for the mapping keeps the old one. A read behind the
/// end of a file that was cut short in place is a SIGBUS, which a tool's handler makes a message (`MappedRegions`); up to the end of the
/// page it gives zeros. `checkUnchanged()` tells of a change. Writers that rename, as all of ours do, never cause one.
public final class MappedFile: @unchecked Sendable {
    /// The file's bytes; valid as long as this object.
    public let bytes: UnsafeRawBufferPointer
    /// The path as the user named it.
    public let name: String
    private let descriptor: Int32
    private let modified: timespec

    /// Maps the file at `path`.
    ///
    /// Folders, FIFOs and devices are refused without waiting on them. Throws `Failure.cannotOpen` (66).
    public static func open(_ path: String) throws -> MappedFile {
        let (descriptor, code) = openDescriptor(path, O_RDONLY | O_NONBLOCK)
        guard descriptor >= 0 else { throw Failure(.cannotOpen, path, "cannot open: \(errorText(code))") }
        do { return try MappedFile(descriptor, path) } catch {
            close(descriptor)
            throw error
        }
    }

    private init(_ descriptor: Int32, _ path: String) throws {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Failure(.cannotOpen, path, "cannot open: \(errorText(errno))") }
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw Failure(.cannotOpen, path, "expected a file, found a folder")
        default:
            throw Failure(
                .cannotOpen, path, "expected a regular file, found a pipe or a device",
                hint: "this input is mapped into memory: save it to a file first")
        }
        let count = Int(status.st_size)
        if count > 0 {
            guard let start = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
                throw Failure(.cannotOpen, path, "cannot map \(count) bytes: \(errorText(errno))")
            }
            bytes = UnsafeRawBufferPointer(start: start, count: count)
            MappedRegions.insert(start, count, name: path)
        } else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
        }
        name = path
        modified = status.st_mtim
        self.descriptor = descriptor
    }

    /// Bytes in memory in place of a file, to try a reader on without a disk. They must outlive this object.
    init(standingFor bytes: UnsafeRawBufferPointer, name: String) {
        self.bytes = bytes
        self.name = name
        descriptor = -1
        modified = timespec()
    }

    deinit {
        guard descriptor >= 0 else { return }
        if let start = bytes.baseAddress {
            MappedRegions.remove(start)
            munmap(UnsafeMutableRawPointer(mutating: start), bytes.count)
        }
        close(descriptor)
    }

    /// The bytes of a range that was checked against `bytes.count`.
    public subscript(range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[range])
    }

    /// Throws `Failure.badData` when the file was written or cut short since it was opened.
    ///
    /// Call it before the first pass over much of the file and after the last: between the two a change can still go unseen.
    public func checkUnchanged() throws {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Failure(.inputOutput, name, "cannot read its size: \(errorText(errno))") }
        guard status.st_size == bytes.count else {
            throw Failure(.badData, name, "the file changed from \(bytes.count) to \(status.st_size) bytes while it was read")
        }
        guard status.st_mtim.tv_sec == modified.tv_sec, status.st_mtim.tv_nsec == modified.tv_nsec else {
            throw Failure(.badData, name, "the file was written to while it was read")
        }
    }
}
