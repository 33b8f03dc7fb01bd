// Tokens of a text with the bytes that each stands for.

/// Ids and spans, appended to; the memory is kept from text to text.
public struct TokenSequence {
    public var ids: [UInt32] = []
    /// Two for each id: a half-open span of bytes of the text. The spans of a text tile it, but for dropped bytes.
    public var offsets: [UInt32] = []
    /// Bytes of the text that the vocabulary cannot express: gaps between the spans.
    public var droppedBytes = 0

    public init() {}

    public mutating func removeAll() {
        ids.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        droppedBytes = 0
    }

    mutating func append(_ id: UInt32, _ start: Int, _ end: Int) {
        ids.append(id)
        offsets.append(UInt32(truncatingIfNeeded: start))
        offsets.append(UInt32(truncatingIfNeeded: end))
    }
}
