// Batches on their way through a server: cut into windows, put together again in order.

import Compute
import Glibc
import Streams

/// A batch and the columns of its scores, which grow in the order of the tokens.
final class ScoringJob {
    let batch: RecordBatch
    private let wanted: DistributionRequest.Top?
    private var logProbs: [Float] = []
    private var top = TokenEntries()
    private var keptMasses: [Float] = []

    init(_ batch: RecordBatch, _ wanted: DistributionRequest.Top?) {
        self.batch = batch
        self.wanted = wanted
    }

    /// Takes some positions of a window's scores. Returns how many.
    func take(_ scores: PromptScores, from first: Int) -> Int {
        guard first < scores.logProbs.count else { return 0 }
        logProbs += scores.logProbs[first...]
        if let wanted {
            for position in first..<scores.logProbs.count {
                keep(scores.top[position], wanted)
                if scores.logProbs[position].isNaN { keptMasses[keptMasses.count - 1] = .nan }
            }
        }
        return scores.logProbs.count - first
    }

    /// The smallest set with enough mass, and of it so many at most.
    private func keep(_ entries: [(id: UInt32, logProb: Float)], _ wanted: DistributionRequest.Top) {
        var kept = 0.0
        for entry in entries.prefix(wanted.count) {
            top.append(id: entry.id, value: entry.logProb)
            kept += exp(Double(entry.logProb))
            // At 1 the count alone decides.
            if wanted.mass < 1, kept >= wanted.mass { break }
        }
        top.endToken()
        keptMasses.append(Float(min(kept, 1)))
    }

    /// The batch with its scores.
    func finished() -> RecordBatch {
        precondition(logProbs.count == batch.tokenCount, "bug: \(logProbs.count) scores of \(batch.tokenCount) tokens")
        var result = batch
        result.logProbs = logProbs
        if wanted != nil {
            result.top = top
            result.keptMasses = keptMasses
        }
        return result
    }
}

/// A window of a document of a batch.
struct ScoringPiece {
    let job: ScoringJob
    /// The window's positions count a beginning-of-sequence token, if any. Nil for a batch without tokens.
    let stretch: (document: Int, window: ScoringWindow)?
    /// Whether the batch ends with it.
    var isLast = false

    /// - lead: 1 where documents are led by a beginning-of-sequence token.
    func scores(by scorer: PromptScorer, lead: Int) throws -> PromptScores {
        guard let (document, window) = stretch else { return PromptScores(count: 0) }
        let tokens = job.batch.tokens(of: document)
        let leads = lead == 1 && window.read.lowerBound == 0
        let first = leads ? 0 : window.read.lowerBound - lead
        let ids = job.batch.inputIDs[tokens.lowerBound + first..<tokens.lowerBound + window.read.upperBound - lead]
        return try scorer.scores(ids, firstToken: first, leads: leads, document: job.batch.documentIDs[document])
    }

    /// The first position of the scores that counts: it is no context, and a token of the document.
    func newPositions(lead: Int) -> Int {
        stretch.map { max($0.window.scoredFrom, lead) - $0.window.read.lowerBound } ?? 0
    }
}

/// Gives the pieces of batches one by one; called by one thread at a time.
final class PieceSource {
    private let nextBatch: () throws -> RecordBatch?
    private let cut: (RecordBatch) throws -> [ScoringPiece]
    private var waiting: [ScoringPiece] = []
    private var given = 0

    init(_ next: @escaping () throws -> RecordBatch?, cut: @escaping (RecordBatch) throws -> [ScoringPiece]) {
        nextBatch = next
        self.cut = cut
    }

    func next() throws -> ScoringPiece? {
        if given == waiting.count {
            guard let batch = try nextBatch() else { return nil }
            (waiting, given) = (try cut(batch), 0)
        }
        given += 1
        return waiting[given - 1]
    }
}
