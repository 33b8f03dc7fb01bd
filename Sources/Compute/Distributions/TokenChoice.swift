// The next token of a text: the most probable, or one drawn from the most probable.
import Glibc

/// How the next token is chosen of its logits z.
///
///     temperature 0: the largest z; of equal ones the lowest id
///     else: p = softmax(z / temperature); of the tokens in falling p (the lower id first where they are equal) the fewest that together
///     have at least topP; one of those by p
///
/// - Source: Holtzman et al. 2020 (top-p).
public struct TokenChoice: Equatable, Sendable {
    public var temperature: Double
    public var topP: Double

    public init(temperature: Double = 0, topP: Double = 1) {
        precondition(temperature >= 0 && topP > 0 && topP <= 1, "bug: temperature \(temperature), top-p \(topP)")
        (self.temperature, self.topP) = (temperature, topP)
    }

    /// - uniform: in [0, 1), what the draw depends on. Nil where there is no distribution: a logit is NaN or +∞, or none is above −∞.
    public func token(_ logits: UnsafeBufferPointer<Float>, uniform: @autoclosure () -> Double) -> UInt32? {
        var best = -1
        for i in logits.indices where logits[i] > (best < 0 ? -.infinity : logits[best]) { best = i }
        guard best >= 0, logits.allSatisfy({ $0 < .infinity }) else { return nil }
        guard temperature > 0 else { return UInt32(best) }
        let peak = Double(logits[best])
        var weights = [Double](repeating: 0, count: logits.count)
        var total = 0.0
        // Below e^−40 of the largest a token has no share that a draw of 53 bits could see.
        let least = Float(peak - 40 * temperature)
        for i in logits.indices where logits[i] >= least {
            weights[i] = exp((Double(logits[i]) - peak) / temperature)
            total += weights[i]
        }
        var order: [Int] = Array(logits.indices.lazy.filter { weights[$0] > 0 })
        if topP < 1 {
            // A token below (1 − topP) / V of the whole is never among them: all such together have less than 1 − topP.
            let limit = (1 - topP) / Double(logits.count) * total
            order = order.filter { weights[$0] >= limit }.sorted { weights[$0] == weights[$1] ? $0 < $1 : weights[$0] > weights[$1] }
            var (kept, mass) = (0, 0.0)
            while kept < order.count && mass < topP * total {
                mass += weights[order[kept]]
                kept += 1
            }
            order.removeLast(order.count - kept)
            total = mass
        }
        var left = uniform() * total
        for token in order {
            left -= weights[token]
            if left < 0 { return UInt32(token) }
        }
        return UInt32(order[order.count - 1])
    }
}

/// Numbers of [0, 1) for one text: the n-th depends on the key and n alone.
public struct TokenDraws: Sendable {
    private let philox: Philox

    public init(key: UInt64) { philox = Philox(seed: key) }

    public func uniform(_ n: Int) -> Double {
        let (low, high, _, _) = philox.block((UInt32(truncatingIfNeeded: n), UInt32(truncatingIfNeeded: n >> 32), 0, 0))
        return Double((UInt64(high) << 32 | UInt64(low)) >> 11) * 0x1p-53
    }
}
