// A model opened for scoring: its policy, its windows, and the checks that records are its own.

import Compute
import Streams

/// A loaded model with a fixed context policy, ready to score records.
public final class ScoringModel {
    public let loaded: LoadedModel
    /// The token put in front of every document; nil for none.
    public let bosID: UInt32?
    public let window: Int
    /// New tokens in each further window of a long document.
    public let stride: Int
    /// Whether documents are cut as lm-evaluation-harness does.
    public let isRolling: Bool
    /// The numbers that matrix products multiply.
    public let precision: Precision
    private let scorer: DocumentScorer
    /// Whether a document's first token has a score.
    private let scoresFirst: Bool

    /// - window: positions read at once; nil is the model's own limit (`LoadedModel.defaultWindow`). - stride: nil is half the window.
    /// - rollingPrefix: cut as lm-evaluation-harness does, with this token in front of every document; `bosID` is then the caller's to put
    ///   behind it (`rollingWindows`).
    /// - Throws: 65 for a bad model, one of a single position, a window beyond its limit, or a forced BOS that it does not have.
    public init(
        _ loaded: LoadedModel, bos: SpecialTokenPolicy, window: Int?, stride: Int?, rollingPrefix: UInt32? = nil, pool: ThreadPool,
        precision: Precision = .float32
    ) throws {
        self.loaded = loaded
        self.precision = precision
        let limit = loaded.maximumPositions
        guard limit >= 2 else {
            throw Failure(.badData, loaded.name, .whole, "the model has 1 position: a token is scored from one before it, which takes 2")
        }
        self.window = window ?? loaded.defaultWindow
        guard self.window <= limit else {
            throw Failure(
                .badData, loaded.name, .whole, "a window of \(self.window) tokens exceeds the model's limit of \(limit) positions")
        }
        isRolling = rollingPrefix != nil
        self.stride = isRolling ? self.window : min(stride ?? max(1, self.window / 2), self.window)
        bosID = try bos.resolve(
            id: loaded.bosID, asked: loaded.addsBOS ?? false, token: "beginning-of-sequence", subject: loaded.name)
        scorer = DocumentScorer(
            Scorer(loaded.model, operations: CPUOperations(pool: pool, precision: precision)), bosID: rollingPrefix ?? bosID,
            window: self.window, stride: isRolling ? nil : self.stride)
        scoresFirst = rollingPrefix ?? bosID != nil
    }

    /// What scoring holds at most, with documents as long as the window.
    public func memory(threads: Int) -> MemoryEstimate {
        let parameterBytes = loaded.model.parameters.reduce(0) { $0 + $1.weight.bytes }
        return loaded.model.configuration.scoringMemory(longest: window, threads: threads, parameterBytes: parameterBytes)
    }

    /// Refuses a stream whose vocabulary has more tokens than the model.
    public func check(_ header: StreamHeader, of name: String) throws {
        try header.expectVocabulary(
            atMost: loaded.model.configuration.vocabularySize, in: name,
            hint: "tokenize with the model's own vocabulary: tokenize --tokenizer \(loaded.name) …")
    }

    /// Refuses ids outside the model's vocabulary.
    public func check(_ batch: RecordBatch, in reader: RecordReader) throws {
        try batch.expectIDs(
            below: loaded.model.configuration.vocabularySize, in: reader, hint: "tokenize with the model's own vocabulary")
    }

    /// log p of every token of the batch, natural logarithm; NaN where a token has nothing before it.
    public func logProbabilities(of batch: RecordBatch, afterBatch: (Int) throws -> Void = { _ in }) throws -> [Float] {
        try scores(of: batch, DistributionRequest(), keys: [], afterBatch).logProbs
    }

    /// The batch with `logProbs` and what is asked of the distributions. The draws of a document depend on its id and the seed.
    public func scored(
        _ batch: RecordBatch, _ request: DistributionRequest, seed: UInt64, afterBatch: (Int) throws -> Void = { _ in }
    ) throws -> RecordBatch {
        let keys = request.draws == 0 ? [] : batch.documentIDs.map { XXH64.hash($0, seed: seed) }
        let (logProbs, found) = try scores(of: batch, request, keys: keys, afterBatch)
        var batch = batch
        batch.logProbs = logProbs
        if request.top != nil {
            // As a tensor stream keeps them, so that every encoding has the same.
            var top = TokenEntries(found.top)
            for entry in top.values.indices { top.values[entry] = Float(max(Float16(top.values[entry]), -Float16.greatestFiniteMagnitude)) }
            batch.top = top
            batch.keptMasses = found.keptMasses
        }
        if request.draws > 0 { batch.sampled = TokenEntries(found.sampled) }
        if request.statistics {
            batch.entropies = found.entropies
            batch.logitDeviations = found.logitDeviations
            batch.powerSums = found.powerSums
        }
        return batch
    }

    private func scores(
        of batch: RecordBatch, _ request: DistributionRequest, keys: [UInt64], _ afterBatch: (Int) throws -> Void
    ) throws -> (logProbs: [Float], distributions: Distributions) {
        let found = try scorer.scores(
            ids: batch.inputIDs, splits: batch.documentSplits, keys: keys, request, afterBatch: afterBatch)
        try loaded.checkUnchanged()
        for document in 0..<batch.documentCount {
            let tokens = batch.tokens(of: document)
            let scored = scoresFirst ? tokens[...] : tokens.dropFirst()
            // Rounding may leave a hair above zero; NaN fails the comparison.
            guard let bad = scored.first(where: { !(found.logProbs[$0] <= 1e-3 && found.logProbs[$0] > -.infinity) }) else { continue }
            throw Failure(
                .badData, loaded.name, .whole,
                "gives no finite score to token \(bad - tokens.lowerBound) of document '\(printable(batch.documentIDs[document]))'",
                hint: "the weights hold NaN or infinite values, or overflow float32")
        }
        return found
    }
}

extension TokenEntries {
    fileprivate init(_ rows: SparseRows) {
        self.init()
        (splits, ids, values) = (rows.splits, rows.ids, rows.values)
    }
}
