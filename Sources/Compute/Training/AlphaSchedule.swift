// The weight of distillation at each step.

/// alpha at optimiser step `step` of `total`, at most `peak`:
///
///     constant      peak
///     linear-up     peak · step / total
///     linear-down   peak · (1 − step / total)
///     period        peak in the first half of every `period` steps, 0 in the second
///     wsd           peak · s:  s rises from 0 in the warm-up, stays at 1, and falls to 0 in the last `decay` steps
///     wsd-beta      1 − peak · s: the same course of cross-entropy's weight
///
/// - Source: arXiv 2410.16215; its break points are those of the learning rate, and it says neither where they lie nor how long a period is.
public struct AlphaSchedule: Equatable, Sendable {
    public enum Kind: String, CaseIterable, Sendable {
        case constant
        case linearUp = "linear-up"
        case linearDown = "linear-down"
        case period, wsd
        case wsdBeta = "wsd-beta"
    }

    public var kind: Kind
    public var peak: Double
    public var period: Int
    /// The learning rate's, whose warm-up, decay and total count.
    public var rate: LearningRateSchedule

    public init(kind: Kind, peak: Double, period: Int, rate: LearningRateSchedule) {
        precondition(peak >= 0 && peak <= 1 && period >= 2, "bug: alpha \(peak), period \(period)")
        (self.kind, self.peak, self.period, self.rate) = (kind, peak, period, rate)
    }

    /// alpha at step `step`, counted from 1.
    public func alpha(step: Int) -> Double {
        precondition(step >= 1, "bug: step \(step)")
        let progress = min(1, Double(step) / Double(rate.total))
        switch kind {
        case .constant: return peak
        case .linearUp: return peak * progress
        case .linearDown: return peak * (1 - progress)
        case .period: return (step - 1) % period < period / 2 ? peak : 0
        case .wsd: return peak * stable(step)
        case .wsdBeta: return 1 - peak * stable(step)
        }
    }

    private func stable(_ step: Int) -> Double {
        let rising = rate.warmup > 0 ? min(1, Double(step) / Double(rate.warmup)) : 1
        let falling = step >= rate.total ? 0 : min(1, Double(rate.total - step) / Double(rate.decay))
        return min(rising, falling)
    }
}
