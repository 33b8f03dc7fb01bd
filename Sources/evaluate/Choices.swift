// evaluate choices: accuracy of a model on questions with choices, and on targets to be predicted whole.

import ArgumentParser
import Checkpoints
import Command
import Compute
import Streams
import Text

struct Choices: Tool {
    static let configuration = CommandConfiguration(
        commandName: "choices",
        abstract: "Accuracy of a model on questions with choices.",
        discussion: """
            Reads items, {"id":…,"context":…,"choices":[…],"answer":0} (or "contexts" and one "continuation"; or "context" and \
            "continuation" alone, to be predicted whole), and writes one line of NDJSON: accuracies with standard errors, as \
            lm-evaluation-harness defines acc, acc_norm and acc_bytes. Texts are encoded as it encodes them, and a context that is \
            too long is cut at its beginning.
            """)

    @Option(help: ArgumentHelp("Model: a Hugging Face folder or a .gguf file.", valueName: "path"), completion: .file())
    var model: String

    @Option(help: ArgumentHelp("Vocabulary, where it is not in the model's folder or file.", valueName: "path"), completion: .file())
    var tokenizer: String?

    @OptionGroup var fewShot: FewShotOptions

    @OptionGroup var task: TaskOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var common: CommonOptions

    @Argument(help: ArgumentHelp("Items, NDJSON; '-' or none is standard input.", valueName: "file"), completion: .file())
    var files: [String] = []

    mutating func validate() throws {
        if fewShot.shots == 0 && fewShot.seed != nil { throw ValidationError("--seed draws the examples of --shots N") }
    }

    func run(_ context: Context) throws {
        let inputs = try context.inputs(files)
        let examples = try fewShot.load(ChoiceItem.self)
        let pool = ThreadPool(threads: threads.count)
        let model = try task.open(model, pool)
        let vocabulary = try openVocabulary(tokenizer, for: model.loaded)
        let encoder = HarnessEncoder(vocabulary, bosID: model.bosID, prefixID: HarnessEncoder.prefixID(vocabulary, model.loaded))
        let rejects = try task.reject.rejects.map(Rejects.init)
        let started = monotonicSeconds()
        var run = ChoiceRun(model, examples, encoder, pool)
        let found = try readItems(
            ChoiceItem.self, from: inputs, lineLimit: task.reject.maxLineBytes, rejects: rejects, check: { try run.check($0) })
        let destination = try task.output.open()
        context.note("\(found.count) items, \(run.requests) choices, \(run.tokens) tokens")
        context.note(model.memory(threads: pool.threads).line)
        let progress = context.progress(unit: "tokens")
        var sums = ChoiceSums()
        try run.score(
            found, advance: { progress.advance($0) },
            take: { item, scored in
                if task.items { try destination.write(itemLine(item, scored)) }
                sums.add(item, scored)
            })
        let seconds = monotonicSeconds() - started
        try destination.write(choiceTotalLine(sums, model: model, shots: examples, seconds: context.provenance ? seconds : nil))
        try destination.close()
        progress.finish()
        context.note("scored in \(decimals(seconds, 1)) s")
        try rejects?.finish(records: found.count)
    }
}
