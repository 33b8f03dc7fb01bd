// Many byte strings in one piece of memory.

/// Byte strings one behind the other.
struct ByteStrings: Sendable {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []

    var count: Int { ends.count }

    mutating func append(_ more: UnsafeRawBufferPointer) {
        bytes.append(contentsOf: more)
        ends.append(bytes.count)
    }

    func range(_ at: Int) -> Range<Int> { (at == 0 ? 0 : ends[at - 1])..<ends[at] }

    subscript(at: Int) -> [UInt8] { Array(bytes[range(at)]) }

    /// Calls `body` with a view of one of them.
    func with<Result>(_ at: Int, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        let range = range(at)
        return try bytes.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }
}
