// Naive twins of the operations, in Double, as their formulas read.
import Glibc

/// y = x · wᵀ.
public func twinLinear(_ x: [Double], _ w: [Double], rows: Int, inputs: Int, outputs: Int) -> [Double] {
    var y = [Double](repeating: 0, count: rows * outputs)
    for t in 0..<rows {
        for o in 0..<outputs {
            for i in 0..<inputs { y[t * outputs + o] += x[t * inputs + i] * w[o * inputs + i] }
        }
    }
    return y
}

/// g ⊙ x / √(mean(x²) + ε).
public func twinRMSNorm(_ x: [Double], _ g: [Double], rows: Int, width: Int, epsilon: Double) -> [Double] {
    var y = x
    for t in 0..<rows {
        let row = x[t * width..<(t + 1) * width]
        let r = 1 / (row.reduce(0) { $0 + $1 * $1 } / Double(width) + epsilon).squareRoot()
        for i in 0..<width { y[t * width + i] = g[i] * x[t * width + i] * r }
    }
    return y
}

/// Each head's pairs (i, i + R/2), or (2i, 2i + 1), turned by position · theta^(−2i/R), R the rotary width.
public func twinRotary(
    _ x: [Double], positions: [Int], heads: Int, headWidth D: Int, rotaryWidth R: Int, interleaved: Bool, theta: Double
) -> [Double] {
    var y = x
    for (t, position) in positions.enumerated() {
        for h in 0..<heads {
            for i in 0..<R / 2 {
                let angle = Double(position) * pow(theta, -2 * Double(i) / Double(R))
                let start = (t * heads + h) * D
                let (a, b) = interleaved ? (start + 2 * i, start + 2 * i + 1) : (start + i, start + R / 2 + i)
                y[a] = x[a] * cos(angle) - x[b] * sin(angle)
                y[b] = x[b] * cos(angle) + x[a] * sin(angle)
            }
        }
    }
    return y
}

/// Causal grouped-query attention inside each segment; also the log-sum-exp of each row and head.
///
/// `scale` nil: 1/√D. `window`: keys that a row sees at most, itself among them. `softCap` c: scores become c · tanh(s / c).
public func twinAttention(
    q: [Double], k: [Double], v: [Double], splits: [Int], heads: Int, keyValueHeads: Int, headWidth D: Int, scale: Double? = nil,
    window: Int? = nil, softCap: Double? = nil
) -> (o: [Double], lse: [Double]) {
    var o = [Double](repeating: 0, count: q.count)
    var lse = [Double](repeating: 0, count: (splits.last ?? 0) * heads)
    let factor = scale ?? 1 / Double(D).squareRoot()
    for (start, end) in zip(splits, splits.dropFirst()) {
        for t in start..<end {
            let first = max(start, t - (window ?? t + 1) + 1)
            for h in 0..<heads {
                let group = h / (heads / keyValueHeads)
                var scores: [Double] = []
                for s in first...t {
                    var score = 0.0
                    for i in 0..<D { score += q[(t * heads + h) * D + i] * k[(s * keyValueHeads + group) * D + i] }
                    score *= factor
                    scores.append(softCap.map { $0 * tanh(score / $0) } ?? score)
                }
                let total = twinLogSumExp(scores)
                lse[t * heads + h] = total
                for s in first...t {
                    let p = exp(scores[s - first] - total)
                    for i in 0..<D { o[(t * heads + h) * D + i] += p * v[(s * keyValueHeads + group) * D + i] }
                }
            }
        }
    }
    return (o, lse)
}

/// log Σ e^x; −∞ for nothing but −∞.
public func twinLogSumExp(_ x: [Double]) -> Double {
    guard let largest = x.max(), largest.isFinite else { return x.max() ?? -.infinity }
    return largest + log(x.reduce(0) { $0 + exp($1 - largest) })
}

/// The nonlinearities of feed-forwards, by the names of `Activation`.
public func twinActivation(_ name: String, _ z: Double) -> Double {
    switch name {
    case "silu": return z / (1 + exp(-z))
    case "gelu": return z * erfc(-z / 2.0.squareRoot()) / 2
    case "geluTanh": return z * (1 + tanh((2 / Double.pi).squareRoot() * (z + 0.044715 * z * z * z))) / 2
    default: return max(z, 0)
    }
}

/// (x − mean) / √(variance + ε) ⊙ g + b of each row.
public func twinLayerNorm(_ x: [Double], _ g: [Double], _ b: [Double], rows: Int, width: Int, epsilon: Double) -> [Double] {
    var y = x
    for t in 0..<rows {
        let row = x[t * width..<(t + 1) * width]
        let mean = row.reduce(0, +) / Double(width)
        let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
        for i in 0..<width { y[t * width + i] = (x[t * width + i] - mean) / (variance + epsilon).squareRoot() * g[i] + b[i] }
    }
    return y
}

/// −log softmax(x · wᵀ)[target] for each row; NaN without a target.
public func twinCrossEntropy(_ x: [Double], _ w: [Double], targets: [Int32], width: Int, vocabulary: Int) -> [Double] {
    targets.enumerated().map { t, target in
        guard target >= 0 else { return .nan }
        let logits = twinLinear(Array(x[t * width..<(t + 1) * width]), w, rows: 1, inputs: width, outputs: vocabulary)
        return twinLogSumExp(logits) - logits[Int(target)]
    }
}

/// y[t, c] = b[c] + Σ_j w[c, j] x[t − taps + 1 + j, c] inside each segment.
public func twinConvolution(_ x: [Double], _ w: [Double], _ b: [Double]?, splits: [Int], channels: Int, taps: Int) -> [Double] {
    var y = [Double](repeating: 0, count: x.count)
    for (start, end) in zip(splits, splits.dropFirst()) {
        for t in start..<end {
            for c in 0..<channels {
                y[t * channels + c] = b?[c] ?? 0
                for j in 0..<taps where t - taps + 1 + j >= start {
                    y[t * channels + c] += w[c * taps + j] * x[(t - taps + 1 + j) * channels + c]
                }
            }
        }
    }
    return y
}

/// The inputs of a selective scan.
public struct TwinScan {
    public var x, delta, a, b, c, d: [Double]

    public init(x: [Double], delta: [Double], a: [Double], b: [Double], c: [Double], d: [Double]) {
        (self.x, self.delta, self.a, self.b, self.c, self.d) = (x, delta, a, b, c, d)
    }

    /// s[t] = exp(δ a) s[t−1] + δ b x,  y = Σ_n c s + d x, from 0 at the start of each segment.
    public func callAsFunction(splits: [Int], channels: Int, states: Int) -> [Double] {
        var y = x
        for (start, end) in zip(splits, splits.dropFirst()) {
            var s = [Double](repeating: 0, count: channels * states)
            for t in start..<end {
                for channel in 0..<channels {
                    let i = t * channels + channel
                    y[i] = d[channel] * x[i]
                    for n in 0..<states {
                        let place = channel * states + n
                        s[place] = exp(delta[i] * a[place]) * s[place] + delta[i] * b[t * states + n] * x[i]
                        y[i] += c[t * states + n] * s[place]
                    }
                }
            }
        }
        return y
    }
}
