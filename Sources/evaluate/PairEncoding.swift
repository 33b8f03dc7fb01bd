// A context and its continuation as tokens: what lm-evaluation-harness would hand to the model.

import Checkpoints
import Streams
import Text

/// A text with the special tokens that lm-evaluation-harness 0.4 puts around it (`HFLM.tok_encode`).
struct HarnessEncoder {
    let tokenizer: Tokenizer
    /// Put in front of a text, unless the text itself begins with the prefix token's string; nil for none.
    let bosID: UInt32?
    /// What stands before the first token of a text that has nothing else there: `HarnessEncoder.prefixID`.
    let prefixID: UInt32?
    private let prefixText: [UInt8]

    init(_ tokenizer: Tokenizer, bosID: UInt32?, prefixID: UInt32?) {
        (self.tokenizer, self.bosID, self.prefixID) = (tokenizer, bosID, prefixID)
        prefixText = prefixID.flatMap { Int($0) < tokenizer.vocabularySize ? tokenizer.bytes(of: $0) : nil } ?? []
    }

    /// BOS, or EOS where the vocabulary names none (`HFLM.prefix_token_id`); else those of the model. Nil where neither names one: texts
    /// that need it are refused then.
    static func prefixID(_ tokenizer: Tokenizer, _ model: LoadedModel) -> UInt32? {
        tokenizer.bosID ?? tokenizer.eosID ?? model.bosID ?? model.eosID
    }

    /// What is missing then, and what to do about it.
    static let noPrefix = ItemProblem(
        "the model names neither a beginning nor an end of text, which stands before a text without context",
        hint: "name one of its tokens in the vocabulary's folder: tokenizer_config.json, {\"eos_token\": \"…\"}")

    /// The tokens of a text, without anything around it where `isWhole` is false.
    func encode(_ text: [UInt8], isWhole: Bool = true) -> [UInt32] {
        var tokens = TokenSequence()
        text.withUnsafeBytes { tokenizer.encode($0, into: &tokens) }
        guard isWhole, let bosID, prefixText.isEmpty || !text.starts(with: prefixText) else { return tokens.ids }
        return [bosID] + tokens.ids
    }
}

/// Tokens of a context and of what follows it.
struct EncodedPair {
    /// All that the model is to read and to predict.
    var ids: [UInt32]
    /// Those of the continuation: ids[continuation...].
    var continuation: Int
    /// Tokens of the context that were cut off at its beginning.
    var truncated = 0
}

/// Encodes pairs as lm-evaluation-harness 0.4 does for a causal model (`TemplateLM.loglikelihood`, `_encode_pair`; `HFLM._loglikelihood_tokens`):
///
/// - White space at the context's end moves to the continuation.
/// - The context, and context and continuation together, are tokenized; the continuation's tokens are those of the whole behind as many as
///   the context has. They follow the tokens of the *context*, also where the whole begins with others.
/// - An empty context is the prefix token; a continuation that begins with that token has it as its context.
/// - Of a sequence longer than the window and one more, the last so many are kept: the model reads all but the last.
///
/// One difference: a context of nothing but white space, which ends the harness by an assertion, is taken for an empty one.
struct PairEncoder {
    let encoder: HarnessEncoder
    /// Tokens that the model reads at once.
    let window: Int
    private var lastContext: (text: [UInt8], ids: [UInt32])?

    init(_ encoder: HarnessEncoder, window: Int) {
        self.encoder = encoder
        self.window = window
    }

    /// Throws `ItemProblem` for a continuation that has no token of its own, or more than the window, and for `noPrefix`.
    mutating func encode(context: [UInt8], continuation: [UInt8]) throws -> EncodedPair {
        let kept = context.count - trailingWhiteSpace(context)
        let moved = Array(context[kept...]) + continuation
        var pair = try kept == 0 ? encodeAlone(moved) : encodeWhole(Array(context[..<kept]), moved)
        let length = pair.ids.count - pair.continuation
        guard length > 0 else { throw ItemProblem("the continuation \(quoted(continuation)) adds no token to its context") }
        guard length <= window else {
            throw ItemProblem("the continuation has \(length) tokens, more than the model's window of \(window)")
        }
        let excess = pair.ids.count - (window + 1)
        if excess > 0 {
            pair.ids.removeFirst(excess)
            pair.continuation -= excess
            pair.truncated = excess
        }
        return pair
    }

    private func encodeAlone(_ continuation: [UInt8]) throws -> EncodedPair {
        guard let prefixID = encoder.prefixID else { throw HarnessEncoder.noPrefix }
        let ids = encoder.encode(continuation, isWhole: false)
        return EncodedPair(ids: ids.first == prefixID ? ids : [prefixID] + ids, continuation: 1)
    }

    private mutating func encodeWhole(_ context: [UInt8], _ continuation: [UInt8]) -> EncodedPair {
        if lastContext?.text != context { lastContext = (context, encoder.encode(context)) }
        let start = lastContext?.ids ?? []
        let whole = encoder.encode(context + continuation)
        return EncodedPair(ids: start + whole.dropFirst(start.count), continuation: start.count)
    }
}
