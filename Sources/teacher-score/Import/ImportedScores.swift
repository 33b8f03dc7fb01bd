// The scores of one document as a line of NDJSON has them.

import Glibc
import Streams

/// Log-probabilities, and lists of the most probable tokens where the line has them.
struct ImportedScores {
    /// NaN for a first token that has none.
    private(set) var logProbs: [Float] = []
    private(set) var top: TokenEntries?
    private(set) var keptMasses: [Float] = []

    /// Reads `log_probs` or `token_logprobs`, and `top_ids` with `top_log_probs`.
    ///
    /// Throws 65 where a list has another length than the document, or holds what is no log-probability: null is for the first token.
    init(_ object: JSONValue, _ lines: ObjectLines, tokens: Int, vocabularySize: Int) throws {
        let keys = ["log_probs", "token_logprobs"].filter { object[$0] != nil }
        guard keys.count == 1, let key = keys.first, let list = object[key], list.kind == .array else {
            throw lines.failure(
                keys.count == 2 ? "has both 'log_probs' and 'token_logprobs'" : "field 'log_probs' is missing, or no array of numbers")
        }
        guard list.count == tokens else {
            throw lines.failure("'\(key)' has \(list.count) elements, the document has \(tokens) tokens")
        }
        for at in 0..<tokens {
            let value = list[at]
            let isNone = at == 0 && value.isNull
            logProbs.append(isNone ? .nan : try ImportedScores.logProbability(value, lines, "'\(key)': token \(at)"))
        }
        guard object["top_ids"] != nil || object["top_log_probs"] != nil else { return }
        guard let ids = object["top_ids"], let values = object["top_log_probs"], ids.kind == .array, ids.count == tokens,
            values.count == tokens
        else { throw lines.failure("'top_ids' and 'top_log_probs' must be arrays with a list for each of \(tokens) tokens") }
        top = TokenEntries()
        for at in 0..<tokens {
            try appendList(ids[at], values[at], lines, at, vocabularySize)
            if logProbs[at].isNaN { keptMasses[at] = .nan }
        }
    }

    private mutating func appendList(
        _ ids: JSONValue, _ values: JSONValue, _ lines: ObjectLines, _ at: Int, _ vocabularySize: Int
    ) throws {
        guard ids.count == values.count, [ids, values].allSatisfy({ $0.kind == .array || $0.isNull }) else {
            throw lines.failure("token \(at) has \(ids.count) elements in 'top_ids' and \(values.count) in 'top_log_probs'")
        }
        var entries: [(id: UInt32, logProb: Float)] = []
        for entry in 0..<ids.count {
            guard let id = ids[entry].integer, id >= 0, id < vocabularySize else {
                throw lines.failure("'top_ids': token \(at) has an element that is no id of the vocabulary of \(vocabularySize)")
            }
            entries.append((UInt32(id), try ImportedScores.logProbability(values[entry], lines, "'top_log_probs': token \(at)")))
        }
        var mass = 0.0
        // Equal ones, such as those that rounding made equal, stay as they stand.
        for (_, entry) in entries.enumerated().sorted(by: { ($1.element.logProb, $0.offset) < ($0.element.logProb, $1.offset) }) {
            top?.append(id: entry.id, value: entry.logProb)
            mass += exp(Double(entry.logProb))
        }
        guard Set(entries.map(\.id)).count == entries.count, mass <= 1.001 else {
            throw lines.failure(
                "the list of token \(at) is no part of a distribution: ids repeat, or their probabilities add up to \(mass)")
        }
        top?.endToken()
        keptMasses.append(Float(mass))
    }

    private static func logProbability(_ value: JSONValue, _ lines: ObjectLines, _ place: String) throws -> Float {
        guard let number = value.number, number <= 1e-3, Float(number).isFinite else {
            throw lines.failure("\(place) is \(value.number.map { "\($0)" } ?? "no number"), expected a finite log-probability")
        }
        return Float(number)
    }
}
