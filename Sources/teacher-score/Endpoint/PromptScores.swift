// A server's answer: the log-probability of every token of a prompt, and the most probable ones in its place.

import Glibc
import Streams

/// What is known of the positions of a prompt.
struct PromptScores {
    /// Natural log p; NaN where there is none.
    var logProbs: [Float]
    /// Ids with natural log p, falling, the lower id first among equal ones; empty where there are none, or none were asked for.
    var top: [[(id: UInt32, logProb: Float)]]

    /// A prompt's scores before anything is known.
    init(count: Int) {
        logProbs = [Float](repeating: .nan, count: count)
        top = [[(id: UInt32, logProb: Float)]](repeating: [], count: count)
    }
}

/// Reads answers of one dialect; for one thread.
struct AnswerReader {
    let dialect: Dialect
    /// As messages name it.
    let server: String
    let tokens: ServerTokens
    /// Where `top` is wanted of a server that names tokens by strings.
    let stringIDs: StringIDs?
    let vocabularySize: Int
    let top: Int

    /// Throws 65 for an answer of another form, other tokens, or a number that is no log-probability.
    func scores(_ root: JSONValue, of prompt: Prompt) throws -> PromptScores {
        guard let choice = root["choices"]?.elements.first else { throw malformed("has no 'choices'") }
        return dialect == .vllm ? try byID(choice, prompt) : try byString(choice, root["usage"], prompt)
    }

    private func malformed(_ words: String) -> Failure {
        Failure(.badData, server, "the answer \(words)", hint: "--dialect \(dialect.rawValue) is not what this server speaks")
    }

    // MARK: vLLM

    /// `[null, {"123": {"logprob": -1.5, "rank": 3, "decoded_token": " a"}, ...}, ...]`
    private func byID(_ choice: JSONValue, _ prompt: Prompt) throws -> PromptScores {
        guard let list = choice["prompt_logprobs"], list.kind == .array else { throw malformed("has no 'prompt_logprobs'") }
        guard list.count == prompt.ids.count else {
            throw Failure(
                .badData, server,
                "document '\(printable(prompt.document))': scores of \(list.count) tokens came back for \(prompt.ids.count) that were sent")
        }
        var scores = PromptScores(count: prompt.ids.count)
        // The first has nothing before it.
        for position in 1..<max(1, prompt.ids.count) {
            let (entries, id) = (list[position], prompt.ids[position])
            let place = prompt.place(position, server)
            guard let own = entries[String(id)] else {
                throw Failure(.badData, server, "\(place): the id that was sent, \(id), is not among those that came back")
            }
            guard let string = own["decoded_token"]?.bytes else {
                throw Failure(
                    .badData, server, "\(place): no 'decoded_token' of id \(id), so the server's token cannot be checked",
                    hint: "the server must run with its tokenizer")
            }
            try tokens.check(string, id, .given, at: place)
            scores.logProbs[position] = try logProbability(own["logprob"], of: id, at: place)
            if top > 0 { scores.top[position] = try ranked(entries, place) }
        }
        return scores
    }

    private func ranked(_ entries: JSONValue, _ place: TokenPlace) throws -> [(id: UInt32, logProb: Float)] {
        var list: [(id: UInt32, logProb: Float)] = []
        try entries.forEachEntry { key, entry in
            guard let id = UInt32(String(decoding: key, as: UTF8.self)) else {
                throw Failure(.badData, server, "\(place): '\(printable(key))' is no id")
            }
            guard let value = entry["logprob"]?.number, value <= 1e-3 else { throw noScore(entry["logprob"], id, place) }
            // What has no probability is not among the most probable, and rows past the vocabulary, which models have, stand for no text.
            if value > AnswerReader.impossible, Int(id) < vocabularySize { list.append((id, Float(value))) }
        }
        return try best(list, place)
    }

    // MARK: OpenAI

    /// `{"tokens": [" a", ...], "token_logprobs": [null, -1.5, ...], "top_logprobs": [null, {" a": -1.5, ...}, ...]}`
    private func byString(_ choice: JSONValue, _ usage: JSONValue?, _ prompt: Prompt) throws -> PromptScores {
        guard let lists = choice["logprobs"], let strings = lists["tokens"], let values = lists["token_logprobs"], strings.kind == .array,
            values.count == strings.count
        else { throw malformed("has no 'logprobs' with 'tokens' and as many 'token_logprobs'") }
        let hidden = try hiddenTokens(shown: strings.count, usage, prompt)
        var scores = PromptScores(count: prompt.ids.count)
        for position in hidden..<prompt.ids.count {
            let (entry, id) = (position - hidden, prompt.ids[position])
            let place = prompt.place(position, server)
            guard let string = strings[entry].bytes else { throw malformed("has 'tokens' that are no strings") }
            let isBOS = position == 0 && prompt.hasBOS
            if !isBOS { try tokens.check(string, id, isGiven(position, prompt) ? .given : .cut, at: place) }
            // Servers give nothing for the first that they show, even where they hide the one before it.
            if position == 0 || entry == 0 && values[0].isNull { continue }
            scores.logProbs[position] = try logProbability(values[entry], of: id, at: place)
            guard top > 0 else { continue }
            guard let candidates = lists["top_logprobs"], candidates.count == strings.count else {
                throw malformed("has no 'top_logprobs' for every token")
            }
            scores.top[position] = try named(candidates[entry], own: id, string, place)
        }
        return scores
    }

    /// The first token of a text may be shown without the space that its vocabulary puts there.
    private func isGiven(_ position: Int, _ prompt: Prompt) -> Bool {
        dialect == .echo || prompt.firstToken + position == 0
    }

    /// How many tokens at the prompt's beginning the answer leaves out: none, or the beginning-of-sequence token.
    private func hiddenTokens(shown: Int, _ usage: JSONValue?, _ prompt: Prompt) throws -> Int {
        let sent = prompt.ids.count
        let document = "document '\(printable(prompt.document))'"
        if let read = usage?["prompt_tokens"]?.integer, read != sent {
            let hint: String? =
                dialect != .text
                ? nil
                : read == sent + 1 && !prompt.hasBOS
                    ? "the server puts its beginning-of-sequence token in front: --bos always"
                    : "the server cuts the text into other tokens: is --tokenizer its vocabulary?"
            throw Failure(.badData, server, "\(document): the server read \(read) tokens of \(sent)", hint: hint)
        }
        // Servers that stop at an end-of-sequence token may show no generated one, and some generate until a character is whole.
        let generated = usage?["completion_tokens"]?.integer ?? (shown > sent ? 1 : 0)
        let own = shown - generated
        if own == sent, generated > 0 || prompt.hasBOS || dialect == .echo { return 0 }
        if own == sent - 1, prompt.hasBOS { return 1 }
        let isShifted = !prompt.hasBOS && (own == sent - 1 || own == sent)
        throw Failure(
            .badData, server, "\(document): scores of \(own) tokens came back for \(sent) that were sent",
            hint: isShifted
                ? "llama-cpp-python counts places right behind a beginning-of-sequence token only: --bos always" : nil)
    }

    /// The most probable tokens of those that came by name. A name that several ids have stands for none of them, and the token of the
    /// prompt, which servers add where it is none of the most probable, counts where it must be one of them.
    private func named(
        _ candidates: JSONValue, own id: UInt32, _ string: [UInt8], _ place: TokenPlace
    ) throws -> [(id: UInt32, logProb: Float)] {
        guard candidates.kind == .object else { throw malformed("has 'top_logprobs' that are no objects") }
        var list: [(id: UInt32, logProb: Float)] = []
        var seen: Set<UInt32> = []
        var (mine, least, nameless) = (Float.infinity, Float.infinity, 0)
        try candidates.forEachEntry { key, value in
            let name = Array(key)
            let isOwn = name.elementsEqual(string)
            guard let number = value.number, number <= 1e-3 else { throw noScore(value, id, place) }
            least = min(least, Float(number))
            guard let found = isOwn ? id : stringIDs?.id(of: name), Int(found) < vocabularySize else {
                nameless += 1
                return
            }
            if isOwn { mine = Float(number) }
            if number > AnswerReader.impossible, seen.insert(found).inserted { list.append((found, Float(number))) }
        }
        if mine == least, nameless > 0 || candidates.count > top { list.removeAll { $0.id == id } }
        return try best(list, place)
    }

    // MARK: Numbers

    /// What vLLM writes for log 0.
    private static let impossible = -9999.0

    /// Throws 65 where the entries are no part of a distribution.
    private func best(_ list: [(id: UInt32, logProb: Float)], _ place: TokenPlace) throws -> [(id: UInt32, logProb: Float)] {
        let mass = list.reduce(0) { $0 + exp(Double($1.logProb)) }
        guard mass <= 1.01 else {
            throw Failure(.badData, server, "\(place): the probabilities of \(list.count) tokens add up to \(mass)")
        }
        return Array(list.sorted { $0.logProb != $1.logProb ? $0.logProb > $1.logProb : $0.id < $1.id }.prefix(top))
    }

    private func logProbability(_ value: JSONValue?, of id: UInt32, at place: TokenPlace) throws -> Float {
        guard let number = value?.number, number <= 1e-3, number > AnswerReader.impossible else { throw noScore(value, id, place) }
        return Float(number)
    }

    private func noScore(_ value: JSONValue?, _ id: UInt32, _ place: TokenPlace) -> Failure {
        let found = value?.number.map { "\($0)" } ?? (value == nil ? "nothing" : "no number")
        return Failure(.badData, server, "\(place): \(found) as the log-probability of id \(id)")
    }
}
