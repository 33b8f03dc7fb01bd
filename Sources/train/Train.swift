// train: token or aligned records in, a model folder and a log out.

import ArgumentParser
import Checkpoints
import Command
import Compute
import Distributed
import Streams

@main
struct Train: Tool {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train a language model on token records, guided by a teacher's losses where records carry them.",
        discussion: """
            Documents are packed without padding, in the order of the streams; attention stays inside a document. The \
            loss is the mean over tokens of the negative log-probability in nats; 'guided' keeps the tokens in which \
            the student's loss exceeds the teacher's most (--select of those with a teacher's loss) and all tokens \
            without one. --distill adds a divergence from the teacher's lists of probable tokens: those of scores in the \
            student's own vocabulary, or those that 'align' brought over. One line of NDJSON a step goes to standard output; the folder --out appears whole, as \
            Hugging Face's tools open it, with the state that --resume continues from. Files are read again as often as \
            --steps asks; standard input can be read once.
            """)

    static var versionDetails: [String] {
        computeDescription() + ["MPI \(Ranks.library ?? "none, needed by mpirun only (libmpi.so.40)")"]
    }
    var savesStateWhenStopped: Bool { true }

    static func expanded(_ arguments: [String]) throws -> [String] {
        try Recipe.expanded(arguments, options: longOptions(inHelp: helpMessage(columns: 80)))
    }

    /// For `--help` only: `expanded` has put its options in already.
    @Option(
        help: ArgumentHelp("JSON file of options by their long names; what is typed wins (default: none).", valueName: "file"),
        completion: .file())
    var recipe: String?

    @Option(
        help: ArgumentHelp("A config.json for a new model, or a model folder or .gguf to go on with.", valueName: "path"),
        completion: .file())
    var model: String

    @Option(help: ArgumentHelp("Folder to write the model to.", valueName: "folder"), completion: .directory)
    var out: String

    @Option(help: ArgumentHelp("cross-entropy or guided.", valueName: "name"))
    var loss = LossName.crossEntropy

    @OptionGroup var guide: GuideOptions

    @Option(help: ArgumentHelp("Numbers that matrix products multiply: float32 or bfloat16.", valueName: "name"))
    var precision = Precision.float32

    @OptionGroup var teacher: DistillOptions
    @OptionGroup var plan: PlanOptions
    @OptionGroup var data: DataOptions
    @OptionGroup var optimiser: OptimiserOptions

    @Option(help: ArgumentHelp("Seed of a new model's weights.", valueName: "n"))
    var seed: UInt64 = 1

    @OptionGroup var saving: SavingOptions
    @OptionGroup var watch: WatchOptions

    @Option(
        help: ArgumentHelp(
            "Folder to save the finished model in too, without the state of its training; default: none.", valueName: "folder"),
        completion: .directory)
    var export: String?

    @Option(help: ArgumentHelp("Numbers in which --export saves: bfloat16 or float32.", valueName: "name"))
    var exportPrecision = Precision.bfloat16

    @Flag(help: "Write the learning rate and the weight of the divergence of every step, NDJSON, instead of training.")
    var preview = false

    @OptionGroup var threads: ThreadOptions
    @OptionGroup var common: CommonOptions

    @Argument(help: ArgumentHelp("Token or aligned records; '-' or none is standard input.", valueName: "stream"), completion: .file())
    var streams: [String] = []

    func validate() throws {
        guard export != out else { throw ValidationError("--export and --out name the same folder") }
    }

    func run(_ context: Context) throws {
        if preview { return try writeSchedules() }
        let ranks = try Ranks()
        Diagnostics.isSilent = !ranks.isFirst
        try ranks.run {
            var run = try TrainingRun(self, context, ranks, paths: context.inputs(streams))
            do { try run.train() } catch {
                run.abandon(after: error)
                throw error
            }
        } report: { error in
            TemporaryFiles.removeAll()
            Diagnostics.isSilent = false
            return Train.report(error)
        }
    }

    private func writeSchedules() throws {
        let output = ByteOutput.standardOutput()
        let rate = optimiser.schedule(steps: plan.steps)
        let alpha = teacher.schedule(rate)
        var line = JSONText()
        for step in 1...plan.steps {
            line.beginObject()
            line.member("step", step)
            line.member("learning_rate", rate.rate(step: step))
            if teacher.distill != nil { line.member("alpha", alpha.alpha(step: step)) }
            line.endObject()
            line.newline()
            try output.write(line.bytes)
            line.removeAll()
        }
        try output.close()
    }

    /// What a step minimises where distillation has the weight `alpha`.
    func trainingLoss(alpha: Double) -> TrainingLoss {
        TrainingLoss(
            select: loss == .guided ? guide.select : nil, unmapped: guide.unmapped, pool: guide.pool,
            distillation: teacher.distill.map { Distillation($0, temperature: teacher.temperature) }, alpha: alpha)
    }

    /// What must be known of the teacher.
    var signals: TeacherSignals {
        TeacherSignals(
            losses: loss == .guided, divergence: teacher.distill, lists: teacher.teacherLists, rule: teacher.temperatureRule,
            temperature: teacher.temperature)
    }
}

/// Names of `--loss`.
enum LossName: String, CaseIterable, ExpressibleByArgument {
    case crossEntropy = "cross-entropy"
    case guided
}
