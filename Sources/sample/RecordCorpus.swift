// Records as the corpus: the kept documents or chunks go out with all that they carry.

import Command
import Selection
import Streams
import Text

/// Streams of records over the units that were scored.
///
/// Tokens of the scores' own vocabulary must be the scored ones. Documents may also come in another vocabulary: the texts' hashes then say
/// that they are the same.
final class RecordCorpus: Corpus {
    private static let recordTokens = 65_536
    private let unit: Unit
    private let scores: StreamHeader
    private var rest: ArraySlice<String>
    private var cursor: DocumentCursor
    private let header: StreamHeader
    private let comparesTokens: Bool
    private let tokenizer: Tokenizer?
    private var writer: RecordWriter?
    private var cutter: RecordCutter?
    private var taken = 0
    private var columns: [String]?

    /// - tokenizer: of the records, for the texts of extracts.
    init(_ paths: [String], _ first: ByteInput, _ pairs: ScorePairs, tokenizer: Tokenizer?) throws {
        self.tokenizer = tokenizer
        unit = pairs.unit
        scores = pairs.header
        rest = paths.dropFirst()
        cursor = DocumentCursor(try RecordReader(first))
        header = cursor.reader.header
        comparesTokens = unit == .chunk || header["vocabulary_sha256"] == scores["vocabulary_sha256"]
        if let tokenizer, let hash = header["vocabulary_sha256"], hash != tokenizer.vocabularySHA256 {
            throw Failure(
                .badData, tokenizer.name,
                "another vocabulary than that of \(cursor.reader.name): its sha256 is \(tokenizer.vocabularySHA256), not \(printable(hash))"
            )
        }
    }

    /// Opens the output with the corpus's own header.
    func open(_ output: OutputOptions, producer: String?) throws {
        var header = header
        header["producer"] = producer
        let writer = try RecordWriter(output.open(), header: header, encoding: output.format)
        cutter = RecordCutter(writer, tokens: RecordCorpus.recordTokens)
        self.writer = writer
    }

    /// Decoded, with U+FFFD for what a chunk's ends cut of characters; nil without a vocabulary.
    func text() throws -> [UInt8]? {
        guard let tokenizer else { return nil }
        do {
            return Array(String(decoding: try tokenizer.decode(Array(cursor.batch.inputIDs[cursor.tokens])), as: UTF8.self).utf8)
        } catch let failure as Failure {
            throw self.failure("\(unit.rawValue) \(quoted(cursor.id)): \(failure.message)")
        }
    }

    func source() throws -> [UInt8]? { nil }

    func take(_ selected: SelectedUnit) throws {
        guard try advance() else {
            throw Failure(
                .badData, cursor.reader.name,
                "ends after \(taken) \(unit.plural), but the scores go on with \(quoted(selected.unit.id))", hint: corpusCure)
        }
        taken += 1
        guard cursor.id == selected.unit.id else {
            throw failure("\(unit.rawValue) \(selected.number) is \(quoted(cursor.id)), in the scores it is \(quoted(selected.unit.id))")
        }
        if let mine = cursor.batch.textHashes?[cursor.index], let its = selected.unit.textHash, mine != its {
            throw failure("\(unit.rawValue) \(quoted(cursor.id)) has another text than the one that was scored")
        }
        if comparesTokens, selected.unit.content != cursor.batch.inputIDs[cursor.tokens].withUnsafeBytes({ XXH64.hash($0) }) {
            throw failure("\(unit.rawValue) \(quoted(cursor.id)) has other tokens than those that were scored")
        }
        if selected.isKept { try cutter?.add(cursor.document) }
    }

    func expectEnd() throws {
        if try advance() {
            throw failure("goes on with \(unit.rawValue) \(quoted(cursor.id)), but the scores end after \(taken)")
        }
    }

    func finish() throws {
        try cutter?.flush()
        try writer?.finish()
    }

    private func advance() throws -> Bool {
        while true {
            if try cursor.advance() {
                if cursor.index == 0 { try checkColumns() }
                return true
            }
            guard let path = rest.popFirst() else { return false }
            let reader = try RecordReader(ByteInput.open(path))
            if let key = header.disagreement(with: reader.header) {
                throw Failure(.badData, reader.name, "its header disagrees with the first stream's in '\(key)'")
            }
            cursor = DocumentCursor(reader)
        }
    }

    /// Refuses a batch that has not what the first one had.
    private func checkColumns() throws {
        let present = cursor.batch.columns
        if let columns, columns != present {
            throw failure("columns \(present.joined(separator: " ")), but before \(columns.joined(separator: " "))")
        }
        columns = present
    }

    private func failure(_ message: String) -> Failure {
        Failure(.badData, cursor.reader.name, cursor.reader.place(ofDocument: cursor.index), message, hint: corpusCure)
    }
}
