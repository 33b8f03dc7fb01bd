// Scores whole documents: the beginning-of-sequence token, windows for long ones, and batches of bounded size.

/// Log-probabilities of documents under a model, in memory that depends on the batch, not on the corpus.
public final class DocumentScorer {
    private let scorer: Scorer
    private let bosID: UInt32?
    private let window: Int
    private let stride: Int
    private let batchTokens: Int

    /// - bosID: put in front of every document as context; nil leaves the first token without a score (NaN).
    /// - window, stride: positions read at once, and the new ones that each further window scores.
    /// - batchTokens: positions that the model reads in one go; results do not depend on it.
    public init(_ scorer: Scorer, bosID: UInt32?, window: Int, stride: Int, batchTokens: Int = 2048) {
        self.scorer = scorer
        self.bosID = bosID
        self.window = window
        self.stride = stride
        self.batchTokens = batchTokens
    }

    /// log p(ids[t] | the tokens before it in its document), natural logarithm, per token.
    ///
    /// - ids: (N); document d is `splits[d]..<splits[d + 1]`. Result: (N), NaN where a token has no context.
    /// - afterBatch: called with the number of positions read; may throw to stop between batches.
    public func logProbabilities(
        ids: [UInt32], splits: [Int], afterBatch: (Int) throws -> Void = { _ in }
    ) throws -> [Float] {
        var result = [Float](repeating: .nan, count: ids.count)
        var batch = Batch()
        for document in 0..<max(0, splits.count - 1) {
            let first = splits[document]
            let lead = bosID == nil ? 0 : 1
            let length = splits[document + 1] - first + lead
            for window in scoringWindows(length: length, window: window, stride: stride) {
                if !batch.isEmpty && batch.ids.count + window.read.count > batchTokens {
                    try flush(&batch, into: &result, afterBatch)
                }
                batch.append(window, of: ids, from: first - lead, bosID: bosID)
            }
        }
        try flush(&batch, into: &result, afterBatch)
        return result
    }

    private func flush(_ batch: inout Batch, into result: inout [Float], _ afterBatch: (Int) throws -> Void) throws {
        guard !batch.isEmpty else { return }
        let scores = scorer.logProbabilities(ids: batch.ids, splits: batch.splits)
        for (segment, piece) in batch.pieces.enumerated() {
            let base = batch.splits[segment]
            for position in piece.window.scoredFrom..<piece.window.read.upperBound {
                let token = piece.origin + position
                if token >= piece.firstToken { result[token] = scores[base + position - piece.window.read.lowerBound] }
            }
        }
        let count = batch.ids.count
        batch = Batch()
        try afterBatch(count)
    }

    /// Segments that the model reads together.
    private struct Batch {
        struct Piece {
            var window: ScoringWindow
            /// Token index of position 0; one before the document's first token when a BOS leads.
            var origin: Int
            var firstToken: Int
        }
        var ids: [UInt32] = []
        var splits: [Int] = [0]
        var pieces: [Piece] = []
        var isEmpty: Bool { pieces.isEmpty }

        mutating func append(_ window: ScoringWindow, of source: [UInt32], from origin: Int, bosID: UInt32?) {
            var read = window.read
            if let bosID, read.lowerBound == 0 {
                ids.append(bosID)
                read = 1..<read.upperBound
            }
            ids.append(contentsOf: source[(origin + read.lowerBound)..<(origin + read.upperBound)])
            splits.append(ids.count)
            pieces.append(Piece(window: window, origin: origin, firstToken: bosID == nil ? origin : origin + 1))
        }
    }
}
