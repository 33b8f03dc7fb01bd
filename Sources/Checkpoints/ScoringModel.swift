// A model opened for scoring: its policy, its windows, and the checks that records are its own.

import Compute
import Streams

/// A loaded model with a fixed context policy, ready to score records.
public final class ScoringModel {
    public let loaded: LoadedModel
    /// The token put in front of every document; nil for none.
    public let bosID: UInt32?
    public let window: Int
    public let stride: Int
    /// The numbers that matrix products multiply.
    public let precision: Precision
    private let scorer: DocumentScorer

    /// - window: positions read at once; nil is the model's own limit (`LoadedModel.defaultWindow`). - stride: nil is half the window.
    /// - Throws: 65 for a bad model, a window beyond its limit, or a forced BOS that it does not have.
    public init(
        _ loaded: LoadedModel, bos: SpecialTokenPolicy, window: Int?, stride: Int?, pool: ThreadPool, precision: Precision = .float32
    ) throws {
        self.loaded = loaded
        self.precision = precision
        let limit = loaded.maximumPositions
        self.window = window ?? loaded.defaultWindow
        guard self.window <= limit else {
            throw Failure(
                .badData, loaded.name, .whole, "a window of \(self.window) tokens exceeds the model's limit of \(limit) positions")
        }
        self.stride = min(stride ?? max(1, self.window / 2), self.window)
        bosID = try bos.resolve(
            id: loaded.bosID, asked: loaded.addsBOS ?? false, token: "beginning-of-sequence", subject: loaded.name)
        scorer = DocumentScorer(
            Scorer(loaded.model, operations: CPUOperations(pool: pool, precision: precision)), bosID: bosID, window: self.window,
            stride: self.stride)
    }

    /// What scoring holds at most, with documents as long as the window.
    public func memory(threads: Int) -> MemoryEstimate {
        let parameterBytes = loaded.model.parameters.reduce(0) { $0 + $1.weight.bytes }
        return loaded.model.configuration.scoringMemory(longest: window, threads: threads, parameterBytes: parameterBytes)
    }

    /// Refuses a stream whose vocabulary has another size than the model's.
    ///
    /// A vocabulary smaller than the model's is accepted: models pad theirs.
    public func check(_ header: StreamHeader, of name: String) throws {
        guard let text = header["vocabulary_size"], let size = Int(text) else { return }
        let mine = loaded.model.configuration.vocabularySize
        guard size <= mine else {
            throw Failure(
                .badData, name, .whole, "the stream's vocabulary has \(size) tokens, the model's \(mine)",
                hint: "tokenize with the model's own vocabulary: tokenize --tokenizer \(loaded.name) …")
        }
    }

    /// Refuses ids outside the model's vocabulary.
    public func check(_ batch: RecordBatch, in reader: RecordReader) throws {
        let size = loaded.model.configuration.vocabularySize
        if let id = batch.inputIDs.max(), Int(id) >= size {
            throw Failure(
                .badData, reader.name, reader.lastPlace, "token id \(id) is outside the model's vocabulary of \(size)",
                hint: "tokenize with the model's own vocabulary")
        }
    }

    /// log p of every token of the batch, natural logarithm; NaN where a token has nothing before it.
    public func logProbabilities(of batch: RecordBatch, afterBatch: (Int) throws -> Void = { _ in }) throws -> [Float] {
        let scores = try scorer.logProbabilities(
            ids: batch.inputIDs, splits: batch.documentSplits, afterBatch: afterBatch)
        for document in 0..<batch.documentCount {
            let tokens = batch.tokens(of: document)
            let scored = bosID == nil ? tokens.dropFirst() : tokens[...]
            // Rounding may leave a hair above zero; NaN fails the comparison.
            guard let bad = scored.first(where: { !(scores[$0] <= 1e-3 && scores[$0] > -.infinity) }) else { continue }
            throw Failure(
                .badData, loaded.name, .whole,
                "gives no finite score to token \(bad - tokens.lowerBound) of document '\(printable(batch.documentIDs[document]))'",
                hint: "the weights hold NaN or infinite values, or overflow float32")
        }
        return scores
    }
}
