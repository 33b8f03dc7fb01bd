// Walks a stream document by document, whatever its batches.

/// The documents of a stream, one after the other, each in the batch that it lies in.
public struct DocumentCursor {
    public let reader: RecordReader
    /// The batch of the present document.
    public private(set) var batch = RecordBatch()
    /// The present document's place in the batch.
    public private(set) var index = -1
    /// Documents seen, the present one included.
    public private(set) var count = 0

    public init(_ reader: RecordReader) {
        self.reader = reader
    }

    /// Moves to the next document; false at the end of the stream.
    public mutating func advance() throws -> Bool {
        index += 1
        while index >= batch.documentCount {
            guard let next = try reader.next() else { return false }
            batch = next
            index = 0
        }
        count += 1
        return true
    }

    public var id: [UInt8] { batch.documentIDs[index] }
    /// The present document's tokens, as positions in the batch.
    public var tokens: Range<Int> { batch.tokens(of: index) }
    /// The present document as a batch of its own.
    public var document: RecordBatch { batch.slice(index..<(index + 1)) }
}
