// Reads a stream in batches of about the same number of tokens, however it was batched before.

/// Whole documents of a stream, in batches that depend on the documents alone.
public final class RecordRecutter {
    public let reader: RecordReader
    private let tokens: Int
    private let check: (RecordBatch) throws -> Void
    private var waiting = RecordBatch()
    /// Documents of `waiting` that were given out.
    private var given = 0

    /// - tokens: a batch ends behind the document with which it has so many or more. - check: sees each batch as it is read, before its place is
    ///   forgotten.
    public init(_ reader: RecordReader, tokens: Int, check: @escaping (RecordBatch) throws -> Void = { _ in }) {
        self.reader = reader
        self.tokens = tokens
        self.check = check
    }

    /// The next batch, nil at the end of the stream.
    public func next() throws -> RecordBatch? {
        while true {
            let first = waiting.documentSplits[given]
            var end = given
            while end < waiting.documentCount, waiting.documentSplits[end] - first < tokens { end += 1 }
            if end > given, waiting.documentSplits[end] - first >= tokens { return take(end) }
            guard let more = try reader.next() else { return given < waiting.documentCount ? take(waiting.documentCount) : nil }
            try check(more)
            // Many small batches are gathered without copying those before them again.
            if given > 0 { waiting = waiting.slice(given..<waiting.documentCount) }
            given = 0
            waiting.append(more, documents: 0..<more.documentCount)
        }
    }

    private func take(_ end: Int) -> RecordBatch {
        defer { given = end }
        return waiting.slice(given..<end)
    }
}

extension RecordBatch {
    /// The first document that is not the same as another batch's: its id, its text's hash, its ids and its offsets; nil where none is.
    public func firstOtherDocument(than other: RecordBatch) -> Int? {
        let common = min(documentCount, other.documentCount)
        for document in 0..<common {
            let (mine, its) = (tokens(of: document), other.tokens(of: document))
            guard documentIDs[document] == other.documentIDs[document], textHashes?[document] == other.textHashes?[document],
                inputIDs[mine] == other.inputIDs[its],
                offsets?[2 * mine.lowerBound..<2 * mine.upperBound] == other.offsets?[2 * its.lowerBound..<2 * its.upperBound]
            else { return document }
        }
        return documentCount == other.documentCount ? nil : common
    }
}
