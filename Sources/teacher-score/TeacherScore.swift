// teacher-score: token records in, the same records with the teacher's log-probability of every token out.

import ArgumentParser
import Checkpoints
import Command
import Compute
import Streams

extension Precision: ExpressibleByArgument {}

@main
struct TeacherScore: Tool {
    static let configuration = CommandConfiguration(
        commandName: "teacher-score",
        abstract: "Score token records with a model: the log-probability of every token given what stands before it.",
        discussion: """
            Reads records that 'tokenize' made with the model's own vocabulary, and adds 'log_probs': the natural \
            logarithm of p(token | the tokens before it in its document). A token with nothing before it has none. The \
            model is a Hugging Face folder or a .gguf file of a known family; weights in 16 bits or quantised are \
            used from where they are. Scores do not depend on --threads nor on how documents are batched.
            """)

    static var versionDetails: [String] { computeDescription() }

    @Option(help: ArgumentHelp("Model: a Hugging Face folder or a .gguf file.", valueName: "path"))
    var model: String

    @Option(help: ArgumentHelp("Numbers that matrix products multiply: float32 or bfloat16.", valueName: "name"))
    var precision = Precision.float32

    @OptionGroup var window: WindowOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var common: CommonOptions

    @Argument(help: ArgumentHelp("Token records; '-' or none is standard input.", valueName: "stream"))
    var file: String?

    func run(_ context: Context) throws {
        let input = try context.input(file)
        let reader = try RecordReader(ByteInput.open(input), expecting: [.tokens])
        let pool = ThreadPool(threads: threads.count)
        let teacher = try ScoringModel(
            ModelFolder.open(model, onlyScored: true, pool: pool), bos: window.bos, window: window.window, stride: window.stride,
            pool: pool,
            precision: precision)
        context.note(teacher.memory(threads: pool.threads).line)
        try teacher.check(reader.header, of: reader.name)
        let writer = try RecordWriter(
            output.open(), header: header(from: reader.header, teacher, context), encoding: output.format)
        let progress = context.progress(unit: "tokens")
        while var batch = try reader.next() {
            try teacher.check(batch, in: reader)
            batch.logProbs = try teacher.logProbabilities(of: batch) { progress.advance($0) }
            try writer.write(batch)
        }
        try writer.finish()
        progress.finish()
    }

    private func header(from tokens: StreamHeader, _ teacher: ScoringModel, _ context: Context) -> StreamHeader {
        var header = StreamHeader(.scores)
        for (key, value) in tokens.fields { header[key] = value }
        header["producer"] = context.producer
        header["model"] = context.provenance ? teacher.loaded.name : nil
        header["model_sha256"] = teacher.loaded.sha256
        header["bos"] = teacher.bosID.map { String($0) } ?? "none"
        header["window"] = String(teacher.window)
        header["stride"] = String(teacher.stride)
        header["precision"] = precision.rawValue
        return header
    }
}
