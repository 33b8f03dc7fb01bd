// Options of the commands that put items of tasks to a model.

import ArgumentParser
import Checkpoints
import Command
import Compute
import Streams

/// What is written of each item, how the model reads, and what becomes of lines that are no items.
struct TaskOptions: ParsableArguments {
    @Flag(help: "Write one line for every item before the total.")
    var items = false

    @Option(help: ArgumentHelp("Numbers that matrix products multiply: float32 or bfloat16.", valueName: "name"))
    var precision = Precision.float32

    @Option(
        help: ArgumentHelp(
            "Beginning-of-sequence token before each text: auto (as the model's files say), always or never.", valueName: "when"))
    var bos = SpecialTokenPolicy.auto

    @Option(help: ArgumentHelp("Tokens that the model reads at once (default: its own limit).", valueName: "n"))
    var window: Int?

    @OptionGroup var reject: RejectOptions
    @OptionGroup var output: FileOptions

    mutating func validate() throws {
        if let window, window < 2 { throw ValidationError("--window must be at least 2") }
    }

    func open(_ model: String, _ pool: ThreadPool) throws -> ScoringModel {
        try ScoringModel(
            ModelFolder.open(model, onlyScored: true, pool: pool), bos: bos, window: window, stride: nil, pool: pool, precision: precision)
    }
}

extension JSONText {
    /// The members of a total line that tell the model and the prompts. Names are left out of reports without provenance: they vary between runs.
    mutating func task(_ model: ScoringModel, _ shots: FewShot, provenance: Bool) {
        if provenance { member("model", model.loaded.name) }
        member("model_sha256", model.loaded.sha256)
        member("bos", model.bosID.map { String($0) } ?? "none")
        member("window", model.window)
        member("precision", model.precision.rawValue)
        member("shots", shots.shots)
        if let seed = shots.seed { member("seed", String(seed)) }
    }
}
