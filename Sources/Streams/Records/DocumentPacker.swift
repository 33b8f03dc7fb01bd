// Packing: documents joined by a separator and cut into chunks of one length, for training without padding.

/// Joins documents, a separator behind each, and cuts them into chunks of `length` tokens.
///
/// No token is lost: the last chunk is shorter. A document that ends with the separator already gets no second one. Each chunk is a document
/// of the stream, its number from 0 as id, without offsets and text hashes.
public final class DocumentPacker: DocumentSink {
    private let sink: RecordCutter
    private let length: Int
    private let separator: UInt32?
    private var waiting: [UInt32] = []
    /// Chunks written, and those among them whose last document goes on in the next.
    public private(set) var chunks = 0
    public private(set) var dividingChunks = 0

    /// - tokens: in one record, about.
    public init(_ writer: RecordWriter, length: Int, separator: UInt32?, tokens: Int) {
        precondition(length >= 1, "bug: chunks of \(length) tokens")
        sink = RecordCutter(writer, tokens: tokens)
        self.length = length
        self.separator = separator
    }

    public func add(_ batch: RecordBatch) throws {
        for document in 0..<batch.documentCount {
            let ids = batch.inputIDs[batch.tokens(of: document)]
            waiting.append(contentsOf: ids)
            if let separator, ids.last != separator { waiting.append(separator) }
        }
        try send(upTo: waiting.count - waiting.count % length)
    }

    public func flush() throws {
        try send(upTo: waiting.count)
        try sink.flush()
    }

    private func send(upTo end: Int) throws {
        guard end > 0 else { return }
        var batch = RecordBatch()
        var at = 0
        while at < end {
            batch.inputIDs.append(contentsOf: waiting[at..<min(at + length, end)])
            batch.endDocument(id: Array(String(chunks).utf8))
            if let separator, batch.inputIDs.last != separator { dividingChunks += 1 }
            chunks += 1
            at += length
        }
        waiting.removeFirst(end)
        try sink.add(batch)
    }
}
