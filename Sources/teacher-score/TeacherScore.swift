// teacher-score: token records in, the same records with the teacher's log-probability of every token out.

import ArgumentParser
import Checkpoints
import Command
import Compute
import Streams

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

    @Option(
        help: ArgumentHelp(
            "Model: a Hugging Face folder or a .gguf file (needed where neither --endpoint nor --import is given).", valueName: "path"),
        completion: .file())
    var model: String?

    @Option(
        help: ArgumentHelp(
            "Numbers that matrix products multiply: float32, bfloat16, or native, which of them the model's matrices are stored for.",
            valueName: "name"))
    var precision = ScoringPrecision.float32

    @Flag(
        help: """
            Keep what is scored in FILE.partial (-o FILE) until all is, and go on there if it exists: after a crash the same command gives \
            the same bytes.
            """)
    var resume = false

    @Option(help: ArgumentHelp("Tokens in one record of the output, about.", valueName: "n"))
    var batchTokens = ScoreOutput.usualTokens

    @Option(
        help: ArgumentHelp(
            "Score so many documents only, and say what all of them will cost: a line of JSON, and words (default: score all).",
            valueName: "documents"))
    var estimate: Int?

    @OptionGroup var endpoint: EndpointOptions
    @OptionGroup var scores: ImportOptions
    @OptionGroup var window: WindowOptions
    @OptionGroup var distributions: DistributionOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var common: CommonOptions

    @Argument(help: ArgumentHelp("Token records; '-' or none is standard input.", valueName: "stream"), completion: .file())
    var file: String?

    var savesStateWhenStopped: Bool { resume }

    func validate() throws {
        guard [model, endpoint.endpoint, scores.file].count(where: { $0 != nil }) == 1 else {
            throw ValidationError("missing expected argument: --model, or --endpoint, or --import, and one of them only")
        }
        if model == nil {
            guard precision == .float32 else { throw ValidationError("--precision is for --model") }
            guard distributions.sampled == nil, !distributions.statistics else {
                throw ValidationError("--sampled and --statistics are for --model: others give no whole distributions")
            }
        }
        if scores.file != nil {
            guard distributions.request.isEmpty else {
                throw ValidationError("--top-k and --top-p are not for --import: lists are taken as they are")
            }
            guard !resume else { throw ValidationError("--resume is not for --import, which takes no time") }
        }
        guard batchTokens >= 1 else { throw ValidationError("--batch-tokens must be at least 1") }
        if let estimate {
            guard estimate >= 1 else { throw ValidationError("--estimate must be at least 1") }
            guard scores.file == nil else { throw ValidationError("--estimate is not for --import, which takes no time") }
        }
        guard resume else { return }
        guard output.file.output != "-" else { throw ValidationError("--resume needs -o FILE") }
        guard output.format == .tensor else { throw ValidationError("--resume writes tensor records: stream-cat makes NDJSON of them") }
    }

    func run(_ context: Context) throws {
        let input = try context.input(file)
        let reader = try RecordReader(ByteInput.open(input), expecting: [.tokens])
        let teacher = try teacher(context)
        try teacher.check(reader.header, of: reader.name)
        let tokens = RecordRecutter(reader, tokens: batchTokens) { try teacher.check($0, in: reader) }
        if let estimate { return try say(costOf: estimate, tokens, input, teacher, context) }
        try checkRoom(for: input)
        try score(tokens, by: teacher, context)
    }

    private func teacher(_ context: Context) throws -> any Teacher {
        if scores.file != nil { return try ImportTeacher(scores, window) }
        guard let model else { return try EndpointTeacher(endpoint, window, distributions, context) }
        let pool = ThreadPool(threads: threads.count)
        return try ModelTeacher(model, window, distributions, precision: precision, pool: pool, context)
    }

    private func score(_ tokens: RecordRecutter, by teacher: any Teacher, _ context: Context) throws {
        let output = try open(header(of: tokens.reader.header, teacher, context))
        var scored = try output.skipScored(tokens)
        let before = scored
        if before.tokens > 0 { context.note("\(before.tokens) tokens were scored before") }
        let progress = context.progress(unit: "tokens")
        let started = monotonicSeconds()
        do {
            try teacher.score(
                tokens.next,
                afterTokens: {
                    progress.advance($0)
                    if Signals.stopRequested { throw Failure(.stopped, teacher.name, "stopped") }
                },
                write: {
                    try output.write($0)
                    scored.add($0)
                })
        } catch let failure as Failure where failure.status == .stopped {
            // By the line above, or by a reader or a server that was being waited for; nothing writes any more.
            throw stopped(after: scored)
        }
        try output.finish()
        progress.finish()
        let (documents, tokens) = (scored.documents - before.documents, scored.tokens - before.tokens)
        context.note("\(documents) documents, \(tokens) tokens, \(decimals(monotonicSeconds() - started, 1)) s")
    }

    private func open(_ header: StreamHeader) throws -> ScoreOutput {
        resume
            ? .resumable(try ResumableStream(output.file.output, header: header, options: DistributionOptions.optionsOfFacts))
            : .stream(try RecordWriter(output.open(), header: header, encoding: output.format))
    }

    private func stopped(after scored: ScoreCounts) -> Failure {
        let path = output.file.output
        let kept = scored.documents > 0 ? "with \(scored.documents) documents scored, in \(path).partial" : "before a record was scored"
        return Failure(.stopped, path, "stopped \(kept)", hint: "run the same command again")
    }

    /// The facts of the tokens, then the teacher's.
    func header(of tokens: StreamHeader, _ teacher: any Teacher, _ context: Context) -> StreamHeader {
        var header = StreamHeader(.scores)
        for (key, value) in tokens.fields { header[key] = value }
        header["producer"] = context.producer
        for (key, value) in teacher.facts { header[key] = value }
        return header
    }
}
