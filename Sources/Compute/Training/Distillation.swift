// Distillation from a teacher's truncated distribution: the loss of one row, and its gradient by the logits of the list's ids.
import Glibc

/// How far the student's distribution P of a row is from the teacher's list.
///
/// The list's log-probabilities ℓ, at temperature 1, become F = softmax(ℓ / τ) over the list. Without a tail:
///
///     nll         −Σ F log P                        P over the whole vocabulary, at temperature 1
///     forwardKL   Σ F (log F − log P)               the same gradient
///     mse         mean over the list of (log P − ℓ)², whatever τ
///
/// With a tail, one more outcome that stands for all other ids: its mass is 1 − Σ e^ℓ for the teacher (then in the softmax with the others)
/// and 1 − Σ P for the student:
///
///     reverseKL   Σ P (log P − log F)
///     jsd         ½ Σ F log(F / M) + ½ Σ P log(P / M),   M = (F + P) / 2
///
/// - Sources: arXiv 2410.16215 (nll, forwardKL, mse; truncation); Gu et al. 2024 (reverse KL); Agarwal et al. 2024 (JSD). The tail is ours: over
///   the list alone neither would tell the student to take mass from other ids.
public struct Distillation: Equatable, Sendable {
    public enum Divergence: String, CaseIterable, Sendable {
        case nll
        case forwardKL = "forward-kl"
        case reverseKL = "reverse-kl"
        case jsd, mse
    }

    public var divergence: Divergence
    /// τ
    public var temperature: Double

    public init(_ divergence: Divergence, temperature: Double = 1) {
        precondition(temperature > 0 && temperature.isFinite, "bug: temperature \(temperature)")
        self.divergence = divergence
        self.temperature = temperature
    }

    /// The divergence of one row in nats, and scale · its gradient.
    ///
    /// - logits: the student's logits of the list's ids; replaced by their terms. - logSumExp: of all the student's logits. - logProbs: ℓ.
    /// - scale: factor on the gradient, not on the result.
    /// - dense: ∂/∂logit_j = dense · P_j for every j, beside the terms.
    func row(
        logits: UnsafeMutableBufferPointer<Float>, logSumExp: Double, logProbs: UnsafeBufferPointer<Float>, scale: Double
    ) -> (divergence: Double, dense: Double) {
        switch divergence {
        case .nll, .forwardKL: softTargets(logits, logSumExp, logProbs, scale)
        case .mse: squaredErrors(logits, logSumExp, logProbs, scale)
        case .reverseKL, .jsd: withTail(logits, logSumExp, logProbs, scale)
        }
    }

    /// d = lse − Σ F z (+ Σ F log F);  ∂d/∂z = P − F.
    private func softTargets(
        _ logits: UnsafeMutableBufferPointer<Float>, _ logSumExp: Double, _ logProbs: UnsafeBufferPointer<Float>, _ scale: Double
    ) -> (Double, Double) {
        let shift = logNormaliser(logProbs, tail: nil)
        var (mean, negativeEntropy) = (0.0, 0.0)
        for i in logits.indices {
            let logF = Double(logProbs[i]) / temperature - shift
            let f = exp(logF)
            mean += f * Double(logits[i])
            negativeEntropy += f * logF
            logits[i] = Float(-scale * f)
        }
        let nll = logSumExp - mean
        return (divergence == .nll ? nll : nll + negativeEntropy, scale)
    }

    /// d = mean of e², e = z − lse − ℓ;  ∂d/∂z = (2 / K) (Σ over the list of e at its id − P Σ e).
    private func squaredErrors(
        _ logits: UnsafeMutableBufferPointer<Float>, _ logSumExp: Double, _ logProbs: UnsafeBufferPointer<Float>, _ scale: Double
    ) -> (Double, Double) {
        var (sum, squares) = (0.0, 0.0)
        let factor = 2 / Double(logits.count)
        for i in logits.indices {
            let error = Double(logits[i]) - logSumExp - Double(logProbs[i])
            sum += error
            squares += error * error
            logits[i] = Float(scale * factor * error)
        }
        return (squares / Double(logits.count), -scale * factor * sum)
    }

    /// With u = ∂d/∂P taken for each outcome by itself and ū = Σ P u over the outcomes: ∂d/∂z_j = P_j (u_j − ū), where ids outside the list have
    /// the tail's u. So dense = u_tail − ū, and the list's terms are P (u − u_tail).
    private func withTail(
        _ logits: UnsafeMutableBufferPointer<Float>, _ logSumExp: Double, _ logProbs: UnsafeBufferPointer<Float>, _ scale: Double
    ) -> (Double, Double) {
        var (teacherMass, studentMass) = (0.0, 0.0)
        for i in logits.indices {
            teacherMass += exp(Double(logProbs[i]))
            studentMass += exp(Double(logits[i]) - logSumExp)
        }
        let logTail = log(max(1 - teacherMass, Distillation.leastTail))
        let shift = logNormaliser(logProbs, tail: logTail)
        var (sum, weighted) = (0.0, 0.0)
        func take(_ logP: Double, _ logF: Double) -> Double {
            let (d, u) = outcome(logP, logF)
            sum += d
            weighted += exp(logP) * u
            return u
        }
        let tail = take(log(max(1 - studentMass, Distillation.leastTail)), logTail / temperature - shift)
        for i in logits.indices {
            let logP = Double(logits[i]) - logSumExp
            let u = take(logP, Double(logProbs[i]) / temperature - shift)
            logits[i] = Float(scale * exp(logP) * (u - tail))
        }
        return (sum, scale * (tail - weighted))
    }

    /// One outcome's part of the divergence, and its derivative by the student's probability (up to a constant, which cancels).
    private func outcome(_ logP: Double, _ logF: Double) -> (Double, Double) {
        let p = exp(logP)
        if divergence == .reverseKL { return (p * (logP - logF), logP - logF) }
        let f = exp(logF)
        let logM = log((p + f) / 2)
        return (0.5 * f * (logF - logM) + 0.5 * p * (logP - logM), 0.5 * (logP - logM))
    }

    /// A tail is never without mass: logarithms stay finite.
    private static let leastTail = 1e-9

    /// log Σ e^(ℓ/τ), the tail among them where there is one.
    private func logNormaliser(_ logProbs: UnsafeBufferPointer<Float>, tail: Double?) -> Double {
        var peak = tail ?? -.infinity
        for value in logProbs { peak = max(peak, Double(value)) }
        var sum = tail.map { exp(($0 - peak) / temperature) } ?? 0
        for value in logProbs { sum += exp((Double(value) - peak) / temperature) }
        return peak / temperature + log(sum)
    }
}
