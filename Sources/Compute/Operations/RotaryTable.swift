// Cosines and sines of rotary positions.
import Glibc

/// The table that `rotaryForward` reads: for position p and pair i, the angle p · theta^(−2i/headWidth).
///
/// - Shape: (positions, headWidth); row p holds headWidth/2 cosines, then headWidth/2 sines.
/// - Angles in Double: float32 angles, as some engines use, are wrong by 1e-4 rad at position 2,000.
/// - Source: Su et al. 2021 (RoFormer); pairing of halves as in Hugging Face's Llama.
public func rotaryTable(positions: Int, headWidth: Int, theta: Double) -> Buffer {
    precondition(headWidth % 2 == 0, "bug: odd head width \(headWidth)")
    let half = headWidth / 2
    let table = Buffer(count: positions * headWidth)
    let frequencies = (0..<half).map { pow(theta, -2 * Double($0) / Double(headWidth)) }
    for position in 0..<positions {
        let row = table.pointer + position * headWidth
        for i in 0..<half {
            let angle = Double(position) * frequencies[i]
            row[i] = Float(cos(angle))
            row[half + i] = Float(sin(angle))
        }
    }
    return table
}
