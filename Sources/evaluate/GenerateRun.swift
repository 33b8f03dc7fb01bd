// Items through a model that writes their answers, several at a time.

import Checkpoints
import Compute
import Streams
import Text

/// What a model wrote to an item.
struct GeneratedText {
    enum Stop: String {
        /// One of the stop strings, which the text does not hold; an end-of-text token; as many tokens as were asked for.
        case string, eos, length
    }

    /// Valid UTF-8: bytes that make up no character are U+FFFD.
    let text: [UInt8]
    let tokens: Int
    let stop: Stop
    /// Tokens of the prompt, and those that were cut off at its beginning.
    let promptTokens: Int
    let truncated: Int
}

/// How texts are written.
struct GenerateSettings {
    var choice: TokenChoice
    var seed: UInt64
    /// Most tokens of a text.
    var maxTokens: Int
    /// Beside those of the items.
    var stops: [[UInt8]]
    /// Texts that are written together. Nothing depends on it.
    var batch: Int
}

/// One run of `evaluate generate`.
final class GenerateRun {
    private let model: ScoringModel
    private let examples: FewShot
    private let encoder: HarnessEncoder
    private let settings: GenerateSettings
    private let generator: Generator
    private let ends: Set<UInt32>

    init(_ model: ScoringModel, _ examples: FewShot, _ encoder: HarnessEncoder, _ settings: GenerateSettings, pool: ThreadPool) {
        (self.model, self.examples, self.encoder, self.settings) = (model, examples, encoder, settings)
        generator = Generator(model.loaded.model, operations: CPUOperations(pool: pool, precision: model.precision))
        ends = Set(model.loaded.eosIDs + (encoder.tokenizer.eosID.map { [$0] } ?? []))
    }

    /// The ids of an item's prompt: the last that leave room for the answer. Throws 65 for an empty one that nothing can stand before.
    private func prompt(_ item: GenerateItem) throws -> (ids: [UInt32], truncated: Int) {
        var ids = encoder.encode(item.description + examples.preamble(id: item.id, worked: item.worked) + item.prompt)
        if ids.isEmpty {
            guard let prefixID = encoder.prefixID else {
                let problem = HarnessEncoder.noPrefix
                throw Failure(.badData, model.loaded.name, "item \(quoted(item.id)): \(problem.message)", hint: problem.hint)
            }
            ids = [prefixID]
        }
        let excess = max(0, ids.count - (model.window - settings.maxTokens))
        return (Array(ids.dropFirst(excess)), excess)
    }

    /// Writes all texts and hands each on, in the order of the items.
    ///
    /// - advance: called with the number of tokens read.
    /// - Throws: 65 for a model whose logits are not numbers.
    func generate(
        _ items: [GenerateItem], advance: (Int) throws -> Void, _ take: (GenerateItem, GeneratedText) throws -> Void
    ) throws {
        var done: [Int: GeneratedText] = [:]
        var (started, taken) = (0, 0)
        var active: [GrowingText] = []
        while taken < items.count {
            var fresh: [GrowingText] = []
            while active.count + fresh.count < settings.batch && started < items.count {
                let (ids, truncated) = try prompt(items[started])
                fresh.append(GrowingText(started, items[started], prompt: ids, truncated: truncated, settings))
                started += 1
            }
            if !fresh.isEmpty {
                let logits = try generator.begin(fresh.map { ($0.place, $0.prompt) }, afterPass: advance)
                for i in fresh.indices { try choose(&fresh[i], logits[i], items) }
                active += fresh
            }
            for text in active {
                guard let stop = text.stop else { continue }
                generator.end(text.place)
                done[text.place] = text.finished(stop)
            }
            active.removeAll { $0.stop != nil }
            while let text = done.removeValue(forKey: taken) {
                try take(items[taken], text)
                taken += 1
            }
            // Places that are free are taken before the others go on: then as many as possible go on together.
            guard !active.isEmpty, active.count == settings.batch || started == items.count else { continue }
            let logits = generator.extend(active.map { ($0.place, $0.ids[$0.ids.count - 1]) })
            try advance(active.count)
            for i in active.indices { try choose(&active[i], logits[i], items) }
        }
    }

    /// Adds the next token to a text, and sees whether that ends it.
    private func choose(_ text: inout GrowingText, _ logits: UnsafeBufferPointer<Float>, _ items: [GenerateItem]) throws {
        // Rows beyond the vocabulary are padding of the model's.
        let known = UnsafeBufferPointer(rebasing: logits[..<min(logits.count, encoder.tokenizer.vocabularySize)])
        guard let id = settings.choice.token(known, uniform: text.draws.uniform(text.ids.count)) else {
            throw Failure(
                .badData, model.loaded.name, .whole,
                "gives no finite logit after token \(text.ids.count) of item '\(printable(items[text.place].id))'",
                hint: "the weights hold NaN or infinite values, or overflow float32")
        }
        try text.append(id, encoder.tokenizer, ends: ends, most: settings.maxTokens)
    }
}

/// A text that is being written.
private struct GrowingText {
    let place: Int
    let prompt: [UInt32]
    private let truncated: Int
    let draws: TokenDraws
    private(set) var ids: [UInt32] = []
    private(set) var stop: GeneratedText.Stop?
    private var text: [UInt8] = []
    private var stops: StopStrings

    init(_ place: Int, _ item: GenerateItem, prompt: [UInt32], truncated: Int, _ settings: GenerateSettings) {
        (self.place, self.prompt, self.truncated) = (place, prompt, truncated)
        draws = TokenDraws(key: XXH64.hash(item.id, seed: settings.seed))
        stops = StopStrings(item.until + settings.stops)
    }

    mutating func append(_ id: UInt32, _ tokenizer: Tokenizer, ends: Set<UInt32>, most: Int) throws {
        ids.append(id)
        if ends.contains(id) || (tokenizer.isSpecial(id) && stops.contains(tokenizer.bytes(of: id))) {
            stop = .eos
            return
        }
        // Whole, as what a token stands for may depend on those before it.
        text = try tokenizer.decode(ids.filter { !tokenizer.isSpecial($0) }, continuing: true)
        if let end = stops.find(in: text) {
            text.removeLast(text.count - end)
            stop = .string
        } else if ids.count >= most {
            stop = .length
        }
    }

    func finished(_ stop: GeneratedText.Stop) -> GeneratedText {
        GeneratedText(
            text: Array(String(decoding: text, as: UTF8.self).utf8), tokens: ids.count, stop: stop, promptTokens: prompt.count,
            truncated: truncated)
    }
}
