// A line of NDJSON: where it stands, and what every reader of lines refuses alike.
import Glibc

/// Where a line stands.
struct LinePlace {
    let name: String
    /// From 1.
    let line: Int
    /// The offset of its first byte.
    let byte: Int
    /// Whether a newline ends it.
    let isEnded: Bool

    /// Bad data at the line's beginning.
    func failure(_ message: String, hint: String? = nil) -> Failure {
        Failure(.badData, name, .lineByte(line: line, byte: byte), message, hint: hint)
    }
}

extension ByteInput {
    /// The place of the line last returned.
    func place(of line: UnsafeRawBufferPointer) -> LinePlace {
        LinePlace(name: name, line: lineNumber, byte: offset - line.count - (lineWasEnded ? 1 : 0), isEnded: lineWasEnded)
    }
}

/// Consumes a UTF-8 byte-order mark if one comes next.
func skipByteOrderMark(_ input: ByteInput) throws {
    guard try input.peek(3) == [0xEF, 0xBB, 0xBF] else { return }
    _ = try withUnsafeTemporaryAllocation(byteCount: 3, alignment: 1) { try input.read(exactly: 3, into: $0.baseAddress!) }
}

/// Refuses an input that is no NDJSON by its first bytes, and consumes a byte-order mark.
func expectCorpus(_ input: ByteInput) throws {
    let kind = try FileKind(input)
    switch kind {
    case .empty, .jsonObject, .unknown: break
    default: throw Failure(.badData, input.name, "not NDJSON: this is \(kind.title)", hint: kind.hint)
    }
    try skipByteOrderMark(input)
}

/// Whether a line has nothing but blanks.
func isBlank(_ line: UnsafeRawBufferPointer) -> Bool {
    line.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
}

/// The index of the first newline.
func firstNewline(_ bytes: UnsafeRawBufferPointer) -> Int? {
    guard let start = bytes.baseAddress, let found = memchr(start, 0x0A, bytes.count) else { return nil }
    return UnsafeRawPointer(found) - start
}

/// The index of the last newline.
func lastNewline(_ bytes: UnsafeRawBufferPointer) -> Int? {
    var at = bytes.count
    while at > 0 {
        at &-= 1
        if bytes[at] == 0x0A { return at }
    }
    return nil
}

/// Parses a line that must be one JSON object.
///
/// A last line without a newline that does not parse is called cut; a line that opens an object and ends, pretty-printed.
func parseLine(_ line: UnsafeRawBufferPointer, at place: LinePlace, wideIntegers: Bool = false) throws -> JSONValue {
    let record: JSONValue
    do {
        record = try JSONValue.parse(line, name: place.name, line: place.line, base: place.byte, wideIntegers: wideIntegers)
    } catch var failure as Failure {
        if !place.isEnded {
            failure.message = "the last record, from byte \(place.byte), is cut or \(failure.message)"
        } else if line.last(where: { $0 != 0x20 && $0 != 0x0D && $0 != 0x09 }).map({ "{[,:".utf8.contains($0) }) == true {
            failure.hint = "one record a line is needed; if this is pretty-printed JSON: jq -c . FILE | ..."
        } else if place.byte <= 3, let first = line.first(where: { $0 != 0x20 && $0 != 0x09 }), first != UInt8(ascii: "{") {
            failure.hint = "one JSON object a line is needed; if this is plain text, a document a line: jq -cR '{text: .}' FILE | ..."
        }
        throw failure
    }
    guard record.kind == .object else { throw place.failure("expected a JSON object on the line") }
    return record
}

/// A record's id: a string's bytes, an integer in decimal, the record's number when absent; nil when it is anything else.
func recordID(_ value: JSONValue?, number: Int) -> [UInt8]? {
    guard let value else { return Array(String(number).utf8) }
    return value.bytes ?? value.integer.map { Array(String($0).utf8) }
}
