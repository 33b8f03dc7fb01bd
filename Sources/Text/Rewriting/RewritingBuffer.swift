// Room for a text as a normaliser leaves it, byte by byte with origins, kept from text to text.

/// What `RewrittenText` holds, in bare memory: for normalisers that write all of a text anew.
final class RewritingBuffer {
    private(set) var bytes: UnsafeMutablePointer<UInt8>
    /// Byte i stands for starts[i]..<ends[i] of the original.
    private(set) var starts: UnsafeMutablePointer<UInt32>
    private(set) var ends: UnsafeMutablePointer<UInt32>
    private(set) var count = 0
    private var capacity = 1 << 12

    init() {
        bytes = .allocate(capacity: capacity)
        starts = .allocate(capacity: capacity)
        ends = .allocate(capacity: capacity)
    }

    deinit {
        bytes.deallocate()
        starts.deallocate()
        ends.deallocate()
    }

    var view: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes, count: count) }

    func removeAll() { count = 0 }

    func removeLast(_ less: Int) { count -= less }

    /// Appends `text[range]`, each byte standing for itself.
    @inline(__always)
    func append(_ text: UnsafeRawBufferPointer, _ range: Range<Int>) {
        let length = range.count
        if count + length > capacity { grow(length) }
        let (bytes, starts, ends) = (bytes + count, starts + count, ends + count)
        let first = UInt32(truncatingIfNeeded: range.lowerBound)
        for at in 0..<length {
            bytes[at] = text[range.lowerBound &+ at]
            starts[at] = first &+ UInt32(truncatingIfNeeded: at)
            ends[at] = first &+ UInt32(truncatingIfNeeded: at) &+ 1
        }
        count += length
    }

    /// Appends a byte that stands for `origin`.
    @inline(__always)
    func append(_ byte: UInt8, standingFor origin: Range<Int>) {
        if count + 1 > capacity { grow(1) }
        bytes[count] = byte
        starts[count] = UInt32(truncatingIfNeeded: origin.lowerBound)
        ends[count] = UInt32(truncatingIfNeeded: origin.upperBound)
        count += 1
    }

    /// Appends bytes that all stand for `origin`.
    @inline(__always)
    func append(_ more: [UInt8], standingFor origin: Range<Int>) {
        for byte in more { append(byte, standingFor: origin) }
    }

    private func grow(_ more: Int) {
        capacity = max(2 * capacity, count + more)
        func grown<Element>(_ old: UnsafeMutablePointer<Element>) -> UnsafeMutablePointer<Element> {
            let new = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
            new.update(from: old, count: count)
            old.deallocate()
            return new
        }
        bytes = grown(bytes)
        starts = grown(starts)
        ends = grown(ends)
    }
}

extension TokenSequence {
    /// Turns the spans of the tokens from `first` on, which are in the bytes of `text`, into those of the original.
    mutating func translate(from first: Int, by text: RewritingBuffer) {
        translate(
            from: first, UnsafeBufferPointer(start: text.starts, count: text.count),
            UnsafeBufferPointer(start: text.ends, count: text.count))
    }
}
