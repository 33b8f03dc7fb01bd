// Reads records in the tensor encoding, and believes nothing that it has not checked.

/// Reads a tensor stream, or several in a row whose headers agree.
final class TensorRecordSource: RecordSource {
    private(set) var header = StreamHeader(.tokens)
    private(set) var streamCount = 1

    private let input: ByteInput
    private let framing: TensorRecordFraming
    private var hash = XXH64()
    /// Of the current stream.
    private var records = 0
    private var documents = 0
    private var tokens = 0
    /// Data records of the streams before the current one.
    private var recordsBefore = 0
    private var columns: [String]?
    private var ended = false
    private var recordStart = 0
    private var lastPlace = Failure.Place.whole

    /// Reads the header record.
    init(_ input: ByteInput) throws {
        self.input = input
        framing = TensorRecordFraming(input)
        try placed {
            guard let record = try framing.next() else { throw RecordProblem("empty") }
            guard record.kind == "header" else {
                throw RecordProblem("not a tensor stream: this is a safetensors file without a stream's header record")
            }
            header = try readHeader(record)
            record.add(to: &hash)
        }
    }

    func place(ofDocument document: Int) -> Failure.Place { lastPlace }

    func next() throws -> RecordBatch? {
        while true {
            recordStart = input.offset
            var isLast = false
            let batch = try placed { () throws -> RecordBatch? in
                guard let record = try framing.next() else {
                    guard ended else { throw RecordProblem("the stream ends without its end record", hint: TensorStream.truncationHint) }
                    isLast = true
                    return nil
                }
                return try take(record)
            }
            if isLast || batch != nil { return batch }
        }
    }

    /// Runs the reading of one record and gives its problems their place.
    private func placed<Result>(_ body: () throws -> Result) throws -> Result {
        do { return try body() } catch let problem as RecordProblem {
            let message = ended ? "bytes after the end record that open no new stream: \(problem.message)" : problem.message
            throw Failure(.badData, input.name, .record(recordsBefore + records, byte: recordStart), message, hint: problem.hint)
        }
    }

    private func take(_ record: TensorRecord) throws -> RecordBatch? {
        switch (record.kind, ended) {
        case ("data", false):
            let batch = try readData(record)
            record.add(to: &hash)
            return batch
        case ("end", false):
            try checkEnd(record)
            ended = true
        case ("header", true):
            let next = try readHeader(record)
            ended = false
            if let key = header.disagreement(with: next) { throw RecordProblem(header.refusal(of: next, key)) }
            recordsBefore += records
            (records, documents, tokens) = (0, 0, 0)
            hash = XXH64()
            record.add(to: &hash)
            streamCount += 1
        default:
            throw RecordProblem("a record of kind '\(printable(record.kind))' is out of place")
        }
        return nil
    }

    private func readHeader(_ record: TensorRecord) throws -> StreamHeader {
        guard record.tensors.isEmpty else { throw RecordProblem("the header record has tensors") }
        return try StreamHeader.read(record.metadata.filter { $0.0 != "kind" })
    }

    /// The batch of a data record, all of it checked but that its columns are those of the records before. Throws `RecordProblem`.
    static func batch(of record: TensorRecord, index: Int, header: StreamHeader) throws -> RecordBatch {
        guard record.kind == "data" else { throw RecordProblem("a record of kind '\(printable(record.kind))' is out of place") }
        try record.expectOnly(["kind", "index", "crc32c"])
        guard let found = record.value("index"), decimal(found) == index else {
            throw RecordProblem("index '\(printable(record.value("index") ?? ""))', expected \(index)")
        }
        let sum = TensorStream.hex(UInt64(crc32c(record.data)), digits: 8)
        guard let expected = record.value("crc32c"), expected == sum else {
            throw RecordProblem("damaged: the data's crc32c is \(sum), expected '\(printable(record.value("crc32c") ?? ""))'")
        }
        let batch = try TensorColumns(record: record).batch()
        if let problem = batch.problem(under: header) {
            throw RecordProblem(problem)
        }
        return batch
    }

    private func readData(_ record: TensorRecord) throws -> RecordBatch {
        let batch = try TensorRecordSource.batch(of: record, index: records, header: header)
        let present = batch.columns
        if let columns, columns != present {
            throw RecordProblem("columns \(present.joined(separator: " ")), but before \(columns.joined(separator: " "))")
        }
        columns = present
        lastPlace = .record(recordsBefore + records, byte: recordStart)
        records += 1
        documents += batch.documentCount
        tokens += batch.tokenCount
        return batch
    }

    private func checkEnd(_ record: TensorRecord) throws {
        guard record.tensors.isEmpty else { throw RecordProblem("the end record has tensors") }
        try record.expectOnly(["kind", "records", "documents", "tokens", "xxh64"])
        for (key, count) in [("records", records), ("documents", documents), ("tokens", tokens)] {
            guard let text = record.value(key), decimal(text) == count else {
                throw RecordProblem("the end record counts '\(printable(record.value(key) ?? ""))' \(key), but there are \(count)")
            }
        }
        let found = TensorStream.hex(hash.digest(), digits: 16)
        guard let expected = record.value("xxh64"), expected == found else {
            throw RecordProblem("damaged: the stream's xxh64 is \(found), the end record says '\(printable(record.value("xxh64") ?? ""))'")
        }
    }
}
