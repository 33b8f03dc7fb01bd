// What decides a run's result, as names and values: saved with its state, and compared when it is resumed.

import Compute
import Streams

/// The settings of a run under the names of their options.
struct RunSettings {
    let values: [(name: String, value: String)]

    init(_ options: Train, header: StreamHeader, bosID: UInt32?, eosID: UInt32?) {
        let plan = options.plan
        let optimiser = options.optimiser
        var values: [(String, String)] = [
            ("--loss", options.loss.rawValue),
            ("--precision", options.precision.rawValue),
            ("--steps", String(plan.steps)),
            ("--batch-tokens", String(plan.batchTokens)),
            ("--sequence-length", String(plan.sequenceLength)),
            ("--micro-batch-tokens", String(plan.microBatchTokens)),
            ("--bos", bosID.map { String($0) } ?? "none"),
            ("--eos", eosID.map { String($0) } ?? "none"),
            ("--learning-rate", String(optimiser.learningRate)),
            ("--schedule", optimiser.schedule.rawValue),
            ("--warmup", String(optimiser.warmup)),
            ("--final-share", String(optimiser.finalShare)),
            ("--beta1", String(optimiser.beta1)),
            ("--beta2", String(optimiser.beta2)),
            ("--epsilon", String(optimiser.epsilon)),
            ("--weight-decay", String(optimiser.weightDecay)),
            ("--clip", String(optimiser.clip)),
            ("vocabulary", header["vocabulary_sha256"] ?? "unknown"),
        ]
        if optimiser.schedule == .wsd { values.append(("--decay", optimiser.decay.map { String($0) } ?? "default")) }
        if let divergence = options.teacher.distill {
            let teacher = options.teacher
            values += [
                ("--distill", divergence.rawValue), ("--temperature", String(teacher.temperature)), ("--alpha", String(teacher.alpha)),
                ("--alpha-schedule", teacher.alphaSchedule.rawValue), ("--alpha-period", String(teacher.alphaPeriod)),
            ]
        }
        if options.loss == .guided { values.append(("--select", String(options.select))) }
        self.values = values
    }

    /// Refuses to go on from a state that other settings made.
    func check(against saved: [String: String], subject: String) throws {
        for (name, value) in values {
            let before = saved[name] ?? "absent"
            guard before == value else {
                throw Failure(
                    .badData, subject, .whole, "the saved run has \(name) \(before), this one \(value)",
                    hint: "resume with the options and the vocabulary that the run was started with")
            }
        }
    }
}
