// The states of a run: saved, gone on from, and how it ends before its last step.

import Checkpoints
import Command
import Compute
import Distributed
import Streams

/// States of a run, on the disk and back.
extension TrainingRun {
    /// Puts the trainer and the data where the saved run stopped.
    mutating func goOn(from saved: TrainingState) throws {
        let forced: ((String) -> Void)? = options.saving.forceResume ? { TrainingRun.tell("--force-resume: \($0)") } : nil
        try settings.check(against: saved.facts, subject: saved.name, forced: forced)
        if let before = saved.facts["processor"], before != TrainingRun.processor {
            TrainingRun.tell("\(saved.name): was computed on another kind of processor (\(before)): the last bits may differ from here on")
        }
        try saved.restore(trainer)
        spikes.restore(saved.facts["recent_losses"] ?? "")
        unfinishedLine = saved.facts["unfinished_line"].map { Array($0.utf8) }
        let taken = saved.facts["batches"].flatMap { Int($0) } ?? trainer.steps
        while batches < taken, try feed.next() != nil {
            batches += 1
            if Signals.stopRequested {
                throw Failure(.stopped, saved.name, .whole, "stopped while the data was read again; the state is as it was")
            }
        }
        place = (batches, feed.checksum)
        guard place.checksum == saved.facts["data_xxh64"] else {
            let difference = "the saved run was trained on other data"
            guard let forced else {
                throw Failure(
                    .badData, saved.name, .whole, difference,
                    hint:
                        "resume with the same streams in the same order, or give --force-resume to go on with these where they are after as many batches"
                )
            }
            return forced(difference)
        }
    }

    func save() throws {
        try log.output.sync()
        try checkpoints.save(trainer, facts: facts)
        context.note("\(checkpoints.folder): step \(trainer.steps) saved")
    }

    var facts: [String: String] {
        var facts = ["data_xxh64": place.checksum, "batches": String(place.batches), "recent_losses": spikes.saved]
        facts["processor"] = TrainingRun.processor
        if let unfinishedLine { facts["unfinished_line"] = String(decoding: unfinishedLine, as: UTF8.self) }
        for (name, value) in settings.values { facts[name] = value }
        return facts
    }

    /// What the last bits depend on beside the code.
    static let processor = computeDescription().joined(separator: ", ")

    func export() throws {
        guard let folder = options.export, ranks.isFirst else { return }
        try ModelFolder.save(trainer.model, to: folder, carrying: options.model, precision: options.exportPrecision)
    }

    func stopped() throws -> Failure {
        if trainer.steps > 0, !checkpoints.holds(trainer.steps) { try save() }
        let what =
            trainer.steps > 0
            ? "stopped after step \(trainer.steps) of \(options.plan.steps), state saved" : "stopped before the first step"
        return Failure(.stopped, options.out, .whole, what, hint: "go on with the same command and --resume")
    }

    func dataEnded() throws -> Failure {
        if trainer.steps > 0, !checkpoints.holds(trainer.steps) { try save() }
        return Failure(
            .badData, "<stdin>", .whole, "ended after step \(trainer.steps) of \(options.plan.steps)",
            hint: "ask for fewer --steps, or give the streams as files, which are read again")
    }

    /// What adding up over ranks has cost.
    func noteCost() {
        guard let cost = ranks.cost, cost.steps > 0 else { return }
        context.note(
            "exchange: \(ranks.count) ranks, \(cost.bytes / cost.steps) bytes a step; \(decimals(cost.hidden, 4)) s a step hidden behind the "
                + "computing, \(decimals(cost.shown, 4)) s not, \(decimals(cost.gathering / Double(cost.steps), 4)) s for losses and agreement"
        )
    }

    static func tell(_ failure: Failure) { Diagnostics.write("train: \(failure)", hint: failure.hint) }
    static func tell(_ text: String) { Diagnostics.write("train: \(text)") }
}
