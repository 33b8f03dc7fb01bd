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
    private let textKey: String
    private let idKey: String
    private let lineLimit: Int
    private let fields: CorpusFields
    private var begun = false

    public init(_ input: ByteInput, textKey: String = "text", idKey: String = "id", lineLimit: Int = CorpusReader.longestLine) {
        self.input = input
        self.textKey = textKey
        self.idKey = idKey
        self.lineLimit = lineLimit
        fields = CorpusFields(textKey: textKey, idKey: idKey)
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
        let kind = try FileKind(input)
        switch kind {
        case .empty, .jsonObject, .unknown: break
        default: throw Failure(.badData, input.name, "not NDJSON: this is \(kind.title)", hint: kind.hint)
        }
        try skipByteOrderMark(input)
        begun = true
    }

    private func document(_ line: UnsafeRawBufferPointer) throws -> CorpusDocument {
        let byte = input.offset - line.count - (input.lineWasEnded ? 1 : 0)
        if fields.read(line) {
            let id = fields.id ?? Array(String(recordCount - 1).utf8)
            return CorpusDocument(id: id, text: Array(fields.text), line: input.lineNumber, byte: byte, raw: Array(line))
        }
        let place = Failure.Place.lineByte(line: input.lineNumber, byte: byte)
        let record = try parseLine(line, of: input, at: byte, wideIntegers: true)
        guard let text = record[textKey] else { throw Failure(.badData, input.name, place, "field '\(printable(textKey))' is missing") }
        guard let bytes = text.bytes else {
            throw Failure(.badData, input.name, place, "field '\(printable(textKey))' must be a string")
        }
        let written = record[idKey]?.number == nil ? nil : rawNumber(under: idKey, in: line)
        guard let id = written ?? recordID(record[idKey], number: recordCount - 1) else {
            throw Failure(.badData, input.name, place, "field '\(printable(idKey))' must be a string or a number")
        }
        return CorpusDocument(id: id, text: bytes, line: input.lineNumber, byte: byte, raw: Array(line))
    }
}

/// Consumes a UTF-8 byte-order mark if one comes next.
func skipByteOrderMark(_ input: ByteInput) throws {
    guard try input.peek(3) == [0xEF, 0xBB, 0xBF] else { return }
    _ = try withUnsafeTemporaryAllocation(byteCount: 3, alignment: 1) { try input.read(exactly: 3, into: $0.baseAddress!) }
}

/// Whether a line has nothing but blanks.
func isBlank(_ line: UnsafeRawBufferPointer) -> Bool {
    line.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
}

/// Parses a line that must be one JSON object; `byte` is the offset of its first byte.
///
/// A last line without a newline that does not parse is called cut; a line that opens an object and ends, pretty-printed.
func parseLine(_ line: UnsafeRawBufferPointer, of input: ByteInput, at byte: Int, wideIntegers: Bool = false) throws -> JSONValue {
    let record: JSONValue
    do {
        record = try JSONValue.parse(line, name: input.name, line: input.lineNumber, base: byte, wideIntegers: wideIntegers)
    } catch var failure as Failure {
        if !input.lineWasEnded {
            failure.message = "the last record, from byte \(byte), is cut or \(failure.message)"
        } else if line.last(where: { $0 != 0x20 && $0 != 0x0D && $0 != 0x09 }).map({ "{[,:".utf8.contains($0) }) == true {
            failure.hint = "one record a line is needed; if this is pretty-printed JSON: jq -c . FILE | ..."
        }
        throw failure
    }
    guard record.kind == .object else {
        throw Failure(.badData, input.name, .lineByte(line: input.lineNumber, byte: byte), "expected a JSON object on the line")
    }
    return record
}

/// A record's id: a string's bytes, an integer in decimal, the record's number when absent; nil when it is anything else.
func recordID(_ value: JSONValue?, number: Int) -> [UInt8]? {
    guard let value else { return Array(String(number).utf8) }
    return value.bytes ?? value.integer.map { Array(String($0).utf8) }
}
