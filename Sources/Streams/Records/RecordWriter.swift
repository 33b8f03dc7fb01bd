// Records out, in either encoding.

/// What writes one encoding.
protocol RecordSink: AnyObject {
    func write(_ batch: RecordBatch) throws
    func end() throws
}

/// Writes a stream of records: the header at once, then batches, then the proof of the end.
///
/// The same batches give the same bytes. Each batch becomes one data record of a tensor stream, so its size is the caller's choice
/// (about 65,536 tokens by custom); batches without documents are left out.
public final class RecordWriter {
    /// What was written so far.
    public private(set) var documentCount = 0
    public private(set) var tokenCount = 0

    private let output: ByteOutput
    private let header: StreamHeader
    private let sink: any RecordSink
    private var columns: [String]?

    /// Writes the header to `output`. Throws `Failure.inputOutput`.
    public init(_ output: ByteOutput, header: StreamHeader, encoding: RecordEncoding) throws {
        self.output = output
        self.header = header
        switch encoding {
        case .tensor: sink = try TensorRecordSink(output, header: header)
        case .ndjson: sink = try NDJSONRecordSink(output, header: header)
        }
    }

    /// Writes a batch. Throws `Failure.inputOutput`, and `Failure.badData` for values that a reader would refuse (a score that is not
    /// finite); traps when batches differ in their columns.
    public func write(_ batch: RecordBatch) throws {
        if batch.documentCount == 0 { return }
        precondition(columns == nil || columns == batch.columns, "bug: batches of one stream with different columns")
        columns = batch.columns
        if let problem = batch.problem(under: header) {
            throw Failure(.badData, output.name, "cannot write the documents from number \(documentCount) on: \(problem)")
        }
        try sink.write(batch)
        documentCount += batch.documentCount
        tokenCount += batch.tokenCount
    }

    /// Hands what was written to the system, for a reader that waits.
    public func flush() throws { try output.flush() }

    /// Writes the end record and closes the output.
    public func finish() throws {
        try sink.end()
        try output.close()
    }
}
