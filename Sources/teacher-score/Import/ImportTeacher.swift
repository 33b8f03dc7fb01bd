// A teacher that has scored already: its log-probabilities come from a file.

import ArgumentParser
import Command
import Streams

struct ImportOptions: ParsableArguments {
    @Option(
        name: .customLong("import"),
        help: ArgumentHelp(
            "Take the scores from a file instead: NDJSON with 'id' and 'log_probs' in the stream's order (default: none).",
            valueName: "file"), completion: .file())
    var file: String?

    @Option(help: ArgumentHelp("With --import: the model's name, for the header of the scores (default: none).", valueName: "name"))
    var importModel: String?

    mutating func validate() throws {
        if importModel != nil, file == nil { throw ValidationError("--import-model is for --import") }
    }
}

/// Joins scores that were made elsewhere to the documents of a stream, each checked against its own.
final class ImportTeacher: Teacher {
    private let lines: ObjectLines
    private let window: WindowOptions
    private let model: String?
    /// Of the stream of tokens.
    private var bosID: String?
    /// Whether the file has lists of the most probable tokens: what the first document has, all must have.
    private var hasTop: Bool?
    private var vocabularySize = Int(UInt32.max)

    /// Throws 66.
    init(_ options: ImportOptions, _ window: WindowOptions) throws {
        guard let file = options.file else { preconditionFailure("bug: nothing to import") }
        lines = ObjectLines(try ByteInput.open(file), lineLimit: 1 << 30)
        self.window = window
        model = options.importModel
        name = file
    }

    let name: String

    /// What made the scores is known by what the user says alone.
    var facts: [(key: String, value: String?)] {
        let bos: String? =
            switch window.bos {
            case .auto: nil
            case .always: bosID
            case .never: "none"
            }
        return [
            ("model", model), ("bos", bos), ("window", window.window.map { String($0) }), ("stride", window.stride.map { String($0) }),
            ("precision", "imported"),
        ]
    }

    func check(_ header: StreamHeader, of name: String) throws {
        bosID = header["bos_id"]
        if let size = header.integer("vocabulary_size") { vocabularySize = size }
        if window.bos == .always, bosID == nil {
            throw Failure(.badData, name, "names no beginning-of-sequence token, so --bos always says nothing")
        }
    }

    func check(_ batch: RecordBatch, in reader: RecordReader) throws {}

    func scored(_ batch: RecordBatch, afterTokens: (Int) throws -> Void) throws -> RecordBatch {
        var columns = ImportedColumns()
        for document in 0..<batch.documentCount {
            let id = batch.documentIDs[document]
            guard let object = try nextObject() else {
                throw Failure(
                    .badData, name, "ends before document '\(printable(id))'",
                    hint: "every document of the stream needs a line, in its order")
            }
            try checkID(object, id)
            let tokens = batch.inputIDs[batch.tokens(of: document)]
            try checkIDs(object, tokens)
            try columns.append(ImportedScores(object, lines, tokens: tokens.count, vocabularySize: vocabularySize), hasTop: &hasTop, lines)
        }
        try afterTokens(batch.tokenCount)
        var result = batch
        columns.move(to: &result, hasTop: hasTop == true)
        return result
    }

    /// As the others, and the file must end with the stream.
    func score(
        _ next: @escaping () throws -> RecordBatch?, afterTokens: @escaping (Int) throws -> Void,
        write: @escaping (RecordBatch) throws -> Void
    ) throws {
        while let batch = try next() { try write(scored(batch, afterTokens: afterTokens)) }
        if let object = try nextObject() {
            let id = ObjectLines.id(of: object).map { "document '\(printable($0))'" } ?? "a document"
            throw lines.failure("\(id) stands behind the last document of the stream")
        }
    }

    // MARK: Lines

    private var isFirst = true

    /// The next document's line; the header of a stream of records is passed over.
    private func nextObject() throws -> JSONValue? {
        let object = try lines.next()
        defer { isFirst = false }
        if isFirst, let object, object["stream"] != nil, object["id"] == nil { return try lines.next() }
        return object
    }

    private func checkID(_ object: JSONValue, _ expected: [UInt8]) throws {
        guard let id = ObjectLines.id(of: object) else { throw lines.failure("field 'id' is missing, or neither a string nor an integer") }
        guard id == expected else {
            throw lines.failure(
                "scores of document '\(printable(id))', expected '\(printable(expected))'", hint: "the lines must be in the stream's order")
        }
    }

    /// Compares the ids that the line has, if any.
    private func checkIDs(_ object: JSONValue, _ tokens: ArraySlice<UInt32>) throws {
        for key in ["input_ids", "tokens"] {
            guard let list = object[key] else { continue }
            guard list.kind == .array, list.count == tokens.count else {
                throw lines.failure("'\(key)' has \(list.count) elements, the document has \(tokens.count) tokens")
            }
            for (at, id) in tokens.enumerated() where list[at].integer != Int(id) {
                let found = list[at].integer.map { String($0) } ?? "no integer"
                throw lines.failure("'\(key)': token \(at) is \(found), expected \(id)")
            }
        }
    }
}

/// Columns as they grow.
private struct ImportedColumns {
    private var logProbs: [Float] = []
    private var top = TokenEntries()
    private var keptMasses: [Float] = []

    mutating func append(_ scores: ImportedScores, hasTop: inout Bool?, _ lines: ObjectLines) throws {
        let mine = scores.top != nil
        if let before = hasTop, before != mine {
            throw lines.failure(
                mine ? "has 'top_ids', which documents before it have not" : "has no 'top_ids', as documents before it have")
        }
        hasTop = mine
        logProbs += scores.logProbs
        if let lists = scores.top {
            top.append(lists, tokens: 0..<lists.tokenCount)
            keptMasses += scores.keptMasses
        }
    }

    func move(to batch: inout RecordBatch, hasTop: Bool) {
        batch.logProbs = logProbs
        guard hasTop else { return }
        batch.top = top
        batch.keptMasses = keptMasses
    }
}
