// Bytes in: one buffered reader over a descriptor, whatever is behind it.
import CSystem
import Glibc

/// A buffered reader over read(2): files, pipes, terminals and sockets alike.
///
/// Interrupted calls are repeated and short counts are ordinary. One buffer of 1 MiB is reused; only a longer line makes it grow.
/// Not for use from two threads at once.
public final class ByteInput {
    /// The file as the user named it, or "<stdin>".
    public let name: String
    /// Bytes consumed so far.
    public private(set) var offset = 0
    /// Lines returned so far by `line(limit:)`: the 1-based number of the last one.
    public private(set) var lineNumber = 0
    /// Whether the last line ended with a newline; false only for the last line of an input that lacks it.
    public private(set) var lineWasEnded = true

    /// Asked, like `Interruption`, while a read waits for bytes that may never come: yes makes it throw `Failure.stopped`.
    public var isAbandoned: (() -> Bool)?

    static let chunk = 1 << 20

    private let descriptor: Int32
    private let closing: Bool
    private let mayBlock: Bool
    private var buffer: UnsafeMutableRawPointer
    /// Bytes asked for at once.
    private let chunk: Int
    private var capacity: Int
    private var start = 0
    private var end = 0
    private var atEnd = false
    private var discardingLine = false

    /// Opens a file for reading; "-" is the standard input.
    ///
    /// Throws `Failure.cannotOpen` (66): no such file, no permission, a folder, too many open files.
    public static func open(_ path: String) throws -> ByteInput {
        if path == "-" { return ByteInput(descriptor: STDIN_FILENO, name: "<stdin>", closing: false) }
        let (descriptor, code) = openDescriptor(path, O_RDONLY)
        guard descriptor >= 0 else { throw Failure(.cannotOpen, path, "cannot open: \(errorText(code))") }
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            Glibc.close(descriptor)
            throw Failure(.cannotOpen, path, "cannot read: this is a folder")
        }
        return ByteInput(descriptor: descriptor, name: path, closing: true)
    }

    /// Reads from a descriptor that is open already; `closing` says whether deinit closes it.
    public convenience init(descriptor: Int32, name: String, closing: Bool) {
        self.init(descriptor: descriptor, name: name, closing: closing, chunk: ByteInput.chunk)
    }

    /// - chunk: bytes asked for at once; few let a test meet the buffer's end anywhere.
    init(descriptor: Int32, name: String, closing: Bool, chunk: Int) {
        self.chunk = chunk
        capacity = chunk
        self.descriptor = descriptor
        self.name = name
        self.closing = closing
        var status = stat()
        mayBlock = fstat(descriptor, &status) != 0 || status.st_mode & S_IFMT != S_IFREG
        preceptor_widen_pipe(descriptor)
        buffer = ByteInput.memory(nil, chunk)
    }

    deinit {
        free(buffer)
        if closing { Glibc.close(descriptor) }
    }

    /// The next bytes without consuming them: `count` of them (at most 1 MiB), fewer only at the end.
    public func peek(_ count: Int) throws -> [UInt8] {
        precondition(count <= ByteInput.chunk, "bug: peek past the buffer")
        while end - start < count, try fill(room: count) {}
        return Array(UnsafeRawBufferPointer(start: buffer + start, count: min(count, end - start)))
    }

    /// Copies the next `count` bytes to `destination` and returns how many there were: fewer only at the end.
    public func read(exactly count: Int, into destination: UnsafeMutableRawPointer) throws -> Int {
        var got = min(count, end - start)
        destination.copyMemory(from: buffer + start, byteCount: got)
        start += got
        offset += got
        while got < count, !atEnd {
            let more = try readOnce(destination + got, count - got)
            if more == 0 { atEnd = true }
            got += more
            offset += more
        }
        return got
    }

    /// Everything that is left, refused when it is more than `limit` bytes.
    public func rest(limit: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            if start == end, try !fill(room: 1) { return bytes }
            guard bytes.count + end - start <= limit else {
                throw Failure(.badData, name, .byte(limit), "longer than \(limit) bytes")
            }
            bytes.append(contentsOf: UnsafeRawBufferPointer(start: buffer + start, count: end - start))
            offset += end - start
            start = end
        }
    }

    /// The next line without its newline, or nil at the end. The bytes are valid until the next call on this input.
    ///
    /// Only byte 0x0A ends a line. Throws `Failure.badData` for a line of more than `limit` bytes; the next call then returns the line after it.
    public func line(limit: Int) throws -> UnsafeRawBufferPointer? {
        while try partOfLongLine() != nil {}
        var scanned = 0
        while true {
            let fresh = end - start - scanned
            if fresh > 0, let found = memchr(buffer + start + scanned, 0x0A, fresh) {
                let length = UnsafeRawPointer(found) - UnsafeRawPointer(buffer + start)
                guard length <= limit else { throw tooLong(limit) }
                return take(length, ended: true)
            }
            scanned = end - start
            guard scanned <= limit else { throw tooLong(limit) }
            if try !fill(room: min(max(2 * scanned, chunk), limit + 1)) {
                return scanned == 0 ? nil : take(scanned, ended: false)
            }
        }
    }

    private func take(_ length: Int, ended: Bool) -> UnsafeRawBufferPointer {
        let line = UnsafeRawBufferPointer(start: buffer + start, count: length)
        start += length + (ended ? 1 : 0)
        offset += length + (ended ? 1 : 0)
        lineNumber += 1
        lineWasEnded = ended
        return line
    }

    /// Whole lines with their newlines: those at hand, of `size` bytes together at most, or one longer line; nil at the end. The bytes are
    /// valid until the next call on this input. Does not count lines.
    ///
    /// Throws `Failure.badData`, its line number 1, for a line that is longer than both `limit` and `size`: a shorter one is for the caller
    /// to refuse. `partOfLongLine` then gives that line; the next call returns the lines after it.
    public func lines(upTo size: Int, limit: Int) throws -> UnsafeRawBufferPointer? {
        while try partOfLongLine() != nil {}
        // Bytes that hold no newline; each is looked at once.
        var scanned = 0
        while true {
            let held = UnsafeRawBufferPointer(start: buffer + start, count: end - start)
            if scanned < size, let last = lastNewline(UnsafeRawBufferPointer(rebasing: held[scanned..<min(held.count, size)])) {
                return takeLines(scanned + last + 1)
            }
            let behind = max(scanned, size)
            if held.count > behind, let next = firstNewline(UnsafeRawBufferPointer(rebasing: held[behind...])), behind + next <= limit {
                return takeLines(behind + next + 1)
            }
            scanned = held.count
            guard scanned <= max(limit, size) else {
                discardingLine = true
                throw ByteInput.tooLong(LinePlace(name: name, line: 1, byte: offset, isEnded: true), limit)
            }
            let room = min(max(2 * scanned, chunk), max(limit, size) + 1)
            if try !fill(room: room) { return scanned == 0 ? nil : takeLines(scanned) }
        }
    }

    private func takeLines(_ length: Int) -> UnsafeRawBufferPointer {
        defer {
            start += length
            offset += length
        }
        return UnsafeRawBufferPointer(start: buffer + start, count: length)
    }

    private func tooLong(_ limit: Int) -> Failure {
        discardingLine = true
        lineNumber += 1
        return ByteInput.tooLong(LinePlace(name: name, line: lineNumber, byte: offset, isEnded: true), limit)
    }

    static func tooLong(_ place: LinePlace, _ limit: Int) -> Failure { place.failure("line longer than \(limit) bytes") }

    /// The next bytes, 1 MiB at most, of a line that was refused as too long, its newline included; nil when all of it has been given.
    public func partOfLongLine() throws -> UnsafeRawBufferPointer? {
        guard discardingLine else { return nil }
        if start == end, try !fill(room: chunk) {
            discardingLine = false
            return nil
        }
        let held = UnsafeRawBufferPointer(start: buffer + start, count: min(end - start, chunk))
        let newline = firstNewline(held)
        if newline != nil { discardingLine = false }
        return takeLines(newline.map { $0 + 1 } ?? held.count)
    }

    /// Reads more behind what is buffered, making room for `room` bytes in all; false at the end.
    private func fill(room: Int) throws -> Bool {
        if atEnd { return false }
        if start == end { (start, end) = (0, 0) }
        if end == capacity || start + room > capacity {
            buffer.copyMemory(from: buffer + start, byteCount: end - start)
            (start, end) = (0, end - start)
            if room > capacity || end == capacity { grow(to: max(room, end + chunk)) }
        }
        let got = try readOnce(buffer + end, capacity - end)
        if got == 0 { atEnd = true }
        end += got
        return got > 0
    }

    private func grow(to count: Int) {
        buffer = ByteInput.memory(buffer, count)
        capacity = count
    }

    /// Memory from realloc(3), which moves the pages of a large block instead of copying them, so that a long line is in memory once.
    private static func memory(_ old: UnsafeMutableRawPointer?, _ count: Int) -> UnsafeMutableRawPointer {
        guard let memory = realloc(old, count) else { preconditionFailure("bug: no memory for \(count) bytes of input") }
        return memory
    }

    /// One read(2) that counts: 0 only at the end.
    private func readOnce(_ destination: UnsafeMutableRawPointer, _ count: Int) throws -> Int {
        while true {
            if mayBlock, isAbandoned != nil || Interruption.requested != nil { try wait() }
            let got = Glibc.read(descriptor, destination, count)
            if got >= 0 { return got }
            switch errno {
            case EINTR: continue
            case EAGAIN: waitUntilReady(descriptor, POLLIN)
            case EISDIR: throw Failure(.cannotOpen, name, "cannot read: this is a folder")
            case EBADF: throw Failure(.cannotOpen, name, "cannot read: the descriptor is closed")
            default: throw Failure(.inputOutput, name, .byte(offset + end - start), "cannot read: \(errorText(errno))")
            }
        }
    }

    /// Waits for bytes, asking four times a second whether to stop.
    private func wait() throws {
        while true {
            if isAbandoned?() == true || Interruption.requested?() == true {
                throw Failure(.stopped, name, "stopped by a signal while reading")
            }
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&entry, 1, 250)
            if ready > 0 || (ready < 0 && errno != EINTR) { return }
        }
    }
}
