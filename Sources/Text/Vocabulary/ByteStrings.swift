// Many byte strings in one piece of memory.

/// Byte strings one behind the other, less than 4 GiB in all.
struct ByteStrings: Sendable {
    private var bytes: [UInt8] = []
    private var ends: [UInt32] = []

    /// How many there will be, and the bytes of all: memory that nothing touches costs nothing.
    init(count: Int = 0, bytes byteCount: Int = 0) {
        ends.reserveCapacity(count)
        bytes.reserveCapacity(byteCount)
    }

    var count: Int { ends.count }

    mutating func append(_ more: UnsafeRawBufferPointer) {
        bytes.append(contentsOf: more)
        ends.append(UInt32(bytes.count))
    }

    func range(_ at: Int) -> Range<Int> { (at == 0 ? 0 : Int(ends[at - 1]))..<Int(ends[at]) }

    subscript(at: Int) -> [UInt8] { Array(bytes[range(at)]) }

    /// Calls `body` with a view of one of them.
    func with<Result>(_ at: Int, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        let range = range(at)
        return try bytes.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    /// Lends all of them, for loops.
    @inline(__always)
    func withView<Result>(_ body: (View) throws -> Result) rethrows -> Result {
        try bytes.withUnsafeBytes { bytes in
            try ends.withUnsafeBufferPointer { ends in try body(View(bytes: bytes, ends: ends)) }
        }
    }

    /// The strings as bare memory.
    struct View {
        fileprivate let bytes: UnsafeRawBufferPointer
        fileprivate let ends: UnsafeBufferPointer<UInt32>

        var count: Int { ends.count }

        @inline(__always)
        subscript(at: Int) -> UnsafeRawBufferPointer {
            let start = at == 0 ? 0 : Int(ends[at &- 1])
            return UnsafeRawBufferPointer(start: bytes.baseAddress.map { $0 + start }, count: Int(ends[at]) &- start)
        }
    }
}
