// Bytes out: one buffered writer over a descriptor; no result of write(2) goes unchecked.
import CSystem
import Glibc

/// A buffered writer over write(2).
///
/// Every failure (disk full, file too large, device error, closed descriptor) is `Failure.inputOutput` (74) with the path and the
/// system's words. SIGPIPE keeps its default: the program ends when its reader has gone. SIGXFSZ is ignored, so that a file
/// over its limit is an ordinary failure too. Not for use from two threads at once.
public final class ByteOutput {
    /// The file as the user named it, or "<stdout>".
    public let name: String
    /// Bytes given to this output so far.
    public private(set) var offset = 0

    static let chunk = 1 << 20
    /// Pieces of so many bytes go to the system from where they are, together with what has gathered: copying them costs more than a call.
    static let directly = 1 << 16
    private static let limitIsAnError: Void = { signal(SIGXFSZ, SIG_IGN) }()

    private var descriptor: Int32
    private let closing: Bool
    private var pending: PendingFile?
    private let chunk: Int
    private let buffer: UnsafeMutableRawPointer
    private var used = 0
    private var open = true
    /// Whether a request to stop (`Interruption`) ends the wait for a reader that takes nothing, with `Failure.stopped`.
    public var givesUpWhenStopped = false

    /// The standard output. Flushing and closing it leave descriptor 1 open.
    public static func standardOutput() -> ByteOutput {
        ByteOutput(descriptor: STDOUT_FILENO, name: "<stdout>", closing: false)
    }

    /// A file that appears under its name, whole and synced, at `close()`; "-" is the standard output.
    ///
    /// Until then the bytes are in `.NAME.PID.part` in the same folder. A target that exists and is no regular file (a device, a FIFO) is
    /// written directly, and so are `/dev/stdout` and its kin. Throws `Failure.cannotCreate` (73).
    public static func file(_ path: String) throws -> ByteOutput {
        if path == "-" { return standardOutput() }
        let destination = try Destination.open(path)
        let output = ByteOutput(descriptor: destination.descriptor, name: path, closing: true)
        output.pending = destination.pending
        return output
    }

    /// Writes to a descriptor that is open already; `closing` says whether `close()` and deinit close it.
    public convenience init(descriptor: Int32, name: String, closing: Bool) {
        self.init(descriptor: descriptor, name: name, closing: closing, chunk: ByteOutput.chunk)
    }

    /// - chunk: bytes gathered, `directly` at least.
    init(descriptor: Int32, name: String, closing: Bool, chunk: Int) {
        precondition(chunk >= ByteOutput.directly, "bug: a buffer that a write passes")
        _ = ByteOutput.limitIsAnError
        self.descriptor = descriptor
        self.name = name
        self.closing = closing
        preceptor_widen_pipe(descriptor)
        self.chunk = chunk
        buffer = .allocate(byteCount: chunk, alignment: 16)
    }

    deinit {
        discard()
        buffer.deallocate()
    }

    /// Appends bytes; they reach the system when 1 MiB has gathered, with a piece of 64 KiB or more, or at `flush()` or `close()`.
    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        precondition(open, "bug: write to a closed output")
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        offset += bytes.count
        if bytes.count >= ByteOutput.directly {
            let count = used
            used = 0
            return try send(buffer, count, source, bytes.count)
        }
        if used + bytes.count > chunk { try flush() }
        (buffer + used).copyMemory(from: source, byteCount: bytes.count)
        used += bytes.count
    }

    public func write(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try write($0) }
    }

    public func write(_ text: String) throws {
        var text = text
        try text.withUTF8 { try write(UnsafeRawBufferPointer($0)) }
    }

    /// Hands everything gathered to the system.
    public func flush() throws {
        let count = used
        used = 0
        try send(buffer, count, buffer, 0)
    }

    /// Flushes, and sees to it that what was written survives a power cut where that can be: in a file, not in a pipe.
    public func sync() throws {
        try flush()
        while fsync(descriptor) != 0 {
            if errno == EINTR { continue }
            if [EINVAL, ENOTSUP, EROFS, EBADF].contains(errno) { return }
            throw Failure(.inputOutput, name, "cannot sync: \(errorText(errno))")
        }
    }

    /// Flushes, and for a file syncs and renames it into place. Nothing appears under the final name before.
    ///
    /// After a failure nothing is left behind and the old file, if any, is as it was.
    public func close() throws {
        guard open else { return }
        do { try flush() } catch {
            discard()
            throw error
        }
        open = false
        if let file = pending {
            pending = nil
            try file.commit(descriptor, name: name)
        } else {
            // The last close of a descriptor may tell of a write that failed late: close a copy when the original must stay open.
            let last = closing ? descriptor : dup(descriptor)
            if last < 0 {
                if offset == 0 && errno == EBADF { return }
                throw Failure(.inputOutput, name, "cannot close: \(errorText(errno))")
            }
            if Glibc.close(last) != 0, errno != EINTR { throw Failure(.inputOutput, name, "cannot close: \(errorText(errno))") }
        }
    }

    /// Gives up: what is still gathered is dropped and the temporary file removed. Harmless after `close()`.
    public func discard() {
        guard open else { return }
        open = false
        used = 0
        if closing { Glibc.close(descriptor) }
        pending?.remove()
        pending = nil
    }

    /// Returns when something can be written; throws half a second after it was asked to stop.
    private func waitForReader() throws {
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        var isLast = false
        while poll(&entry, 1, 500) == 0 || entry.revents == 0 {
            if isLast { throw Failure(.stopped, name, "its reader takes nothing, and a signal asked to stop") }
            isLast = Interruption.requested?() == true
        }
    }

    /// Hands two pieces, one behind the other, to the system.
    private func send(_ first: UnsafeRawPointer, _ firstCount: Int, _ second: UnsafeRawPointer, _ secondCount: Int) throws {
        let count = firstCount + secondCount
        var sent = 0
        while sent < count {
            if givesUpWhenStopped { try waitForReader() }
            let left = max(firstCount - sent, 0)
            let passed = sent + left - firstCount
            let more = withUnsafeTemporaryAllocation(of: iovec.self, capacity: 2) { pieces in
                pieces[0] = iovec(iov_base: UnsafeMutableRawPointer(mutating: first + (firstCount - left)), iov_len: left)
                pieces[1] = iovec(iov_base: UnsafeMutableRawPointer(mutating: second + passed), iov_len: secondCount - passed)
                return left == 0
                    ? Glibc.write(descriptor, second + passed, secondCount - passed) : writev(descriptor, pieces.baseAddress, 2)
            }
            if more > 0 {
                sent += more
            } else if more < 0, errno == EAGAIN {
                waitUntilReady(descriptor, POLLOUT)
            } else if more == 0 || errno != EINTR {
                throw Failure(.inputOutput, name, "cannot write: \(more == 0 ? "nothing was taken" : errorText(errno))")
            }
        }
    }
}
