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
///     uld         Σ |P − F|, both sorted falling: P over as many of the student's own most probable ids as the list has
///
/// Over groups of tokens that both vocabularies cut out whole (`TrainingBatch.groups`), with the temperature on both sides:
///
///     alm         a log(a / b) + (1 − a) log((1 − a) / (1 − b)),   a = p_teacher(group)^(1/τ),  b = p_student(group)^(1/τ)
///
/// - Sources: arXiv 2410.16215 (nll, forwardKL, mse; truncation); Gu et al. 2024 (reverse KL); Agarwal et al. 2024 (JSD); arXiv 2402.12030
///   (ULD); arXiv 2503.20083 (approximate likelihood matching). The tail is ours: over the list alone none of the three would tell the student
///   to take mass from other ids.
public struct Distillation: Equatable, Sendable {
    public enum Divergence: String, CaseIterable, Sendable {
        case nll
        case forwardKL = "forward-kl"
        case reverseKL = "reverse-kl"
        case jsd, mse, uld, alm

        /// Whether it compares what is said of groups of tokens; the others compare lists.
        public var isOfGroups: Bool { self == .alm }
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
    /// - logits: the student's logits of the list's ids (uld: of its own most probable ones); replaced by their terms. - logSumExp: of all the
    ///   student's logits. - logProbs: ℓ. - temperature: τ of this row; nil: that of all.
    /// - scale: factor on the gradient, not on the result.
    /// - dense: ∂/∂logit_j = dense · P_j for every j, beside the terms.
    func row(
        logits: UnsafeMutableBufferPointer<Float>, logSumExp: Double, logProbs: UnsafeBufferPointer<Float>, temperature: Double? = nil,
        scale: Double
    ) -> (divergence: Double, dense: Double) {
        let t = temperature ?? self.temperature
        switch divergence {
        case .nll, .forwardKL: return softTargets(logits, logSumExp, logProbs, t, scale)
        case .mse: return squaredErrors(logits, logSumExp, logProbs, scale)
        case .reverseKL, .jsd, .uld: return withTail(logits, logSumExp, logProbs, t, scale)
        case .alm: preconditionFailure("bug: a list for a divergence of groups")
        }
    }

    /// The divergence of one group, and its derivative by the student's log-probability of it.
    ///
    /// - student, teacher: natural log of the group's probability. With s the student's: b = e^(s/τ), ∂/∂s = ((1 − a) b / (1 − b) − a) / τ.
    func group(student: Double, teacher: Double) -> (divergence: Double, slope: Double) {
        let (logA, logB) = (min(teacher, 0) / temperature, min(student, 0) / temperature)
        let (a, b) = (exp(logA), exp(logB))
        let (others, othersOfStudent) = (max(-expm1(logA), Distillation.leastTail), max(-expm1(logB), Distillation.leastTail))
        let divergence = a * (logA - logB) + others * (log(others) - log(othersOfStudent))
        return (divergence, (others * b / othersOfStudent - a) / temperature)
    }

    /// d = lse − Σ F z (+ Σ F log F);  ∂d/∂z = P − F.
    private func softTargets(
        _ logits: UnsafeMutableBufferPointer<Float>, _ logSumExp: Double, _ logProbs: UnsafeBufferPointer<Float>, _ temperature: Double,
        _ scale: Double
    ) -> (Double, Double) {
        let shift = logNormaliser(logProbs, tail: nil, temperature)
        var (mean, negativeEntropy) = (0.0, 0.0)
        for i in logits.indices {
            let logF = Double(logProbs[i]) / temperature - shift
            let f = exp(logF)
            mean += f * Double(logits[i])
            // 0 · log 0 = 0.
            if f > 0 { negativeEntropy += f * logF }
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
        _ logits: UnsafeMutableBufferPointer<Float>, _ logSumExp: Double, _ logProbs: UnsafeBufferPointer<Float>, _ temperature: Double,
        _ scale: Double
    ) -> (Double, Double) {
        var (teacherMass, studentMass) = (0.0, 0.0)
        for i in logits.indices {
            teacherMass += exp(Double(logProbs[i]))
            studentMass += exp(Double(logits[i]) - logSumExp)
        }
        let logTail = log(max(1 - teacherMass, Distillation.leastTail))
        let shift = logNormaliser(logProbs, tail: logTail, temperature)
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
        if divergence == .uld { return (abs(p - f), p == f ? 0 : p > f ? 1 : -1) }
        // 0 · log 0 = 0.
        guard p + f > 0 else { return (0, 0) }
        let logM = log((p + f) / 2)
        return (0.5 * (f > 0 ? f * (logF - logM) : 0) + 0.5 * (p > 0 ? p * (logP - logM) : 0), 0.5 * (logP - logM))
    }

    /// A tail is never without mass: logarithms stay finite.
    private static let leastTail = 1e-9

    /// log Σ e^(ℓ/τ), the tail among them where there is one.
    private func logNormaliser(_ logProbs: UnsafeBufferPointer<Float>, tail: Double?, _ temperature: Double) -> Double {
        var peak = tail ?? -.infinity
        for value in logProbs { peak = max(peak, Double(value)) }
        var sum = tail.map { exp(($0 - peak) / temperature) } ?? 0
        for value in logProbs { sum += exp((Double(value) - peak) / temperature) }
        return peak / temperature + log(sum)
    }
}
