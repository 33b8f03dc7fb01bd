// Options that say what is learnt from a teacher: which tokens, and from what else than the text.

import ArgumentParser
import Compute

/// Which tokens the guided loss learns from.
struct GuideOptions: ParsableArguments {
    @Option(help: ArgumentHelp("guided: share of the tokens with a teacher's loss that is learnt from.", valueName: "share"))
    var select = 0.4

    @Option(help: ArgumentHelp("guided: include or exclude the tokens without a teacher's loss.", valueName: "what"))
    var unmapped = TrainingLoss.Unmapped.include

    @Option(
        help: ArgumentHelp(
            "guided: the tokens among which the share is chosen, those of a step, of a micro-batch (faster where a step has several) or of a sequence.",
            valueName: "pool"))
    var pool = TrainingLoss.Pool.step

    func validate() throws {
        guard select > 0 && select <= 1 else { throw ValidationError("--select must lie in (0, 1]") }
    }
}

/// What is learnt from the teacher's lists.
struct DistillOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Learn from the teacher's lists of probable tokens too, by this divergence: nll, forward-kl, reverse-kl, jsd, mse or uld; or by alm from its log-probabilities of groups of tokens (default: none).",
            valueName: "name"))
    var distill: Distillation.Divergence?

    @Option(help: ArgumentHelp("The lists to learn from: top, the most probable tokens, or sampled, drawn ones.", valueName: "kind"))
    var teacherLists = ListKind.top

    @Option(help: ArgumentHelp("Temperature of the teacher's lists.", valueName: "t"))
    var temperature = 1.0

    @Option(
        help: ArgumentHelp(
            "What the temperature of a list depends on: constant; normkd, times the deviation of the teacher's logits; adakd, times its entropy; or wttm, constant with a weight for each list.",
            valueName: "rule"))
    var temperatureRule = TemperatureRule.constant

    @Option(help: ArgumentHelp("Weight of the divergence; the rest of 1 is cross-entropy's.", valueName: "share"))
    var alpha = 0.9

    @Option(
        help: ArgumentHelp(
            "Course of that weight: constant, linear-up, linear-down, period, wsd or wsd-beta (with the learning rate's warm-up and decay).",
            valueName: "name"))
    var alphaSchedule = AlphaSchedule.Kind.constant

    @Option(help: ArgumentHelp("period: steps of one, the first half with and the second without the divergence.", valueName: "n"))
    var alphaPeriod = 1000

    func validate() throws {
        guard temperature > 0 && temperature.isFinite else { throw ValidationError("--temperature must be above 0") }
        if teacherLists == .sampled {
            guard distill == nil || distill == .nll || distill == .forwardKL else {
                throw ValidationError("--teacher-lists sampled goes with --distill nll or forward-kl")
            }
            guard temperature == 1 && temperatureRule == .constant else {
                throw ValidationError("--teacher-lists sampled are drawn at temperature 1, and stay there")
            }
        }
        if temperatureRule != .constant, let distill, distill.isOfGroups || distill == .mse {
            throw ValidationError("--temperature-rule has no meaning with --distill \(distill.rawValue)")
        }
        guard alpha >= 0 && alpha <= 1 else { throw ValidationError("--alpha must lie in [0, 1]") }
        guard alphaPeriod >= 2 else { throw ValidationError("--alpha-period must be at least 2") }
    }

    func schedule(_ rate: LearningRateSchedule) -> AlphaSchedule {
        AlphaSchedule(kind: alphaSchedule, peak: distill == nil ? 0 : alpha, period: alphaPeriod, rate: rate)
    }
}

extension AlphaSchedule.Kind: ExpressibleByArgument {}
extension Distillation.Divergence: ExpressibleByArgument {}
extension TrainingLoss.Unmapped: ExpressibleByArgument {}
extension TrainingLoss.Pool: ExpressibleByArgument {}
extension ListKind: ExpressibleByArgument {}
extension TemperatureRule: ExpressibleByArgument {}
