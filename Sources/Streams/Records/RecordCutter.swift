// Cuts a stream of documents into records of about the same number of tokens, however it was batched before.

/// Where tokenized documents go, in order.
public protocol DocumentSink: AnyObject {
    func add(_ batch: RecordBatch) throws
    /// Writes what is left, without ending the stream.
    func flush() throws
}

/// Gathers documents and writes a record whenever it has `tokens` tokens or more: the same records whatever the batches.
public final class RecordCutter: DocumentSink {
    private let writer: RecordWriter
    private let tokens: Int
    private var waiting = RecordBatch()

    public init(_ writer: RecordWriter, tokens: Int) {
        self.writer = writer
        self.tokens = tokens
    }

    public func add(_ batch: RecordBatch) throws {
        var first = 0
        while first < batch.documentCount {
            // A record ends behind the document that fills it.
            let wanted = batch.documentSplits[first] + tokens - waiting.tokenCount
            var end = first + 1
            while end < batch.documentCount, batch.documentSplits[end] < wanted { end += 1 }
            waiting.append(batch, documents: first..<end)
            if waiting.tokenCount >= tokens { try flush() }
            first = end
        }
    }

    public func flush() throws {
        try writer.write(waiting)
        waiting.removeAll()
    }
}
