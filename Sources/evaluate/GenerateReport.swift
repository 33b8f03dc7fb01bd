// What was generated, and how much of it is right: the lines that report it.

import Checkpoints
import Streams

/// What was found of all items.
struct GenerateSums {
    private(set) var items = 0
    private(set) var exactMatch = Accuracy()
    private(set) var tokens = 0
    private(set) var promptTokens = 0
    private(set) var truncatedItems = 0
    private(set) var unfinishedItems = 0

    mutating func add(_ item: GenerateItem, _ found: JudgedText) {
        items += 1
        tokens += found.generated.tokens
        promptTokens += found.generated.promptTokens
        truncatedItems += found.generated.truncated > 0 ? 1 : 0
        unfinishedItems += found.generated.stop == .length ? 1 : 0
        if let isRight = found.isRight { exactMatch.add(isRight) }
    }

    func write(into line: inout JSONText) {
        line.member("items", items)
        line.member("truncated_items", truncatedItems)
        line.member("unfinished_items", unfinishedItems)
        exactMatch.write("exact_match", into: &line)
        line.member("prompt_tokens", promptTokens)
        line.member("tokens", tokens)
    }
}

/// A text with the answer that was found in it.
struct JudgedText {
    let generated: GeneratedText
    /// As it stands in the text; nil where none was found.
    let extracted: [UInt8]?
    /// Whether it is the item's answer; nil where the item has none.
    let isRight: Bool?

    init(_ item: GenerateItem, _ generated: GeneratedText, _ extraction: AnswerExtraction) {
        self.generated = generated
        let extracted = extraction.answer(in: generated.text)
        self.extracted = extracted
        isRight = item.answer.map { answer in extracted.map { normalisedAnswer($0) == normalisedAnswer(answer) } ?? false }
    }
}

/// The line of an item.
func generatedLine(_ item: GenerateItem, _ found: JudgedText) -> [UInt8] {
    var line = JSONText()
    line.beginObject()
    line.key("id")
    line.string(item.id)
    line.key("text")
    line.string(found.generated.text)
    line.key("extracted")
    if let extracted = found.extracted { line.string(Array(String(decoding: extracted, as: UTF8.self).utf8)) } else { line.null() }
    if let answer = item.answer, let isRight = found.isRight {
        line.key("answer")
        line.string(answer)
        line.member("right", isRight)
    }
    line.member("tokens", found.generated.tokens)
    line.member("stop", found.generated.stop.rawValue)
    if found.generated.truncated > 0 { line.member("truncated_tokens", found.generated.truncated) }
    line.endObject()
    line.newline()
    return line.bytes
}

/// The line of all items. Rates and names are left out of reports without provenance: they vary between runs.
func generateTotalLine(
    _ sums: GenerateSums, model: ScoringModel, shots: FewShot, settings: GenerateSettings, extraction: AnswerExtraction, seconds: Double?
) -> [UInt8] {
    var line = JSONText()
    line.beginObject()
    line.task(model, shots, provenance: seconds != nil)
    line.member("temperature", settings.choice.temperature)
    line.member("top_p", settings.choice.topP)
    line.member("max_tokens", settings.maxTokens)
    line.member("extract", extraction.kind.rawValue)
    sums.write(into: &line)
    if let seconds {
        line.member("elapsed_s", seconds)
        line.member("tokens_per_s", seconds > 0 ? Double(sums.tokens) / seconds : .nan)
    }
    line.endObject()
    line.newline()
    return line.bytes
}
