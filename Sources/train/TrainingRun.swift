// One run of training: step after step, a log line each, and a state to go on from.

import Checkpoints
import Command
import Compute
import Streams

/// A model, its optimiser, its schedule and its data, from the first step or from where a saved run stopped.
struct TrainingRun {
    private let options: Train
    private let context: Context
    private let settings: RunSettings
    private let schedule: LearningRateSchedule
    private let alpha: AlphaSchedule
    private let trainer: Trainer
    private var feed: TrainingFeed

    init(_ options: Train, _ context: Context, paths: [String]) throws {
        self.options = options
        self.context = context
        // A destination that cannot be is refused before the first step, not after the last.
        for folder in [options.out] + (options.export.map { [$0] } ?? []) { try ModelFolder.checkDestination(folder) }
        let first = try TrainingFeed.open(paths[0])
        let plan = options.plan
        let bosID = try plan.bos.resolve(
            id: first.header.tokenID("bos_id"), asked: first.header["add_bos"] == "true", token: "beginning-of-sequence",
            subject: first.name)
        let eosID = try plan.eos.resolve(
            id: first.header.tokenID("eos_id"), asked: first.header["add_eos"] == "true", token: "end-of-sequence", subject: first.name)
        settings = RunSettings(options, header: first.header, bosID: bosID, eosID: eosID)
        schedule = options.optimiser.schedule(steps: plan.steps)
        alpha = options.teacher.schedule(schedule)
        let pool = ThreadPool(threads: options.threads.count)
        let operations = CPUOperations(pool: pool, precision: options.precision)
        let saved = options.resume ? try TrainingState.load(options.out, pool: pool) : nil
        let model = try saved?.model ?? ModelFolder.startingPoint(options.model, seed: options.seed, pool: pool)
        if let limit = model.configuration.positionLimit, plan.sequenceLength > limit {
            throw Failure(
                .badData, options.model, .whole, "the model has \(limit) positions, fewer than --sequence-length \(plan.sequenceLength)")
        }
        trainer = Trainer(
            model, settings: options.optimiser.settings, microBatchTokens: plan.microBatchTokens, recompute: plan.recompute,
            operations: operations)
        let rows = max(min(plan.microBatchTokens, plan.batchTokens), plan.sequenceLength)
        context.note(model.configuration.trainingMemory(rows: rows, recompute: plan.recompute).line)
        feed = TrainingFeed(
            paths: paths, first: first,
            packer: SequencePacker(
                sequenceLength: plan.sequenceLength, batchTokens: plan.batchTokens, bosID: bosID, eosID: eosID),
            vocabularySize: model.configuration.vocabularySize, needsTeacher: options.loss == .guided,
            needsLists: options.teacher.distill != nil)
        if let saved { try goOn(from: saved) }
    }

    /// Puts the trainer and the data where the saved run stopped.
    private mutating func goOn(from saved: TrainingState) throws {
        try settings.check(against: saved.facts, subject: options.out)
        try saved.restore(trainer)
        for _ in 0..<trainer.steps where try feed.next() == nil { break }
        guard feed.checksum == saved.facts["data_xxh64"] else {
            throw Failure(
                .badData, options.out, .whole, "the saved run was trained on other data",
                hint: "resume with the same streams in the same order")
        }
    }

    mutating func train() throws {
        var log = StepLog(ByteOutput.standardOutput(), timed: context.provenance)
        let progress = context.progress(unit: "steps", total: options.plan.steps)
        progress.start(at: trainer.steps)
        let began = monotonicSeconds()
        while trainer.steps < options.plan.steps {
            let started = monotonicSeconds()
            guard let batch = try nextBatch() else { throw try dataEnded() }
            let report = try step(batch)
            let now = monotonicSeconds()
            try log.write(
                step: trainer.steps, epoch: feed.epoch, report, rate: schedule.rate(step: trainer.steps),
                alpha: options.teacher.distill.map { _ in alpha.alpha(step: trainer.steps) }, guided: options.loss == .guided,
                seconds: now - started, elapsed: now - began)
            progress.advance(1)
            if Signals.stopRequested && trainer.steps < options.plan.steps { throw try stopped() }
            if options.checkpointEvery > 0 && trainer.steps % options.checkpointEvery == 0 { try save() }
        }
        try save()
        if let folder = options.export {
            try ModelFolder.save(trainer.model, to: folder, carrying: options.model, precision: options.exportPrecision)
        }
        try log.output.close()
        progress.finish()
    }

    /// The next batch. A signal that comes while standard input keeps us waiting stops the run as one between steps does.
    private mutating func nextBatch() throws -> TrainingBatch? {
        do {
            return try feed.next()
        } catch let failure as Failure where failure.status == .stopped {
            throw try stopped()
        }
    }

    private func step(_ batch: TrainingBatch) throws -> StepReport {
        let number = trainer.steps + 1
        do {
            return try trainer.step(
                batch, loss: options.trainingLoss(alpha: alpha.alpha(step: number)), learningRate: schedule.rate(step: number))
        } catch let error as ComputeError {
            throw Failure(
                .badData, options.out, .whole, "step \(number): \(error)",
                hint: "the step was refused and the last saved state is as it was; try a lower --learning-rate")
        }
    }

    private func save() throws {
        var facts = ["data_xxh64": feed.checksum]
        for (name, value) in settings.values { facts[name] = value }
        try TrainingState.save(trainer, facts: facts, to: options.out, carryingTokenizerFrom: options.model)
    }

    private func stopped() throws -> Failure {
        try save()
        return Failure(
            .stopped, options.out, .whole, "stopped after step \(trainer.steps) of \(options.plan.steps), state saved",
            hint: "go on with the same command and --resume")
    }

    private func dataEnded() throws -> Failure {
        if trainer.steps > 0 { try save() }
        return Failure(
            .badData, "<stdin>", .whole, "ended after step \(trainer.steps) of \(options.plan.steps)",
            hint: "ask for fewer --steps, or give the streams as files, which are read again")
    }
}
