// Accuracies over items with their standard errors, and the lines that report them.

import Checkpoints
import Glibc
import Streams

/// Right answers among some.
struct Accuracy {
    private(set) var right = 0
    private(set) var count = 0

    mutating func add(_ isRight: Bool) {
        right += isRight ? 1 : 0
        count += 1
    }

    var mean: Double { Double(right) / Double(count) }

    /// √(p (1 − p) / (n − 1)): the sample's standard deviation over √n (`mean_stderr` of lm-evaluation-harness). NaN for a single item.
    var standardError: Double { (mean * (1 - mean) / Double(count - 1)).squareRoot() }

    func write(_ name: String, into line: inout JSONText) {
        line.member(name, mean)
        line.member(name + "_stderr", count > 1 ? standardError : .nan)
    }
}

/// What was found of all items. They are of one kind: with several choices, or targets.
struct ChoiceSums {
    private(set) var items = 0
    private(set) var truncatedItems = 0
    private(set) var accuracy = Accuracy()
    private(set) var byCharacters = Accuracy()
    private(set) var byBytes = Accuracy()
    /// Of targets: Σ and Σ of squares of the log-likelihoods, and their tokens.
    private var sum = 0.0
    private var squares = 0.0
    private var targetTokens = 0

    mutating func add(_ item: ChoiceItem, _ scored: ScoredItem) {
        items += 1
        truncatedItems += scored.truncated > 0 ? 1 : 0
        let verdict = Verdict(item, scored)
        accuracy.add(verdict.right)
        if item.form == .target {
            sum += scored.logLikelihoods[0]
            squares += scored.logLikelihoods[0] * scored.logLikelihoods[0]
            targetTokens += scored.tokens[0]
        } else {
            byCharacters.add(verdict.rightByCharacters)
            byBytes.add(verdict.rightByBytes)
        }
    }

    /// Accuracies; of targets the perplexity exp(−mean Σ ln p) (the harness's `perplexity`: by target, not by token).
    func write(into line: inout JSONText) {
        line.member("items", items)
        line.member("truncated_items", truncatedItems)
        accuracy.write("acc", into: &line)
        if byCharacters.count > 0 {
            byCharacters.write("acc_norm", into: &line)
            byBytes.write("acc_bytes", into: &line)
        }
        guard targetTokens > 0 else { return }
        let (n, mean) = (Double(items), sum / Double(items))
        line.member("log_likelihood", mean)
        line.member("log_likelihood_stderr", items > 1 ? (max(0, squares / n - mean * mean) / (n - 1)).squareRoot() : .nan)
        line.member("perplexity", exp(-mean))
        line.member("target_tokens", targetTokens)
    }
}

/// What a model chose of an item, and whether that was right.
struct Verdict {
    let chosen, chosenByCharacters, chosenByBytes: Int
    let right, rightByCharacters, rightByBytes: Bool
    /// Of what norms divide by.
    let characters, bytes: [Int]

    init(_ item: ChoiceItem, _ scored: ScoredItem) {
        let texts = item.contexts.indices.map(item.normed)
        characters = texts.map(characterCount)
        bytes = texts.map(\.count)
        chosen = scored.chosen
        chosenByCharacters = scored.chosen(by: characters)
        chosenByBytes = scored.chosen(by: bytes)
        right = item.form == .target ? scored.greedy[0] : chosen == item.answer
        rightByCharacters = chosenByCharacters == item.answer
        rightByBytes = chosenByBytes == item.answer
    }
}

/// The line of an item.
func itemLine(_ item: ChoiceItem, _ scored: ScoredItem) -> [UInt8] {
    let verdict = Verdict(item, scored)
    var line = JSONText()
    line.beginObject()
    line.key("id")
    line.string(item.id)
    if item.form == .target {
        line.member("log_likelihood", scored.logLikelihoods[0])
        line.member("tokens", scored.tokens[0])
    } else {
        line.list("log_likelihoods", scored.logLikelihoods) { $0.number($1) }
        line.list("greedy", scored.greedy) { $0.boolean($1) }
        line.list("tokens", scored.tokens) { $0.integer($1) }
        line.list("characters", verdict.characters) { $0.integer($1) }
        line.list("bytes", verdict.bytes) { $0.integer($1) }
        line.member("answer", item.answer)
        line.member("chosen", verdict.chosen)
        line.member("chosen_norm", verdict.chosenByCharacters)
        line.member("chosen_bytes", verdict.chosenByBytes)
    }
    line.member("right", verdict.right)
    if scored.truncated > 0 { line.member("truncated_tokens", scored.truncated) }
    line.endObject()
    line.newline()
    return line.bytes
}

/// The line of all items. Rates and names are left out of reports without provenance: they vary between runs.
func choiceTotalLine(_ sums: ChoiceSums, model: ScoringModel, shots: FewShot, seconds: Double?) -> [UInt8] {
    var line = JSONText()
    line.beginObject()
    line.task(model, shots, provenance: seconds != nil)
    sums.write(into: &line)
    if let seconds {
        line.member("elapsed_s", seconds)
        line.member("items_per_s", seconds > 0 ? Double(sums.items) / seconds : .nan)
    }
    line.endObject()
    line.newline()
    return line.bytes
}

extension JSONText {
    fileprivate mutating func list<Value>(_ name: String, _ values: [Value], _ write: (inout JSONText, Value) -> Void) {
        key(name)
        beginArray()
        for value in values { write(&self, value) }
        endArray()
    }
}
