// What is sampled: a corpus walked in step with its scores.

import Command
import Selection
import Streams

/// A corpus whose units are taken in the order of the scores.
protocol Corpus: AnyObject {
    /// Moves to the next unit, checks that it is the one that was scored, and writes it where it is kept.
    func take(_ unit: SelectedUnit) throws
    /// Refuses units behind the last scored one.
    func expectEnd() throws
    /// Ends and closes the output.
    func finish() throws
    /// The present unit's text, valid UTF-8, where the corpus has it.
    func text() throws -> [UInt8]?
    /// What the corpus says of its source.
    func source() throws -> [UInt8]?
}

let corpusCure = "the corpus must be what was scored, whole and in the same order"

/// Lines of NDJSON with texts.
final class TextCorpus: Corpus {
    struct Options {
        let textKey: String
        let idKey: String
        let sourceKey: String?
    }

    private let options: Options
    private var rest: ArraySlice<String>
    private var reader: CorpusReader
    private var name: String
    private let output: ByteOutput?
    private var document: CorpusDocument?
    private var taken = 0

    /// - first: the input of the first path, opened. - output: nil writes nothing.
    init(_ paths: [String], _ first: ByteInput, _ options: Options, output: ByteOutput?) {
        self.options = options
        self.output = output
        rest = paths.dropFirst()
        name = first.name
        reader = CorpusReader(first, textKey: options.textKey, idKey: options.idKey)
    }

    func text() -> [UInt8]? { document?.text }

    func source() throws -> [UInt8]? {
        guard let document, let key = options.sourceKey else { return nil }
        return try topLevelValue(under: key, in: document, of: name)
    }

    func take(_ selected: SelectedUnit) throws {
        document = try nextDocument()
        guard let document else {
            throw Failure(
                .badData, name, "ends after \(taken) documents, but the scores go on with \(quoted(selected.unit.id))", hint: corpusCure)
        }
        taken += 1
        guard document.id == selected.unit.id else {
            throw failure(
                document, "document \(selected.number) is \(quoted(document.id)), in the scores it is \(quoted(selected.unit.id))")
        }
        if let hash = selected.unit.textHash, hash != document.text.withUnsafeBytes({ XXH64.hash($0) }) {
            throw failure(document, "document \(quoted(document.id)) has another text than the one that was scored")
        }
        guard selected.isKept, let output else { return }
        try document.raw.withUnsafeBytes { try output.write($0) }
        try output.write([0x0A])
    }

    func expectEnd() throws {
        if let document = try nextDocument() {
            throw failure(document, "goes on with document \(quoted(document.id)), but the scores end after \(taken)")
        }
    }

    func finish() throws { try output?.close() }

    private func nextDocument() throws -> CorpusDocument? {
        while true {
            if let document = try reader.next() { return document }
            guard let path = rest.popFirst() else { return nil }
            let input = try ByteInput.open(path)
            guard try CorpusKind(input, textKey: options.textKey) == .text else {
                throw Failure(.badData, input.name, "records, but \(name) before it holds text", hint: "sample one or the other")
            }
            name = input.name
            reader = CorpusReader(input, textKey: options.textKey, idKey: options.idKey)
        }
    }

    private func failure(_ document: CorpusDocument, _ message: String) -> Failure {
        Failure(.badData, name, .lineByte(line: document.line, byte: document.byte), message, hint: corpusCure)
    }
}

/// The value under a key of a corpus line: a string's bytes, anything else as it is written; nil where it is absent or null.
private func topLevelValue(under key: String, in document: CorpusDocument, of name: String) throws -> [UInt8]? {
    let record = try document.raw.withUnsafeBytes {
        try JSONValue.parse($0, name: name, line: document.line, base: document.byte, wideIntegers: true)
    }
    guard let value = record[key], !value.isNull else { return nil }
    if let text = value.bytes { return text }
    if let flag = value.boolean { return Array((flag ? "true" : "false").utf8) }
    if let integer = value.integer { return Array(String(integer).utf8) }
    if let number = value.number { return Array(number.description.utf8) }
    let kind = value.kind == .object ? "an object" : "an array"
    throw Failure(
        .badData, name, .lineByte(line: document.line, byte: document.byte),
        "document \(quoted(document.id)): '\(printable(key))' is \(kind), expected a string or a number")
}
