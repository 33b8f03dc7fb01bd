// The learning rate of each step.
import Glibc

/// A linear warm-up to the peak, then a decay.
///
///     step ≤ warmup:  peak · step / warmup
///     after:          final + (peak − final) · f(p),   p = (step − warmup) / (total − warmup),   final = finalFraction · peak
///     f:              1 (constant), 1 − p (linear), (1 + cos πp) / 2 (cosine),
///                     1 up to step total − decay, then linearly to 0 (wsd: warm-up, stable, decay; Hu et al. 2024)
///
/// From `total` on the rate stays at `final` (constant: at the peak).
public struct LearningRateSchedule: Equatable, Sendable {
    public enum Kind: String, CaseIterable, Sendable {
        case constant, linear, cosine, wsd
    }

    public var kind: Kind
    public var peak: Double
    public var finalFraction: Double
    /// Steps of the warm-up; 0 for none.
    public var warmup: Int
    /// Steps of the whole run, the warm-up among them.
    public var total: Int
    /// wsd: steps of the decay at the end.
    public var decay: Int

    /// - decay: nil is a tenth of the total.
    public init(kind: Kind, peak: Double, finalFraction: Double = 0.1, warmup: Int, total: Int, decay: Int? = nil) {
        self.decay = decay ?? max(1, total / 10)
        self.kind = kind
        self.peak = peak
        self.finalFraction = finalFraction
        self.warmup = warmup
        self.total = total
    }

    /// The rate of optimiser step `step`, counted from 1.
    public func rate(step: Int) -> Double {
        precondition(step >= 1, "bug: step \(step)")
        if step <= warmup { return peak * Double(step) / Double(warmup) }
        let progress = step >= total ? 1 : Double(step - warmup) / Double(total - warmup)
        let shape: Double
        switch kind {
        case .constant: return peak
        case .linear: shape = 1 - progress
        case .cosine: shape = progress == 1 ? 0 : (1 + cos(Double.pi * progress)) / 2
        case .wsd: shape = step >= total ? 0 : min(1, Double(total - step) / Double(decay))
        }
        let final = finalFraction * peak
        return final + (peak - final) * shape
    }
}
