// The two wanted fields of a corpus line: by the scanner where the line is plain, else by Jansson, which has the words for what is wrong.
import Glibc

/// Takes id and text out of corpus lines.
///
/// A value, so that its owner's access is checked once a line: a class checks each access to the scanner, 70 ns a line in all.
struct CorpusFields: ~Copyable {
    private let textKey: String
    private let idKey: String
    private let textKeyBytes: [UInt8]
    private let idKeyBytes: [UInt8]
    private let keysAreOptions: Bool
    private var scanner = JSONScanner(UnsafeRawBufferPointer(start: nil, count: 0), wideIntegers: true)
    private var unescaped = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)

    /// The id: a string's bytes, a number as it is written, nil when the line has none.
    private(set) var id: [UInt8]?
    /// UTF-8, valid until the next `read` and as long as the line.
    private(set) var text = UnsafeRawBufferPointer(start: nil, count: 0)

    /// - keysAreOptions: --text-key can name another key, which a hint then says.
    init(textKey: String, idKey: String, keysAreOptions: Bool = true) {
        self.keysAreOptions = keysAreOptions
        self.textKey = textKey
        self.idKey = idKey
        textKeyBytes = Array(textKey.utf8)
        idKeyBytes = Array(idKey.utf8)
    }

    deinit { unescaped.deallocate() }

    /// Reads a line that is not blank. Throws `Failure.badData` with its place.
    mutating func read(_ line: UnsafeRawBufferPointer, at place: LinePlace) throws {
        // One key for both is legal and rare.
        if textKeyBytes != idKeyBytes, (try? scan(line)) == true { return }
        try parse(line, at: place)
    }

    /// False, or `NotPlain`, when the line is not a plain and proper record.
    private mutating func scan(_ line: UnsafeRawBufferPointer) throws(JSONScanner.NotPlain) -> Bool {
        id = nil
        var hasText = false
        scanner.reset(line)
        try scanner.beginObject()
        while let key = try scanner.nextKey() {
            if equal(key, textKeyBytes) {
                guard try scanner.nextKind() == .string else { return false }
                text = try scanner.string()
                // A text with escapes lies in the scanner's buffer, where another string may follow.
                if !lies(text, in: line) { scanner.exchangeScratch(&unescaped) }
                hasText = true
            } else if equal(key, idKeyBytes) {
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

    /// The same by way of a tree.
    private mutating func parse(_ line: UnsafeRawBufferPointer, at place: LinePlace) throws {
        let record = try parseLine(line, at: place, wideIntegers: true)
        guard let value = record[textKey] else {
            throw place.failure("field '\(printable(textKey))' is missing", hint: keysAreOptions ? hint(for: record) : nil)
        }
        guard value.withBytes({ text = keptCopy($0) }) != nil else { throw place.failure("field '\(printable(textKey))' must be a string") }
        id = nil
        guard let found = record[idKey] else { return }
        let written = found.number == nil ? nil : rawNumber(under: idKey, in: line)
        id = written ?? recordID(found, number: 0)
        guard id != nil else { throw place.failure("field '\(printable(idKey))' must be a string or a number") }
    }

    /// Where the text may be: in the record's longest string.
    private func hint(for record: JSONValue) -> String {
        let strings = record.entries.filter { $0.key != idKeyBytes && $0.value.kind == .string }
        let longest = strings.max { $0.value.bytes?.count ?? 0 < $1.value.bytes?.count ?? 0 }
        guard let longest else { return "--text-key names the key of the text" }
        return "the text may be under another key: --text-key \(printable(longest.key))"
    }

    private func equal(_ bytes: UnsafeRawBufferPointer, _ key: [UInt8]) -> Bool {
        bytes.count == key.count && (key.isEmpty || memcmp(bytes.baseAddress!, key, key.count) == 0)
    }

    /// Whether a string without escapes, or an empty one, lies in the line itself.
    private func lies(_ bytes: UnsafeRawBufferPointer, in line: UnsafeRawBufferPointer) -> Bool {
        guard let start = bytes.baseAddress, let first = line.baseAddress else { return true }
        return start >= first && start < first + line.count
    }

    private mutating func keptCopy(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        if bytes.count > unescaped.count {
            unescaped.deallocate()
            unescaped = .allocate(byteCount: 2 * bytes.count, alignment: 16)
        }
        unescaped.copyMemory(from: bytes)
        return UnsafeRawBufferPointer(rebasing: unescaped[..<bytes.count])
    }
}
