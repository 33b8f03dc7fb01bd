// Scores prompts with a server in one of its dialects, and finds out which it speaks.

import Streams
import Text

/// What all threads that score with a server agree on.
struct EndpointPlan: Sendable {
    let server: CompletionsServer
    let model: String
    let dialect: Dialect
    /// What stands for the beginning-of-sequence token in a text; empty where the server puts it there itself.
    let leadingText: [UInt8]
    let bosID: UInt32?
    let stringIDs: StringIDs?
    /// How many of the most probable tokens are asked for; 0 for none.
    let top: Int
}

/// A connection with what reads its answers; for one thread.
final class PromptScorer {
    private let plan: EndpointPlan
    private let tokenizer: Tokenizer
    private let connection: PatientConnection
    private let reader: AnswerReader

    init(_ plan: EndpointPlan, _ tokenizer: Tokenizer, _ connection: PatientConnection) {
        self.plan = plan
        self.tokenizer = tokenizer
        self.connection = connection
        reader = AnswerReader(
            dialect: plan.dialect, server: plan.server.address.base, tokens: ServerTokens(tokenizer), stringIDs: plan.stringIDs,
            vocabularySize: tokenizer.vocabularySize, top: plan.top)
    }

    /// The scores of tokens of a document, as they stand in it or behind the beginning-of-sequence token.
    ///
    /// - firstToken: the place of the first of `ids` in its document. - leads: whether the beginning-of-sequence token goes in front, which
    /// the result then begins with. Throws as `CompletionsServer.complete` and `AnswerReader.scores` do.
    func scores(_ ids: ArraySlice<UInt32>, firstToken: Int, leads: Bool, document: [UInt8]) throws -> PromptScores {
        let lead = leads ? plan.bosID.map { [$0] } ?? [] : []
        var prompt = Prompt(
            ids: lead + ids, hasBOS: !lead.isEmpty, text: nil, document: document, firstToken: firstToken - lead.count)
        // One token has nothing before it, and nothing is asked of none.
        guard prompt.ids.count > 1 else { return PromptScores(count: prompt.ids.count) }
        if plan.dialect == .text { prompt.text = (lead.isEmpty ? [] : plan.leadingText) + (try text(ids, document)) }
        return try reader.scores(answer(prompt), of: prompt)
    }

    private func answer(_ prompt: Prompt) throws -> JSONValue {
        try plan.server.complete(
            prompt.request(plan.dialect, model: plan.model, top: plan.top), entries: prompt.ids.count * (max(plan.top, 1) + 2), connection)
    }

    private func text(_ ids: ArraySlice<UInt32>, _ document: [UInt8]) throws -> [UInt8] {
        let text = try tokenizer.decode(Array(ids))
        guard ServerTokens.wholeCharacters(text).count == text.count else {
            throw Failure(
                .badData, plan.server.address.base,
                "document '\(printable(document))': its tokens are not valid UTF-8, and the server takes text only",
                hint: "a server that takes ids scores any tokens")
        }
        return text
    }

    /// The tokens that the server counts in a text; nil where it does not say.
    fileprivate func tokensRead(in text: String) throws -> Int? {
        let prompt = Prompt(ids: [], hasBOS: false, text: Array(text.utf8), document: [], firstToken: 0)
        return try plan.server.complete(prompt.request(.text, model: plan.model, top: 0), entries: 1024, connection)["usage"]?[
            "prompt_tokens"]?
            .integer
    }
}

extension EndpointPlan {
    /// Asks the server about a few words in each dialect, until one gives what it should.
    ///
    /// Throws what the server said: 66 where it is not there or wants a key, else 65 with each refusal.
    static func find(
        _ dialects: [Dialect], _ server: CompletionsServer, model: String, bosID: UInt32?, top: Int, _ tokenizer: Tokenizer
    ) throws -> EndpointPlan {
        // Nothing here passes by waiting: servers answer with status 500 to what they do not understand.
        let connection = try server.connect(refusing500: true)
        var refusals: [(dialect: Dialect, failure: Failure)] = []
        for dialect in dialects {
            do {
                return try trial(dialect, server, model: model, bosID: bosID, top: top, tokenizer, connection)
            } catch let failure as Failure {
                guard failure.status == .badData else { throw failure }
                refusals.append((dialect, failure))
            }
        }
        if refusals.count == 1 { throw refusals[0].failure }
        throw Failure(
            .badData, server.address.base,
            "gives no log-probabilities of prompts; "
                + refusals.map { "as \($0.dialect.rawValue): \($0.failure.message)" }.joined(separator: "; "),
            hint: refusals.last?.failure.hint
                ?? "vLLM gives them, and llama-cpp-python's server with --logits_all true; llama.cpp's own llama-server does not")
    }

    private static let trialText = "one two three"

    private static func trial(
        _ dialect: Dialect, _ server: CompletionsServer, model: String, bosID: UInt32?, top: Int, _ tokenizer: Tokenizer,
        _ connection: PatientConnection
    ) throws -> EndpointPlan {
        var sequence = TokenSequence()
        Array(trialText.utf8).withUnsafeBytes { tokenizer.encode($0, into: &sequence) }
        func plan(_ leadingText: [UInt8]) -> EndpointPlan {
            EndpointPlan(
                server: server, model: model, dialect: dialect, leadingText: leadingText, bosID: bosID,
                stringIDs: dialect == .vllm || top == 0 ? nil : StringIDs(tokenizer), top: top)
        }
        var found = plan([])
        if dialect == .text, let bosID {
            let read = try PromptScorer(found, tokenizer, connection).tokensRead(in: trialText)
            if read == sequence.ids.count { found = plan(tokenizer.bytes(of: bosID)) }
        }
        _ = try PromptScorer(found, tokenizer, connection).scores(
            sequence.ids[...], firstToken: 0, leads: true, document: Array("a trial".utf8))
        return found
    }
}
