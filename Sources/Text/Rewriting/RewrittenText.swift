// Text on its way to the model: what normalisers left of it, with the original bytes that each byte stands for.

/// Bytes with their origin.
///
/// Byte i stands for the original bytes starts[i]..<ends[i]. A byte that no step changed stands for itself. Where a step changed the
/// text, the original is cut into the smallest stretches that change on their own, and every byte of what came out stands for the whole
/// stretch. Bytes that a step put there (a dummy prefix) stand for the empty span at their place; what a step removed is a gap.
struct RewrittenText: Equatable {
    /// Valid UTF-8.
    private(set) var bytes: [UInt8] = []
    private(set) var starts: [UInt32] = []
    private(set) var ends: [UInt32] = []

    init() {}

    init(bytes: [UInt8], starts: [UInt32], ends: [UInt32]) { (self.bytes, self.starts, self.ends) = (bytes, starts, ends) }

    /// The original itself, `text[range]`.
    init(_ text: UnsafeRawBufferPointer, _ range: Range<Int>) {
        bytes = Array(text[range])
        starts = Self.numbers(from: range.lowerBound, range.count)
        ends = Self.numbers(from: range.lowerBound + 1, range.count)
    }

    private static func numbers(from first: Int, _ count: Int) -> [UInt32] {
        let first = UInt32(truncatingIfNeeded: first)
        return Array(unsafeUninitializedCapacity: count) { memory, filled in
            for at in 0..<count { memory[at] = first &+ UInt32(truncatingIfNeeded: at) }
            filled = count
        }
    }

    var count: Int { bytes.count }

    /// The original bytes that `bytes[range]` stands for; `range` is not empty.
    func origin(_ range: Range<Int>) -> Range<Int> {
        let first = Int(starts[range.lowerBound])
        return first..<max(first, Int(ends[range.upperBound - 1]))
    }

    /// Appends bytes that all stand for `origin`.
    mutating func append(_ more: some Collection<UInt8>, standingFor origin: Range<Int>) {
        let count = more.count
        bytes.append(contentsOf: more)
        starts.append(contentsOf: repeatElement(UInt32(origin.lowerBound), count: count))
        ends.append(contentsOf: repeatElement(UInt32(origin.upperBound), count: count))
    }

    /// Appends bytes of another text as they are.
    mutating func append(_ other: RewrittenText, _ range: Range<Int>) {
        bytes.append(contentsOf: other.bytes[range])
        starts.append(contentsOf: other.starts[range])
        ends.append(contentsOf: other.ends[range])
    }

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        starts.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
    }
}

extension TokenSequence {
    /// Turns the spans of the tokens from `first` on, which are in the bytes of `text`, into those of the original.
    mutating func translate(from first: Int, by text: RewrittenText) {
        text.starts.withUnsafeBufferPointer { starts in
            text.ends.withUnsafeBufferPointer { ends in translate(from: first, starts, ends) }
        }
    }
}
