// The log: one line of NDJSON a step.

import Compute
import Streams

/// Writes the steps of a run to standard output.
struct StepLog {
    let output: ByteOutput
    /// Leaves out what varies between runs of the same bytes: times and rates.
    let timed: Bool
    private var line = JSONText()

    init(_ output: ByteOutput, timed: Bool) {
        self.output = output
        self.timed = timed
    }

    /// - alpha: the weight of distillation, nil without; seconds: of this step; elapsed: since the run began.
    mutating func write(
        step: Int, epoch: Int, _ report: StepReport, rate: Double, alpha: Double?, guided: Bool, seconds: Double, elapsed: Double
    ) throws {
        line.removeAll()
        line.beginObject()
        line.member("step", step)
        line.member("epoch", epoch)
        line.member("loss_nats_per_token", report.loss)
        line.member("cross_entropy_nats_per_token", report.crossEntropy)
        if let alpha {
            line.member("distillation_nats_per_token", report.distillation ?? .nan)
            line.member("alpha", alpha)
            line.member("taught_tokens", report.taught)
        }
        line.member("learning_rate", rate)
        line.member("gradient_norm", report.gradientNorm)
        line.member("tokens", report.tokens)
        if guided {
            line.member("mapped_tokens", report.mapped)
            line.member("selected_tokens", report.selected)
            line.member("selected_share", Double(report.selected) / Double(max(1, report.tokens)))
        }
        if timed {
            line.member("tokens_per_s", seconds > 0 ? Double(report.tokens) / seconds : .nan)
            line.member("elapsed_s", elapsed)
        }
        line.endObject()
        line.newline()
        try output.write(line.bytes)
        try output.flush()
    }
}
