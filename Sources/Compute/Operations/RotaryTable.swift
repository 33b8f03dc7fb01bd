// Cosines and sines of rotary positions.
import Glibc

/// The table that `rotaryForward` reads: cosines and sines of position p times the frequency of pair i, theta^(−2i/rotaryWidth) and scaled.
///
/// - Shape: (positions, rotaryWidth); row p holds rotaryWidth/2 cosines, then rotaryWidth/2 sines.
/// - Angles in Double: float32 angles, as some engines use, are wrong by 1e-4 rad at position 2,000.
/// - With `.dynamic` scaling a row depends on `positions`, the length of the text; otherwise a longer table begins with the shorter one.
/// - Cost: positions · rotaryWidth / 2 cosines and sines, 20 ns a pair.
/// - Source: Su et al. 2021 (RoFormer); scaling as in transformers' `modeling_rope_utils`.
public func rotaryTable(positions: Int, _ configuration: RotaryConfiguration) -> Buffer {
    let width = configuration.layout.rotaryWidth
    let half = width / 2
    let table = Buffer(count: positions * width)
    let (frequencies, amplitude) = rotaryFrequencies(positions: positions, configuration)
    for position in 0..<positions {
        let row = table.pointer + position * width
        for i in 0..<half {
            let angle = Double(position) * frequencies[i]
            row[i] = Float(amplitude * cos(angle))
            row[half + i] = Float(amplitude * sin(angle))
        }
    }
    return table
}

/// Radians a position of each pair, and the factor on cosines and sines.
func rotaryFrequencies(positions: Int, _ configuration: RotaryConfiguration) -> (frequencies: [Double], amplitude: Double) {
    configuration.layout.check()
    let (theta, width) = (configuration.theta, configuration.layout.rotaryWidth)
    func plain(_ theta: Double) -> [Double] { (0..<width / 2).map { pow(theta, -2 * Double($0) / Double(width)) } }
    switch configuration.scaling {
    case .none:
        return (plain(theta), 1)
    case .linear(let factor):
        return (plain(theta).map { $0 / factor }, 1)
    case .dynamic(let factor, let originalPositions):
        let length = Double(max(positions, originalPositions))
        let growth = factor * length / Double(originalPositions) - (factor - 1)
        return (plain(theta * pow(growth, Double(width) / Double(width - 2))), 1)
    case .llama3(let factor, let low, let high, let originalPositions):
        let scaled = plain(theta).map { frequency in
            // Turns within the original positions.
            let turns = Double(originalPositions) * frequency / (2 * Double.pi)
            if turns > high { return frequency }
            if turns < low { return frequency / factor }
            let smooth = (turns - low) / (high - low)
            return (1 - smooth) * frequency / factor + smooth * frequency
        }
        return (scaled, 1)
    case .yarn(let factor, let originalPositions, let betaFast, let betaSlow, let attentionFactor, let truncate):
        /// The pair, a fraction, that turns so many times in the original positions.
        func pair(turns: Double) -> Double {
            Double(width) * log(Double(originalPositions) / (turns * 2 * Double.pi)) / (2 * log(theta))
        }
        var (first, last) = (pair(turns: betaFast), pair(turns: betaSlow))
        if truncate { (first, last) = (floor(first), ceil(last)) }
        first = max(first, 0)
        last = min(last, Double(width - 1))
        if first == last { last += 0.001 }
        let scaled = plain(theta).enumerated().map { i, frequency in
            let ramp = min(max((Double(i) - first) / (last - first), 0), 1)
            return frequency / factor * ramp + frequency * (1 - ramp)
        }
        return (scaled, attentionFactor)
    }
}
