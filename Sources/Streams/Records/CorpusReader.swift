// A corpus: NDJSON, one document a line, `{"id": string or number, "text": string, ...}`.

/// One document of a corpus.
public struct CorpusDocument: Sendable {
    /// The id as bytes (UTF-8); a number as it is written; the 0-based number of the record when it has none.
    public let id: [UInt8]
    /// UTF-8.
    public let text: [UInt8]
    /// The 1-based line.
    public let line: Int
    /// The offset of the line's first byte in the input.
    public let byte: Int
    /// The line as it was, without its newline.
    public let raw: [UInt8]
}

/// Reads a corpus strictly: what is not exactly a record is refused with its line and byte, never repaired and never skipped.
///
/// Blank lines, CRLF, a byte-order mark before the first line and a last line without a newline are fine. Refused are: invalid JSON or
/// UTF-8, duplicate keys, a missing or non-string text, an id that is neither string nor number, two records on a line, a line
/// over the limit, and files of another kind, which are named.
public final class CorpusReader {
    /// The longest line unless told otherwise: 64 MiB.
    public static let longestLine = 64 << 20

    /// After `next()` has thrown: whether the trouble is one record's, so that another `next()` reads on behind it.
    public private(set) var canContinue = false
    /// The line that `next()` refused, without its newline; nil when it was too long to hold.
    public private(set) var refusedLine: [UInt8]?
    /// Records seen so far, refused ones included.
    public private(set) var recordCount = 0

    private let input: ByteInput
    private let lineLimit: Int
    private var fields: CorpusFields
    private var begun = false

    /// - keysAreOptions: --text-key can name another key, which a hint then says.
    public init(
        _ input: ByteInput, textKey: String = "text", idKey: String = "id", keysAreOptions: Bool = true,
        lineLimit: Int = CorpusReader.longestLine
    ) {
        self.input = input
        self.lineLimit = lineLimit
        fields = CorpusFields(textKey: textKey, idKey: idKey, keysAreOptions: keysAreOptions)
    }

    /// The next document, or nil at the end. Throws `Failure.badData` (65) with line and byte.
    public func next() throws -> CorpusDocument? {
        canContinue = false
        refusedLine = nil
        if !begun { try begin() }
        while true {
            let line: UnsafeRawBufferPointer?
            do { line = try input.line(limit: lineLimit) } catch let failure as Failure {
                canContinue = failure.status == .badData
                recordCount += 1
                throw failure
            }
            guard let line else { return nil }
            if isBlank(line) { continue }
            recordCount += 1
            do { return try document(line) } catch {
                canContinue = true
                refusedLine = Array(line)
                throw error
            }
        }
    }

    private func begin() throws {
        try expectCorpus(input)
        begun = true
    }

    private func document(_ line: UnsafeRawBufferPointer) throws -> CorpusDocument {
        let place = input.place(of: line)
        try fields.read(line, at: place)
        let id = fields.id ?? Array(String(recordCount - 1).utf8)
        return CorpusDocument(id: id, text: Array(fields.text), line: place.line, byte: place.byte, raw: Array(line))
    }
}
