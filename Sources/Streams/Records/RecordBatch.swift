// A batch of whole documents in columns: what one data record of a stream holds.

/// Whole documents, their tokens and what is known of each token, as columns.
///
/// D documents and N tokens. A column that is nil is absent for every document; one that is there covers all of them.
/// Spans are pairs of half-open byte offsets in the document's text.
public struct RecordBatch: Sendable {
    /// (D) UTF-8.
    public var documentIDs: [[UInt8]] = []
    /// (D+1) first tokens; 0 first, N last, never falling.
    public var documentSplits: [Int] = [0]
    /// (D) XXH64 of each document's text.
    public var textHashes: [UInt64]?
    /// (N)
    public var inputIDs: [UInt32] = []
    /// (N, 2) the bytes of the text that a token stands for.
    public var offsets: [UInt32]?
    /// (N) natural log of p(token | before); NaN where the token has no context.
    public var logProbs: [Float]?
    /// (N, 2) the teacher's tokens that a token is aligned with, within the document; empty when unmapped.
    public var teacherRanges: [UInt32]?
    /// (N) nats; NaN when unmapped.
    public var teacherLosses: [Float]?

    public init() {}

    public var documentCount: Int { documentIDs.count }
    public var tokenCount: Int { inputIDs.count }

    /// The tokens of a document, as a range of positions in the batch.
    public func tokens(of document: Int) -> Range<Int> {
        documentSplits[document]..<documentSplits[document + 1]
    }

    /// Ends a document with the tokens appended to the columns since the one before; the columns are the caller's to fill.
    public mutating func endDocument(id: [UInt8]) {
        documentIDs.append(id)
        documentSplits.append(inputIDs.count)
    }

    /// Appends a document. A column given for the first document must be given for all, and the reverse.
    public mutating func append(
        id: [UInt8], inputIDs ids: some Collection<UInt32>, offsets spans: [UInt32]? = nil, textHash: UInt64? = nil,
        logProbs scores: [Float]? = nil, teacherRanges ranges: [UInt32]? = nil, teacherLosses losses: [Float]? = nil
    ) {
        let isFirst = documentCount == 0
        func extend<Element>(_ column: inout [Element]?, _ more: [Element]?) {
            if isFirst { column = more == nil ? nil : column ?? [] }
            precondition((column == nil) == (more == nil), "bug: a column that not every document has")
            if let more { column?.append(contentsOf: more) }
        }
        extend(&offsets, spans)
        extend(&textHashes, textHash.map { [$0] })
        extend(&logProbs, scores)
        extend(&teacherRanges, ranges)
        extend(&teacherLosses, losses)
        inputIDs.append(contentsOf: ids)
        endDocument(id: id)
    }

    /// Appends documents of another batch with the same columns.
    public mutating func append(_ other: RecordBatch, documents: Range<Int>) {
        let tokens = other.documentSplits[documents.lowerBound]..<other.documentSplits[documents.upperBound]
        let isFirst = documentCount == 0
        func extend<Element>(_ column: inout [Element]?, _ more: [Element]?, _ range: Range<Int>) {
            if isFirst { column = more == nil ? nil : column ?? [] }
            precondition((column == nil) == (more == nil), "bug: batches with different columns")
            if let more { column?.append(contentsOf: more[range]) }
        }
        let pairs = 2 * tokens.lowerBound..<2 * tokens.upperBound
        extend(&textHashes, other.textHashes, documents)
        extend(&offsets, other.offsets, pairs)
        extend(&logProbs, other.logProbs, tokens)
        extend(&teacherRanges, other.teacherRanges, pairs)
        extend(&teacherLosses, other.teacherLosses, tokens)
        let shift = inputIDs.count - tokens.lowerBound
        inputIDs.append(contentsOf: other.inputIDs[tokens])
        documentIDs.append(contentsOf: other.documentIDs[documents])
        for document in documents { documentSplits.append(other.documentSplits[document + 1] + shift) }
    }

    /// Some of the documents, as a batch of their own.
    public func slice(_ documents: Range<Int>) -> RecordBatch {
        var part = RecordBatch()
        part.append(self, documents: documents)
        return part
    }

    /// Forgets the documents and keeps the memory and which columns there are.
    public mutating func removeAll() {
        documentIDs.removeAll(keepingCapacity: true)
        documentSplits.removeAll(keepingCapacity: true)
        documentSplits.append(0)
        inputIDs.removeAll(keepingCapacity: true)
        textHashes?.removeAll(keepingCapacity: true)
        offsets?.removeAll(keepingCapacity: true)
        logProbs?.removeAll(keepingCapacity: true)
        teacherRanges?.removeAll(keepingCapacity: true)
        teacherLosses?.removeAll(keepingCapacity: true)
    }
}
