// Bytes kept aside between two passes: in memory while they are few, then in a temporary file without a name.
import CSystem
import Glibc

/// An append-only store that is read again from its start, as often as needed.
///
/// Up to `memory` bytes stay in memory. Beyond that all of them lie in a file in `folder` that has been unlinked already, so that nothing is
/// left behind however the program ends. Bytes come back as they went in; their layout is the owner's, and this machine's byte order does.
public final class Spool {
    /// Bytes appended so far.
    public private(set) var count = 0
    /// Whether the bytes lie in a file.
    public var isOnDisk: Bool { descriptor >= 0 }

    public static let pieceBytes = 1 << 18
    private let memory: Int
    private let folder: String
    private var descriptor: Int32 = -1
    /// All bytes in pieces of one size while in memory; then only those not written yet.
    private var pieces: [[UInt8]] = []
    private var written = 0

    /// - folder: nil is $TMPDIR, or /tmp.
    public init(memory: Int, folder: String? = nil) {
        self.memory = memory
        self.folder = folder ?? getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    }

    deinit {
        if descriptor >= 0 { Glibc.close(descriptor) }
    }

    /// Throws 73 or 74 when the temporary file cannot be made or written.
    public func append(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            if pieces.last.map({ $0.count == Spool.pieceBytes }) ?? true { try makeRoom() }
            let last = pieces.count - 1
            let taken = rest.prefix(Spool.pieceBytes - pieces[last].count)
            pieces[last].append(contentsOf: taken)
            rest = rest.dropFirst(taken.count)
            count += taken.count
        }
    }

    /// A reader of what was appended so far, or of some of it. Several may read at a time.
    ///
    /// - buffer: bytes read from a file at a time.
    public func reader(of range: Range<Int>? = nil, buffer: Int = Spool.pieceBytes) throws -> Reader {
        precondition(range.map { $0.upperBound <= count } ?? true, "bug: a range past the end of a spool")
        if isOnDisk { try writePieces() }
        return Reader(self, range ?? 0..<count, buffer: max(buffer, 1))
    }

    private func makeRoom() throws {
        if !isOnDisk, count + Spool.pieceBytes > memory { try open() }
        if isOnDisk { try writePieces() }
        var piece: [UInt8] = []
        piece.reserveCapacity(Spool.pieceBytes)
        pieces.append(piece)
    }

    /// Reads bytes in their order.
    public struct Reader {
        private let spool: Spool
        private let end: Int
        private let size: Int
        private var at: Int
        private var buffer: [UInt8] = []
        private var used = 0

        fileprivate init(_ spool: Spool, _ range: Range<Int>, buffer: Int) {
            self.spool = spool
            size = buffer
            at = range.lowerBound
            end = range.upperBound
        }

        /// Fills `destination`; false where no bytes are left. Throws 74, also for a rest that is too short.
        public mutating func read(into destination: UnsafeMutableRawBufferPointer) throws -> Bool {
            if at == end { return false }
            precondition(destination.count <= end - at, "bug: a row of a spool is cut")
            var filled = 0
            while filled < destination.count {
                if used == buffer.count { try refill() }
                let taken = min(destination.count - filled, buffer.count - used)
                buffer.withUnsafeBytes { bytes in
                    (destination.baseAddress! + filled).copyMemory(from: bytes.baseAddress! + used, byteCount: taken)
                }
                used += taken
                filled += taken
                at += taken
            }
            return true
        }

        private mutating func refill() throws {
            if spool.isOnDisk {
                used = 0
                let count = min(size, end - at)
                if buffer.count != count { buffer = [UInt8](repeating: 0, count: count) }
                let place = at
                try buffer.withUnsafeMutableBytes { try spool.read(into: $0, from: place) }
            } else {
                used = at % Spool.pieceBytes
                buffer = spool.pieces[at / Spool.pieceBytes]
            }
        }
    }
}

// MARK: The file

extension Spool {
    private static let hint = "it holds what is kept between two passes: name another folder, or allow more memory"

    private func open() throws {
        // Without a name from the first moment, where the file system can.
        let (unnamed, _) = openDescriptor(folder, O_RDWR | preceptor_unnamed_file(), mode: 0o600)
        if unnamed >= 0 {
            descriptor = unnamed
            return
        }
        for attempt in 0..<100 {
            let path = "\(folder)/preceptor.\(getpid()).\(monotonicNanoseconds()).\(attempt)"
            TemporaryFiles.insert(path)
            defer { TemporaryFiles.remove(path) }
            let (descriptor, code) = openDescriptor(path, O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
            if descriptor < 0, code == EEXIST { continue }
            guard descriptor >= 0 else {
                throw Failure(.cannotCreate, folder, "cannot create a temporary file: \(errorText(code))", hint: Spool.hint)
            }
            unlink(path)
            self.descriptor = descriptor
            return
        }
        throw Failure(.cannotCreate, folder, "cannot create a temporary file: \(errorText(EEXIST))", hint: Spool.hint)
    }

    private func monotonicNanoseconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    private func writePieces() throws {
        for piece in pieces {
            var sent = 0
            while sent < piece.count {
                let more = piece.withUnsafeBytes { Glibc.pwrite(descriptor, $0.baseAddress! + sent, piece.count - sent, written) }
                if more > 0 {
                    sent += more
                    written += more
                } else if more == 0 || errno != EINTR {
                    let reason = more == 0 ? "nothing was taken" : errorText(errno)
                    throw Failure(.inputOutput, folder, "cannot write a temporary file: \(reason)", hint: Spool.hint)
                }
            }
        }
        pieces.removeAll()
    }

    fileprivate func read(into bytes: UnsafeMutableRawBufferPointer, from place: Int) throws {
        var got = 0
        while got < bytes.count {
            let more = pread(descriptor, bytes.baseAddress! + got, bytes.count - got, place + got)
            if more > 0 {
                got += more
            } else if more == 0 || errno != EINTR {
                let reason = more == 0 ? "it has become shorter" : errorText(errno)
                throw Failure(.inputOutput, folder, "cannot read a temporary file: \(reason)")
            }
        }
    }
}
