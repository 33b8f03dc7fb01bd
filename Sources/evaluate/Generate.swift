// evaluate generate: answers that a model writes, and how many are right.

import ArgumentParser
import Checkpoints
import Command
import Compute
import Streams
import Text

struct Generate: Tool {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Answers that a model writes, and how many are right.",
        discussion: """
            Reads items, {"id":…,"prompt":…,"answer":…,"until":[…]}, lets the model write on from each prompt, finds the answer in \
            what it wrote, and writes one line of NDJSON: the share of exact matches with its standard error. A text ends before the \
            first of the item's "until" and of --stop, at an end-of-text token, or after --max-tokens. A prompt that leaves no room for \
            those in the window is cut at its beginning.
            """)

    @Option(help: ArgumentHelp("Model: a Hugging Face folder or a .gguf file.", valueName: "path"), completion: .file())
    var model: String

    @Option(help: ArgumentHelp("Vocabulary, where it is not in the model's folder or file.", valueName: "path"), completion: .file())
    var tokenizer: String?

    @OptionGroup var fewShot: FewShotOptions

    @Option(help: ArgumentHelp("Most tokens of a text.", valueName: "n"))
    var maxTokens = 256

    @Option(
        help: ArgumentHelp(
            "0 takes the most probable token each time; else one is drawn of softmax(logits / t), by --seed.", valueName: "t"))
    var temperature = 0.0

    @Option(help: ArgumentHelp("Draw of the most probable tokens that together have p.", valueName: "p"))
    var topP = 1.0

    @Option(help: ArgumentHelp("End texts before this string, too; may be repeated (default: the items' own alone).", valueName: "text"))
    var stop: [String] = []

    @Option(help: ArgumentHelp("Texts that are written together; no text depends on it.", valueName: "n"))
    var batch = 8

    @Option(help: ArgumentHelp("The answer in a text: last-number, boxed, regex or text (all of it).", valueName: "what"))
    var extract = AnswerKind.lastNumber

    @Option(
        help: ArgumentHelp(
            "POSIX extended regular expression for --extract regex: its first match, of that the first group (default: none).",
            valueName: "pattern"))
    var answerPattern: String?

    @OptionGroup var task: TaskOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var common: CommonOptions

    @Argument(help: ArgumentHelp("Items, NDJSON; '-' or none is standard input.", valueName: "file"), completion: .file())
    var files: [String] = []

    mutating func validate() throws {
        guard (1...(1 << 24)).contains(maxTokens) else { throw ValidationError("--max-tokens must lie between 1 and 16777216") }
        guard temperature >= 0 && temperature <= 1e6 else { throw ValidationError("--temperature must lie between 0 and 1000000") }
        guard topP > 0 && topP <= 1 else { throw ValidationError("--top-p must lie above 0 and not above 1") }
        guard (1...4096).contains(batch) else { throw ValidationError("--batch must lie between 1 and 4096") }
        if extract == .regex && answerPattern == nil { throw ValidationError("--extract regex needs --answer-pattern PATTERN") }
        if extract != .regex && answerPattern != nil { throw ValidationError("--answer-pattern is for --extract regex") }
        if fewShot.seed != nil && fewShot.shots == 0 && temperature == 0 {
            throw ValidationError("--seed is for --temperature and for the examples of --shots")
        }
        _ = try expression()
    }

    private func expression() throws -> RegularExpression? {
        do { return try answerPattern.map(RegularExpression.init) } catch let problem as RegularExpression.Problem {
            throw ValidationError("--answer-pattern: \(problem.message)")
        }
    }

    func run(_ context: Context) throws {
        let inputs = try context.inputs(files)
        let examples = try fewShot.load(GenerateItem.self)
        let rejects = try task.reject.rejects.map(Rejects.init)
        let found = try readItems(GenerateItem.self, from: inputs, lineLimit: task.reject.maxLineBytes, rejects: rejects)
        let pool = ThreadPool(threads: threads.count)
        let model = try task.open(model, pool)
        guard maxTokens < model.window else {
            throw Failure(
                .badData, model.loaded.name, .whole,
                "a window of \(model.window) tokens has no room for \(maxTokens) and a prompt", hint: "ask for fewer: --max-tokens")
        }
        let vocabulary = try openVocabulary(tokenizer, for: model.loaded)
        let encoder = HarnessEncoder(vocabulary, bosID: model.bosID, prefixID: HarnessEncoder.prefixID(vocabulary, model.loaded))
        let settings = GenerateSettings(
            choice: TokenChoice(temperature: temperature, topP: topP), seed: fewShot.seed ?? 0, maxTokens: maxTokens,
            stops: stop.map { Array($0.utf8) }, batch: batch)
        let extraction = AnswerExtraction(kind: extract, pattern: try expression())
        context.note("\(found.count) items")
        let run = GenerateRun(model, examples, encoder, settings, pool: pool)
        let destination = try task.output.open()
        let progress = context.progress(unit: "tokens")
        let started = monotonicSeconds()
        var sums = GenerateSums()
        try run.generate(found, advance: { progress.advance($0) }) { item, generated in
            let judged = JudgedText(item, generated, extraction)
            if task.items { try destination.write(generatedLine(item, judged)) }
            sums.add(item, judged)
        }
        let seconds = monotonicSeconds() - started
        try destination.write(
            generateTotalLine(
                sums, model: model, shots: examples, settings: settings, extraction: extraction,
                seconds: context.provenance ? seconds : nil))
        try destination.close()
        progress.finish()
        context.note("generated in \(decimals(seconds, 1)) s")
        try rejects?.finish(records: found.count)
    }
}
