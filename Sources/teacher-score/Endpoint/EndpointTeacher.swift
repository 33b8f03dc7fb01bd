// A teacher that runs in another engine: windows of documents go to a server, several at a time, and come back in order.

import Command
import Compute
import Streams
import Synchronization
import Text

/// Scores with a completions server. Results do not depend on how many requests are under way.
final class EndpointTeacher: Teacher {
    private let plan: EndpointPlan
    private let window: Int
    private let stride: Int
    private let tokenizer: Tokenizer
    private let distributions: DistributionOptions
    private let scorers: [PromptScorer]

    /// Where the server does not say how much its model reads.
    private static let usualWindow = 2048

    /// Loads the vocabulary, and asks the server for its model and its dialect.
    ///
    /// Throws 65 for a server that gives no log-probabilities of prompts, 66 where it refuses us or there is no libcurl, 74 where it does
    /// not answer.
    init(_ options: EndpointOptions, _ view: WindowOptions, _ distributions: DistributionOptions, _ context: Context) throws {
        guard let address = options.address, let path = options.tokenizer else { preconditionFailure("bug: no endpoint") }
        let server = try CompletionsServer(address, policy: options.policy, timeout: options.timeout, tool: context.tool)
        let tokenizer = try Tokenizer.load(path)
        let facts = try server.model(named: options.endpointModel, server.connect())
        (window, stride) = try EndpointTeacher.windows(view, limit: facts.maximumLength, of: address.base)
        let bosID = try view.bos.resolve(
            id: tokenizer.bosID, asked: tokenizer.addsBOS, token: "beginning-of-sequence", subject: tokenizer.name)
        let plan = try EndpointPlan.find(
            options.dialect.tried, server, model: facts.name, bosID: bosID, top: distributions.request.top?.count ?? 0, tokenizer)
        scorers = try (0..<options.concurrency).map { _ in try PromptScorer(plan, tokenizer.duplicate(), server.connect()) }
        (self.plan, self.tokenizer, self.distributions) = (plan, tokenizer, distributions)
        context.note("\(name), dialect \(plan.dialect.rawValue), window \(window), \(HTTPConnection.library ?? "")")
    }

    /// The server's limit holds the token that is generated too.
    private static func windows(_ view: WindowOptions, limit: Int?, of server: String) throws -> (window: Int, stride: Int) {
        let window = view.window ?? limit.map { $0 - 1 } ?? usualWindow
        if let limit, window > limit - 1 || limit < 3 {
            throw Failure(
                .badData, server,
                "a window of \(window) tokens, with the one that is generated, does not fit the server's limit of \(limit)")
        }
        return (window, min(view.stride ?? max(1, window / 2), window))
    }

    var name: String { "\(plan.model) at \(plan.server.address.base)" }

    var facts: [(key: String, value: String?)] {
        [
            ("model", plan.model), ("endpoint", plan.dialect.rawValue), ("bos", plan.bosID.map { String($0) } ?? "none"),
            ("window", String(window)), ("stride", String(stride)), ("precision", "server"),
        ] + distributions.facts
    }

    // MARK: Checks

    func check(_ header: StreamHeader, of name: String) throws {
        let hint = "--tokenizer must name what 'tokenize' was given"
        if let found = header["vocabulary_sha256"], !found.utf8.elementsEqual(tokenizer.vocabularySHA256.utf8) {
            throw Failure(
                .badData, name,
                "made with the vocabulary \(printable(found)), expected \(tokenizer.vocabularySHA256) of '\(tokenizer.name)'",
                hint: hint)
        }
        if let size = header.integer("vocabulary_size"), size != tokenizer.vocabularySize {
            throw Failure(
                .badData, name, "the stream's vocabulary has \(size) tokens, that of '\(tokenizer.name)' \(tokenizer.vocabularySize)",
                hint: hint)
        }
    }

    func check(_ batch: RecordBatch, in reader: RecordReader) throws {
        try batch.expectIDs(
            below: tokenizer.vocabularySize, of: "the vocabulary", in: reader, hint: "--tokenizer must name what 'tokenize' was given")
    }

    // MARK: Scoring

    func scored(_ batch: RecordBatch, afterTokens: (Int) throws -> Void) throws -> RecordBatch {
        var (rest, result): (RecordBatch?, RecordBatch) = (batch, batch)
        try withoutActuallyEscaping(afterTokens) { afterTokens in
            try score(
                {
                    defer { rest = nil }
                    return rest
                }, afterTokens: afterTokens, write: { result = $0 })
        }
        return result
    }

    func score(
        _ next: @escaping () throws -> RecordBatch?, afterTokens: @escaping (Int) throws -> Void,
        write: @escaping (RecordBatch) throws -> Void
    ) throws {
        let pieces = PieceSource(next) { [self] in try self.pieces(of: $0) }
        let given = Atomic<Int>(0)
        let lead = plan.bosID == nil ? 0 : 1
        let work = OrderedWork<ScoringPiece, (ScoringPiece, PromptScores)>(
            threads: scorers.count, next: pieces.next,
            worker: { [scorers] in
                let scorer = scorers[given.wrappingAdd(1, ordering: .relaxed).oldValue]
                return { ($0, try $0.scores(by: scorer, lead: lead)) }
            },
            write: { [server = plan.server] piece, scores in
                let new = piece.job.take(scores, from: piece.newPositions(lead: lead))
                try server.voice.withLock { _ in try afterTokens(new) }
                if piece.isLast { try write(piece.job.finished()) }
            })
        try work.run()
    }

    /// The windows of a batch's documents. A batch without tokens has one of nothing, so that it is written in its turn.
    private func pieces(of batch: RecordBatch) throws -> [ScoringPiece] {
        let job = ScoringJob(batch, distributions.request.top)
        var pieces: [ScoringPiece] = []
        for document in 0..<batch.documentCount {
            let length = batch.tokens(of: document).count + (plan.bosID == nil ? 0 : 1)
            let windows = scoringWindows(length: length, window: window, stride: stride)
            if plan.dialect == .text, windows.count > 1 {
                throw Failure(
                    .badData, plan.server.address.base,
                    "document '\(printable(batch.documentIDs[document]))' has \(length) tokens, more than the window of \(window), and the "
                        + "server takes text only, of which windows cannot be cut",
                    hint: "give the server a larger context and say so with --window, or cut documents before they are tokenized")
            }
            pieces += windows.map { ScoringPiece(job: job, stretch: (document, $0)) }
        }
        if pieces.isEmpty { pieces = [ScoringPiece(job: job, stretch: nil)] }
        pieces[pieces.count - 1].isLast = true
        return pieces
    }
}
