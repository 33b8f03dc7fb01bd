// The loss on a stream that is not trained on.

import Compute
import Streams

/// What a model makes of held-out records.
struct HeldOutLoss: Equatable {
    var nats = 0.0
    var tokens = 0
    /// Bytes of the scored tokens; nil where records have no offsets.
    var bytes: Int? = 0

    var natsPerToken: Double { nats / Double(tokens) }
    /// Nats / (ln 2 × bytes of the tokens that were scored).
    var bitsPerByte: Double? { bytes.map { nats / (0.693_147_180_559_945_3 * Double($0)) } }
}

/// A stream of held-out tokens, and the model that is scored on it: the numbers of `evaluate perplexity` with its own windows.
struct HeldOut {
    private let path: String
    private let model: Model
    private let operations: any Operations
    private let bosID: UInt32?

    /// Opens the stream once, to refuse before the first step what cannot be read or has another vocabulary than the data.
    /// Throws `Failure` (66, 65).
    init(_ path: String, vocabulary: String?, model: Model, operations: any Operations, bosID: UInt32?) throws {
        (self.path, self.model, self.operations, self.bosID) = (path, model, operations, bosID)
        let reader = try OrderedPasses.open(path)
        guard reader.header["vocabulary_sha256"] == vocabulary else {
            throw Failure(.badData, path, .whole, "was made with another vocabulary than the data", hint: "tokenize both with the same one")
        }
    }

    /// The loss under the weights as they are now. Throws 65 for a bad stream, 75 when a signal asks to stop.
    func loss(isStopped: () -> Bool) throws -> HeldOutLoss {
        let reader = try OrderedPasses.open(path)
        let window = model.configuration.defaultWindow
        let scorer = DocumentScorer(
            Scorer(model, operations: operations), bosID: bosID, window: window, stride: max(1, window / 2))
        var sum = HeldOutLoss()
        while let records = try reader.next() {
            try records.expectIDs(
                below: model.configuration.vocabularySize, in: reader, hint: "tokenize with the vocabulary of the model that is trained")
            let scores = try scorer.logProbabilities(ids: records.inputIDs, splits: records.documentSplits) { _ in
                if isStopped() { throw Failure(.stopped, path, .whole, "stopped by a signal") }
            }
            if records.offsets == nil { sum.bytes = nil }
            for document in 0..<records.documentCount {
                var nats = 0.0
                for token in records.tokens(of: document) where !scores[token].isNaN {
                    nats -= Double(scores[token])
                    sum.tokens += 1
                    guard let offsets = records.offsets else { continue }
                    let length: UInt32 = offsets[2 * token + 1] - offsets[2 * token]
                    sum.bytes? += Int(length)
                }
                sum.nats += nats
            }
        }
        guard sum.tokens > 0 else { throw Failure(.badData, path, .whole, "holds no token that can be scored") }
        return sum
    }
}
