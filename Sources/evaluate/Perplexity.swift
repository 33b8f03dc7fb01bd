// evaluate perplexity: nats per token, perplexities and bits per byte of models on text.

import ArgumentParser
import Checkpoints
import Command
import Compute
import Streams
import Text

extension WindowKind: ExpressibleByArgument {}

struct Perplexity: Tool {
    static let configuration = CommandConfiguration(
        commandName: "perplexity",
        abstract: "Nats per token, perplexities and bits per byte of models on text.",
        discussion: """
            Reads {"id":…,"text":…} records and writes one line of NDJSON for each model. Bits per byte = nats / (ln 2 × bytes of \
            the tokens that were scored), which can be compared between models with different vocabularies as long as \
            'scored_bytes' agree: without a beginning-of-sequence token the first token of a document has no score; \
            --bos always gives it one. --windows rolling gives the numbers of lm-evaluation-harness.
            """)

    @Option(
        help: ArgumentHelp("Model: a Hugging Face folder or a .gguf file; several are measured on the same text.", valueName: "path"),
        completion: .file())
    var model: [String]

    @Option(
        help: ArgumentHelp(
            "Vocabulary, where it is not in the model's folder or file; given as often as --model, or not at all. (default: the model's own)",
            valueName: "path"), completion: .file())
    var tokenizer: [String] = []

    @Option(help: ArgumentHelp("Key of a record's text.", valueName: "key"))
    var textKey = "text"

    @Option(help: ArgumentHelp("Key of a record's id; the record's number where it is absent.", valueName: "key"))
    var idKey = "id"

    @Option(help: ArgumentHelp("Numbers that matrix products multiply: float32 or bfloat16.", valueName: "name"))
    var precision = Precision.float32

    @Flag(help: "Write one line for every document and model before the total.")
    var documents = false

    @Option(
        help: ArgumentHelp(
            "Windows of longer documents: stride (see --stride) or rolling, those of lm-evaluation-harness.", valueName: "kind"))
    var windows = WindowKind.stride

    @Flag(help: "Write a table for people instead of NDJSON.")
    var table = false

    @OptionGroup var window: WindowOptions
    @OptionGroup var output: FileOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var common: CommonOptions

    @Argument(help: ArgumentHelp("Held-out text; '-' or none is standard input.", valueName: "file"), completion: .file())
    var files: [String] = []

    mutating func validate() throws {
        guard tokenizer.isEmpty || tokenizer.count == model.count else {
            throw ValidationError("\(tokenizer.count) times --tokenizer for \(model.count) times --model: give each its own, or none")
        }
        if windows == .rolling && window.stride != nil { throw ValidationError("--stride does not go with --windows rolling") }
    }

    func run(_ context: Context) throws {
        let inputs = try context.inputs(files)
        let pool = ThreadPool(threads: threads.count)
        let meters = try model.indices.map { place in
            try ModelMeter(
                model[place], tokenizer: tokenizer.isEmpty ? nil : tokenizer[place], windows: windows, window, precision: precision,
                pool: pool)
        }
        for meter in meters { context.note(meter.model.memory(threads: pool.threads).line) }
        let report = PerplexityReport(asTable: table, provenance: context.provenance, several: meters.count > 1)
        let destination = try output.open()
        let progress = context.progress(unit: "tokens")
        for path in inputs {
            let corpus = CorpusReader(try ByteInput.open(path), textKey: textKey, idKey: idKey)
            while true {
                let read = try nextDocuments(corpus)
                if read.isEmpty { break }
                let sums = try meters.map { try $0.measure(read) { progress.advance($0) } }
                guard documents else { continue }
                for place in read.indices {
                    for (meter, found) in zip(meters, sums) { report.add(found[place], document: read[place].id, meter.model) }
                }
                try destination.write(report.takeLines())
            }
        }
        for meter in meters { report.add(meter.total, meter.model, seconds: meter.seconds) }
        try destination.write(report.takeLines())
        try destination.write(report.table)
        try destination.close()
        progress.finish()
        for meter in meters {
            let (name, total) = (meter.model.loaded.name, meter.total)
            context.note("\(name): \(total.documents) documents, \(total.tokens) tokens, \(decimals(meter.seconds, 1)) s")
        }
    }

    /// Documents of about 64 KiB of text.
    private func nextDocuments(_ corpus: CorpusReader) throws -> [CorpusDocument] {
        var read: [CorpusDocument] = []
        var bytes = 0
        while bytes < 1 << 16, read.count < 1 << 14, let document = try corpus.next() {
            bytes += document.text.count
            read.append(document)
        }
        return read
    }
}
