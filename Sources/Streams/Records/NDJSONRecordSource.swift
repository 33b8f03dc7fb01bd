// Reads records in the NDJSON encoding, one document a line, made by this program, by jq or by hand.
//
//     {"stream":"tokens","version":1,...}                         optional first line: the header
//     {"id":"a","input_ids":[5,6],"offsets":[[0,2],[2,5]],"text_hash":"16 hexadecimal digits",
//      "log_probs":[null,-1.5],"teacher_ranges":[[0,0],[0,1]],"teacher_losses":[null,2.5]}
//
// and the other columns of Column.swift; lists are arrays of arrays, one a token. Only `input_ids` is required; null among numbers is NaN;
// other keys are ignored. What the first document has, all must have.

/// Reads NDJSON records and gathers whole documents to batches of about 65,536 tokens.
final class NDJSONRecordSource: RecordSource {
    static let batchTokens = 65_536
    static let batchDocuments = 16_384

    private(set) var header = StreamHeader(.tokens)
    private(set) var streamCount = 1

    private let input: ByteInput
    private typealias Line = (record: JSONValue, place: Failure.Place)

    private var waiting: Line?
    private var hasHeader = false
    /// The fields of the first record.
    private var fields: [String]?
    private var recordCount = 0
    private var places: [Failure.Place] = []

    /// Reads the first line, to know what the stream holds.
    init(_ input: ByteInput) throws {
        self.input = input
        try skipByteOrderMark(input)
        guard let first = try nextLine() else {
            throw Failure(.badData, input.name, "no records: nothing but blank lines", hint: TensorStream.truncationHint)
        }
        if let found = try readHeader(first) {
            header = found
            hasHeader = true
        } else {
            header = StreamHeader(NDJSONRecordSource.kind(first.record))
            waiting = first
        }
    }

    func place(ofDocument document: Int) -> Failure.Place {
        places.indices.contains(document) ? places[document] : .whole
    }

    func next() throws -> RecordBatch? {
        var batch = RecordBatch()
        places.removeAll(keepingCapacity: true)
        while batch.tokenCount < NDJSONRecordSource.batchTokens, batch.documentCount < NDJSONRecordSource.batchDocuments {
            guard let line = try takeWaiting() ?? nextLine() else { break }
            if let next = try readHeader(line) {
                try join(next, line.place)
                continue
            }
            try placed(line.place) {
                let document = NDJSONDocument(record: line.record, number: recordCount)
                try document.expectFields(&fields)
                try document.append(to: &batch)
            }
            recordCount += 1
            places.append(line.place)
        }
        if batch.documentCount == 0 { return nil }
        try check(batch)
        return batch
    }

    /// Refuses values that no record may have, at the line of the first document with one.
    private func check(_ batch: RecordBatch) throws {
        guard let problem = batch.problem(under: header) else { return }
        for document in 0..<batch.documentCount {
            let alone = batch.slice(document..<document + 1)
            try placed(places[document]) {
                if let problem = alone.problem(under: header) { throw RecordProblem(problem) }
            }
        }
        preconditionFailure("bug: a batch is refused but none of its documents: \(problem)")
    }

    private func placed<Result>(_ place: Failure.Place, _ body: () throws -> Result) throws -> Result {
        do { return try body() } catch let problem as RecordProblem {
            throw Failure(.badData, input.name, place, problem.message, hint: problem.hint)
        }
    }

    private func takeWaiting() -> Line? {
        defer { waiting = nil }
        return waiting
    }

    private func nextLine() throws -> Line? {
        while let line = try input.line(limit: CorpusReader.longestLine) {
            if isBlank(line) { continue }
            let place = input.place(of: line)
            return (try parseLine(line, at: place), .lineByte(line: place.line, byte: place.byte))
        }
        return nil
    }

    /// The header on a line, or nil when the line is a record.
    private func readHeader(_ line: Line) throws -> StreamHeader? {
        guard line.record["stream"] != nil, line.record["input_ids"] == nil else { return nil }
        return try placed(line.place) {
            let facts = try line.record.entries.map { key, value -> (String, String) in
                let name = String(decoding: key, as: UTF8.self)
                if let text = value.string { return (name, text) }
                if let number = value.integer { return (name, String(number)) }
                if let flag = value.boolean { return (name, flag ? "true" : "false") }
                throw RecordProblem("header field '\(printable(name))' must be a string, an integer or a boolean")
            }
            return try StreamHeader.read(facts)
        }
    }

    private func join(_ next: StreamHeader, _ place: Failure.Place) throws {
        guard hasHeader else { throw Failure(.badData, input.name, place, "a header after records that have none") }
        if let key = header.disagreement(with: next) { throw Failure(.badData, input.name, place, header.refusal(of: next, key)) }
        streamCount += 1
    }

    /// What a stream without a header holds, by the fields of its first record.
    private static func kind(_ record: JSONValue) -> StreamHeader.Kind {
        if record["teacher_ranges"] != nil || record["teacher_losses"] != nil { return .aligned }
        return record["log_probs"] != nil ? .scores : .tokens
    }
}
