// Where an output goes: a file that appears whole or not at all, or something that is written as it is.
import Glibc

/// A destination opened for writing, before buffering.
struct Destination {
    var descriptor: Int32
    /// Nil when the target is written directly: a device, a FIFO, a descriptor.
    var pending: PendingFile?
}

/// A temporary file that becomes its target by rename.
struct PendingFile {
    let temporary: String
    let target: String

    /// Makes the bytes durable and visible: fsync, close, rename, fsync of the folder.
    ///
    /// Throws `Failure.inputOutput`; the temporary file is gone then, and the old target untouched unless only the folder's sync failed.
    func commit(_ descriptor: Int32, name: String) throws {
        defer { TemporaryFiles.remove(temporary) }
        var failed: (what: String, code: Int32)?
        while fsync(descriptor) != 0 {
            if errno == EINTR { continue }
            if errno != EINVAL { failed = ("cannot sync", errno) }
            break
        }
        if Glibc.close(descriptor) != 0, errno != EINTR, failed == nil { failed = ("cannot close", errno) }
        if failed == nil, rename(temporary, target) != 0 { failed = ("cannot rename into place", errno) }
        if let failed {
            unlink(temporary)
            throw Failure(.inputOutput, name, "\(failed.what): \(errorText(failed.code))")
        }
        try syncFolder(folder(of: target))
    }

    func remove() {
        unlink(temporary)
        TemporaryFiles.remove(temporary)
    }
}

extension Destination {
    /// Opens `path` for writing.
    ///
    /// - A new or regular file: a temporary file beside it (beside what a symbolic link points to), with the old file's mode.
    /// - `/dev/stdout`, `/dev/stderr`, `/dev/fd/N`: that descriptor. Devices, FIFOs and sockets: opened as they are.
    ///
    /// Throws `Failure.cannotCreate` (73).
    static func open(_ path: String) throws -> Destination {
        if let number = standardDescriptor(path) {
            let copy = fcntl(number, F_DUPFD_CLOEXEC, 3)
            guard copy >= 0 else { throw refused(path, errno) }
            return Destination(descriptor: copy, pending: nil)
        }
        var status = stat()
        let exists = stat(path, &status) == 0
        if !exists, errno != ENOENT { throw refused(path, errno) }
        if exists, status.st_mode & S_IFMT == S_IFDIR { throw Failure(.cannotCreate, path, "cannot create: a folder has this name") }
        if exists, status.st_mode & S_IFMT != S_IFREG {
            let (descriptor, code) = openDescriptor(path, O_WRONLY)
            guard descriptor >= 0 else { throw refused(path, code) }
            return Destination(descriptor: descriptor, pending: nil)
        }
        if exists, access(path, W_OK) != 0 { throw refused(path, errno) }
        return try temporary(for: followLinks(path), name: path, mode: exists ? status.st_mode & 0o7777 : nil)
    }

    private static func temporary(for target: String, name: String, mode: mode_t?) throws -> Destination {
        let directory = folder(of: target)
        let base = lastComponent(of: target)
        guard !base.isEmpty else { throw refused(name, EISDIR) }
        Leftovers.sweep(directory, file: base)
        for attempt in 0..<100 {
            let ending = attempt == 0 ? ".\(getpid()).part" : ".\(getpid()).\(attempt).part"
            // A file name has at most 255 bytes.
            let kept = String(decoding: base.utf8.prefix(254 - ending.utf8.count), as: UTF8.self)
            let path = "\(directory == "/" ? "" : directory)/.\(kept)\(ending)"
            let (descriptor, code) = openDescriptor(path, O_WRONLY | O_CREAT | O_EXCL)
            if descriptor < 0, code == EEXIST { continue }
            guard descriptor >= 0 else { throw cannotCreate(name, at: target, code) }
            TemporaryFiles.insert(path)
            // Held as long as this process lives; where locks are unknown, its number has to do.
            flock(descriptor, LOCK_EX | LOCK_NB)
            if let mode { fchmod(descriptor, mode) }
            return Destination(descriptor: descriptor, pending: PendingFile(temporary: path, target: target))
        }
        throw refused(name, EEXIST)
    }

    private static func refused(_ path: String, _ code: Int32) -> Failure { cannotCreate(path, at: path, code) }

    /// The descriptor that a path names by number, if it does.
    private static func standardDescriptor(_ path: String) -> Int32? {
        switch path {
        case "/dev/stdout", "/proc/self/fd/1": return STDOUT_FILENO
        case "/dev/stderr", "/proc/self/fd/2": return STDERR_FILENO
        default:
            for prefix in ["/dev/fd/", "/proc/self/fd/"] where path.utf8.starts(with: prefix.utf8) {
                return Int32(path.dropFirst(prefix.count))
            }
            return nil
        }
    }

    /// The path behind symbolic links, also when nothing is there yet.
    private static func followLinks(_ path: String) throws -> String {
        var path = path
        for _ in 0..<40 {
            var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
            let count = buffer.withUnsafeMutableBytes { readlink(path, $0.baseAddress!, $0.count) }
            if count < 0 { return path }
            let link = String(decoding: buffer.prefix(count), as: UTF8.self)
            path = link.utf8.first == UInt8(ascii: "/") ? link : "\(folder(of: path))/\(link)"
        }
        throw refused(path, ELOOP)
    }
}

/// Why the file called `name`, which is to be at `path`, cannot be created; where its folder is not there, that says so.
func cannotCreate(_ name: String, at path: String, _ code: Int32) -> Failure {
    let parent = folder(of: path)
    let lacksFolder = code == ENOENT && access(parent, F_OK) != 0
    let why = lacksFolder ? "folder '\(parent)' does not exist" : errorText(code)
    return Failure(.cannotCreate, name, "cannot create: \(why)")
}
