// Tokens of a text with the bytes that each stands for.

/// Ids and spans, appended to; the memory is kept from text to text.
public struct TokenSequence: Sendable {
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

    /// Appends tokens; a span is its start in the lower half, its end in the upper.
    mutating func append(_ more: UnsafePointer<UInt32>, _ spans: UnsafePointer<UInt64>, _ count: Int) {
        ids.append(contentsOf: UnsafeBufferPointer(start: more, count: count))
        UnsafeRawPointer(spans).withMemoryRebound(to: UInt32.self, capacity: 2 * count) {
            offsets.append(contentsOf: UnsafeBufferPointer(start: $0, count: 2 * count))
        }
    }

    /// Makes one token of tokens `id` that touch, among those from `first` on. Costs nothing for the tokens before.
    mutating func fuse(_ id: UInt32, from first: Int) {
        var kept = first
        for token in first..<ids.count {
            let (start, end) = (offsets[2 * token], offsets[2 * token + 1])
            if kept > first, ids[token] == id, ids[kept - 1] == id, offsets[2 * kept - 1] == start {
                offsets[2 * kept - 1] = end
                continue
            }
            ids[kept] = ids[token]
            offsets[2 * kept] = start
            offsets[2 * kept + 1] = end
            kept += 1
        }
        ids.removeLast(ids.count - kept)
        offsets.removeLast(offsets.count - 2 * kept)
    }

    /// Turns the spans of the tokens from `first` on, which are in a rewritten text, into those of the original: byte i of the rewritten
    /// text stands for starts[i]..<ends[i].
    ///
    /// The span of a token covers all that its bytes stand for. An empty one stands where its place was, at the end behind the last byte.
    mutating func translate(from first: Int, _ starts: UnsafeBufferPointer<UInt32>, _ ends: UnsafeBufferPointer<UInt32>) {
        offsets.withUnsafeMutableBufferPointer { offsets in
            for token in first..<(offsets.count / 2) {
                let (start, end) = (Int(offsets[2 * token]), Int(offsets[2 * token + 1]))
                if start < end {
                    offsets[2 * token] = starts[start]
                    offsets[2 * token + 1] = max(starts[start], ends[end - 1])
                } else {
                    let place = start < starts.count ? starts[start] : ends.last ?? 0
                    offsets[2 * token] = place
                    offsets[2 * token + 1] = place
                }
            }
        }
    }
}
