// One run of training: step after step, a log line each, and checkpoints to go on from.

import ArgumentParser
import Checkpoints
import Command
import Compute
import Distributed
import Streams
import Text

/// A model, its optimiser, its schedule and its data, from the first step or from where a saved run stopped.
struct TrainingRun {
    let options: Train
    let context: Context
    let ranks: Ranks
    let settings: RunSettings
    private let schedule: LearningRateSchedule
    private let alpha: AlphaSchedule
    let trainer: Trainer
    let checkpoints: RunCheckpoints
    var feed: TrainingFeed
    private let heldOut: HeldOut?
    /// Floating-point operations in a second of large products, or of the fastest step where a busy machine made those slow; nil where times
    /// are left out.
    private var peak: Double?
    var log: StepLog
    var spikes: SpikeDetector
    /// The line of the last step where its held-out loss is still to be measured; nil otherwise.
    var unfinishedLine: [UInt8]?
    /// Batches taken from the data, those that were skipped among them.
    var batches = 0
    /// Where the data stood after the last update: what a state keeps.
    var place = (batches: 0, checksum: "")
    /// What the run is known by, up to its first batch; nil in one that was resumed, which keeps its name.
    private var identity: XXH64?

    init(_ options: Train, _ context: Context, _ ranks: Ranks, paths: [String]) throws {
        self.options = options
        self.context = context
        self.ranks = ranks
        if ranks.count > 1, paths.contains("-") {
            throw EndedTogether(ValidationError("standard input reaches one of \(ranks.count) ranks only: name files"))
        }
        let groups = try options.plan.groups(ranks: ranks.count)
        // A destination that cannot be is refused before the first step, not after the last.
        if let export = options.export { try ModelFolder.checkDestination(export) }
        checkpoints = try RunCheckpoints(
            out: options.out, keep: options.saving.keep, writes: ranks.isFirst, carryingTokenizerFrom: options.model)
        if !options.saving.resumes { try checkpoints.checkUnused() }
        let first = try OrderedPasses.open(paths[0])
        let plan = options.plan
        let bosID = try plan.bos.resolve(
            id: first.header.tokenID("bos_id"), asked: first.header["add_bos"] == "true", token: "beginning-of-sequence",
            subject: first.name)
        let eosID = try plan.eos.resolve(
            id: first.header.tokenID("eos_id"), asked: first.header["add_eos"] == "true", token: "end-of-sequence", subject: first.name)
        settings = try RunSettings(options, header: first.header, bosID: bosID, eosID: eosID, gradientGroups: groups)
        schedule = options.optimiser.schedule(steps: plan.steps)
        alpha = options.teacher.schedule(schedule)
        let pool = ThreadPool(threads: options.threads.count(of: try ranks.processors()))
        let operations = CPUOperations(pool: pool, precision: options.precision)
        let saved = try ranks.firstThenOthers { [checkpoints] in
            try options.saving.resumes ? checkpoints.newest(pool: pool) { TrainingRun.tell($0) } : nil
        }
        if options.saving.resumes, saved == nil { TrainingRun.tell("\(checkpoints.folder): nothing was saved, from the first step") }
        let model = try saved?.model ?? ModelFolder.startingPoint(options.model, seed: options.seed, pool: pool)
        if let limit = model.configuration.positionLimit, plan.sequenceLength > limit {
            throw Failure(
                .badData, options.model, .whole, "the model has \(limit) positions, fewer than --sequence-length \(plan.sequenceLength)")
        }
        // Not all of a larger vocabulary may occur in the data, but the model could not be measured on other text.
        try first.header.expectVocabulary(
            atMost: model.configuration.vocabularySize, in: first.name,
            hint: "a new model has as many as its 'vocab_size' says; another one needs its own vocabulary: tokenize again")
        let ownVocabulary = try OwnVocabulary(
            ModelFolder.carriedPaths(options.model),
            hint: "tokenize with the vocabulary that lies beside the model, or put the right one there")
        ownVocabulary.read(first.header)
        try checkpoints.checkRoom(model.configuration)
        trainer = Trainer(
            model, settings: options.optimiser.settings, microBatchTokens: plan.microBatchTokens, recompute: plan.recompute,
            gradientGroups: groups, exchange: ranks.exchange, operations: operations)
        let vocabulary = first.header["vocabulary_sha256"]
        let trained = trainer.model
        heldOut = try options.watch.heldOut.map {
            try HeldOut($0, vocabulary: vocabulary, model: trained, operations: operations, bosID: bosID)
        }
        peak = context.provenance ? operations.productRate() * Double(ranks.count) : nil
        log = StepLog(ByteOutput.standardOutput())
        spikes = SpikeDetector(deviations: options.watch.spike)
        let rows = max(min(plan.microBatchTokens, plan.batchTokens), plan.sequenceLength)
        context.note(model.configuration.trainingMemory(rows: rows, recompute: plan.recompute, groups: groups / ranks.count).line)
        let (attention, separator) = try options.data.packing(first.header)
        feed = TrainingFeed(
            sources: try options.data.sources(paths, first: first),
            packer: SequencePacker(
                sequenceLength: plan.sequenceLength, batchTokens: plan.batchTokens, bosID: bosID, eosID: eosID, attention: attention,
                separator: separator),
            vocabularySize: model.configuration.vocabularySize, vocabulary: ownVocabulary, signals: options.signals)
        if let saved {
            try goOn(from: saved)
            context.note("\(saved.name): goes on after step \(saved.steps) of \(plan.steps)")
        }
        // A pass over the weights: only where somebody asks.
        if saved == nil || ranks.count > 1 {
            let begun = settings.identity(trainer.model)
            if saved == nil { identity = begun }
            try ranks.checkEqual(String(begun.digest()), "weights or settings")
        }
        try checkpoints.begin()
    }

    /// A run that failed before anything was saved leaves nothing; one that was stopped can be resumed all the same.
    func abandon(after error: any Error) {
        let cause = (error as? EndedTogether)?.error ?? error
        if (cause as? Failure)?.status != .stopped { checkpoints.abandon() }
    }

    mutating func train() throws {
        if checkpoints.isFinished, trainer.steps >= options.plan.steps {
            TrainingRun.tell("\(options.out): is finished after step \(trainer.steps), nothing is left to do")
            return try export()
        }
        let progress = context.progress(unit: "steps", total: options.plan.steps)
        progress.start(at: trainer.steps)
        let began = monotonicSeconds()
        if let unfinishedLine { try write(unfinishedLine) }
        while trainer.steps < options.plan.steps {
            if try ranks.anyRank(Signals.stopRequested) { throw EndedTogether(try stopped()) }
            let started = monotonicSeconds()
            let (batch, report) = try step()
            let now = monotonicSeconds()
            try write(StepLog.line(entry(batch, report, seconds: now - started, elapsed: now - began)))
            progress.advance(1, detail: "loss \(decimals(max(0, report.loss), 3))")
            if trainer.steps < options.plan.steps, try isCheckpointDue { try save() }
        }
        try log.output.sync()
        try checkpoints.finish(trainer, facts: facts)
        try export()
        try log.output.close()
        progress.finish()
        noteCost()
    }

    /// Writes the line of the last step, once the held-out loss under its weights is known where that is asked for.
    private mutating func write(_ line: [UInt8]) throws {
        guard let heldOut, options.watch.isHeldOutDue(trainer.steps, of: options.plan.steps) else {
            return ranks.isFirst ? try writeUnlessStopped(line) : ()
        }
        unfinishedLine = line
        var isStopped = false
        if ranks.isFirst {
            do {
                try log.write(line, heldOut: heldOut.loss { Signals.stopRequested })
            } catch let failure as Failure where failure.status == .stopped {
                // The step is in the log all the same; the run that goes on writes its line again, whole.
                try writeUnlessStopped(line)
                isStopped = true
            }
        }
        if try ranks.anyRank(isStopped) { throw EndedTogether(try stopped()) }
        unfinishedLine = nil
    }

    /// Where nobody takes the line and a signal asked to stop, the run that goes on writes it.
    private mutating func writeUnlessStopped(_ line: [UInt8]) throws {
        do { try log.write(line) } catch let failure as Failure where failure.status == .stopped { unfinishedLine = line }
    }

    private mutating func entry(_ batch: TrainingBatch, _ report: StepReport, seconds: Double, elapsed: Double) -> StepEntry {
        let step = trainer.steps
        let isGuided = options.loss == .guided
        let headShare = isGuided ? Double(report.selected) / Double(max(1, report.tokens)) : 1
        let operations = trainer.operationCount(batch, headShare: headShare)
        if let measured = peak, seconds > 0 { peak = max(measured, operations / seconds) }
        let timing = StepTiming(seconds: seconds, elapsed: elapsed, operations: operations, peak: peak)
        return StepEntry(
            step: step, epoch: batch.epoch, report: report, learningRate: schedule.rate(step: step),
            alpha: options.teacher.distill.map { _ in alpha.alpha(step: step) }, isGuided: isGuided,
            skipped: options.watch.onBadStep == .skip ? batches - step : nil, isSpike: marksSpike(report, batch),
            timing: context.provenance ? timing : nil)
    }

    /// Whether the loss stands out; then a line on standard error says so.
    private mutating func marksSpike(_ report: StepReport, _ batch: TrainingBatch) -> Bool {
        guard spikes.isSpike(report.loss) else { return false }
        TrainingRun.tell("\(options.out): the loss of step \(trainer.steps) stands out: \(decimals(report.loss, 4)), \(describe(batch))")
        return true
    }

    private func describe(_ batch: TrainingBatch) -> String {
        "epoch \(batch.epoch), documents '\(printable(batch.firstDocument))' to '\(printable(batch.lastDocument))'"
    }

    private var isCheckpointDue: Bool {
        get throws {
            let asked = try ranks.anyRank(Signals.takeSaveRequest())
            return asked || options.saving.checkpointEvery > 0 && trainer.steps % options.saving.checkpointEvery == 0
        }
    }

    /// The next batch. A signal that comes while standard input keeps us waiting stops the run as one between steps does.
    private mutating func nextBatch() throws -> TrainingBatch {
        do {
            guard let batch = try feed.next() else { throw try dataEnded() }
            batches += 1
            name()
            // Other data may be of other sizes, and then nothing fits that ranks send each other.
            try ranks.checkEqual(feed.checksum, "data up to batch \(batches)")
            return batch
        } catch let failure as Failure where failure.status == .stopped && ranks.count == 1 {
            throw try stopped()
        }
    }

    /// Names a new run, whose first batch is known now.
    private mutating func name() {
        guard var hash = identity else { return }
        identity = nil
        Array(feed.checksum.utf8).withUnsafeBytes { hash.update($0) }
        checkpoints.run = String(hash.digest(), radix: 16)
    }

    /// One update, from the first batch whose loss and gradient are finite.
    private mutating func step() throws -> (TrainingBatch, StepReport) {
        let number = trainer.steps + 1
        var refused = 0
        while true {
            let batch = try nextBatch()
            do {
                let loss = options.trainingLoss(alpha: alpha.alpha(step: number))
                let report = try trainer.step(batch, loss: loss, learningRate: schedule.rate(step: number))
                place = (batches, feed.checksum)
                return (batch, report)
            } catch ComputeError.nonFinite(let message) where options.watch.onBadStep == .skip && refused < TrainingRun.mostSkipped {
                refused += 1
                TrainingRun.tell("\(options.out): batch \(batches) is skipped: \(message), \(describe(batch))")
                if try ranks.anyRank(Signals.stopRequested) { throw EndedTogether(try stopped()) }
            } catch let error as ComputeError {
                // Every rank has met it: losses and gradients are those of all.
                throw EndedTogether(try failed(error, batch, refused))
            }
        }
    }

    /// Batches in a row that may be skipped: more are no accident of the data.
    private static let mostSkipped = 10

    /// The failure of a step that changed nothing, with the state before it saved.
    private func failed(_ error: ComputeError, _ batch: TrainingBatch, _ refused: Int) throws -> Failure {
        let again = refused > 0 ? ", after \(refused) batches that were skipped" : ""
        var hint = "the step was refused"
        if trainer.steps > 0 {
            if !checkpoints.holds(trainer.steps) { try save() }
            hint += " and the state after step \(trainer.steps) is saved: --resume goes on from it"
        }
        if case .nonFinite = error { hint += "; with --on-bad-step skip without this batch, or try a lower --learning-rate" }
        return Failure(.badData, options.out, .whole, "batch \(batches): \(error.message)\(again), \(describe(batch))", hint: hint)
    }
}
