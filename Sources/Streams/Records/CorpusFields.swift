// The two wanted fields of a corpus line, taken by the scanner where the line is plain.

/// Takes id and text out of corpus lines without a tree.
///
/// Not for use from two threads at once.
final class CorpusFields {
    private let textKey: [UInt8]
    private let idKey: [UInt8]
    private var scanner = JSONScanner(UnsafeRawBufferPointer(start: nil, count: 0), wideIntegers: true)
    private var unescaped = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)

    /// The id: a string's bytes, a number as it is written, nil when the line has none.
    private(set) var id: [UInt8]?
    /// UTF-8, valid until the next `read` and as long as the line.
    private(set) var text = UnsafeRawBufferPointer(start: nil, count: 0)

    init(textKey: String, idKey: String) {
        self.textKey = Array(textKey.utf8)
        self.idKey = Array(idKey.utf8)
    }

    deinit { unescaped.deallocate() }

    /// Reads a line. False when it is not a plain and proper record: `JSONValue` then says what it is.
    func read(_ line: UnsafeRawBufferPointer) -> Bool {
        // One key for both is legal and rare.
        guard textKey != idKey else { return false }
        do {
            return try scan(line)
        } catch {
            return false
        }
    }

    private func scan(_ line: UnsafeRawBufferPointer) throws(JSONScanner.NotPlain) -> Bool {
        id = nil
        var hasText = false
        scanner.reset(line)
        try scanner.beginObject()
        while let key = try scanner.nextKey() {
            if equal(key, textKey) {
                guard try scanner.nextKind() == .string else { return false }
                text = kept(try scanner.string(), in: line)
                hasText = true
            } else if equal(key, idKey) {
                // A number under a key with escapes loses its digits in the tree: let it decide.
                guard lies(key, in: line) else { return false }
                switch try scanner.nextKind() {
                case .string: id = Array(try scanner.string())
                case .integer, .real: id = Array(try scanner.number())
                default: return false
                }
            } else {
                try scanner.skipValue()
            }
        }
        try scanner.end()
        return hasText
    }

    private func equal(_ bytes: UnsafeRawBufferPointer, _ key: [UInt8]) -> Bool {
        bytes.count == key.count && bytes.elementsEqual(key)
    }

    private func lies(_ bytes: UnsafeRawBufferPointer, in line: UnsafeRawBufferPointer) -> Bool {
        guard let start = bytes.baseAddress, let first = line.baseAddress else { return true }
        return start >= first && start < first + line.count
    }

    /// A string that outlives the scanner's next one.
    private func kept(_ bytes: UnsafeRawBufferPointer, in line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        if lies(bytes, in: line) { return bytes }
        if bytes.count > unescaped.count {
            unescaped.deallocate()
            unescaped = .allocate(byteCount: 2 * bytes.count, alignment: 16)
        }
        unescaped.copyMemory(from: bytes)
        return UnsafeRawBufferPointer(rebasing: unescaped[..<bytes.count])
    }
}
