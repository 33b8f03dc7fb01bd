// How a model turns its heads by position: which values, by which angles, and how angles are scaled for longer texts.

/// Which values of a head turn, and with which they are paired.
///
/// The first `rotaryWidth` of a head's `headWidth` values turn, the rest stay. Pairs are (i, i + rotaryWidth/2), as in Hugging Face's Llama
/// and GPT-NeoX, or (2i, 2i + 1) when `interleaved`, as in GPT-J, Cohere and the original RoFormer.
public struct RotaryLayout: Equatable, Sendable {
    public var headWidth: Int
    public var rotaryWidth: Int
    public var interleaved: Bool

    /// `rotaryWidth` nil: the whole head.
    public init(headWidth: Int, rotaryWidth: Int? = nil, interleaved: Bool = false) {
        self.headWidth = headWidth
        self.rotaryWidth = rotaryWidth ?? headWidth
        self.interleaved = interleaved
    }

    /// Traps unless pairs fit into the head.
    func check() {
        precondition(
            rotaryWidth >= 0 && rotaryWidth % 2 == 0 && rotaryWidth <= headWidth, "bug: \(rotaryWidth) of \(headWidth) values in pairs")
    }
}

/// Scaling of the angles for texts longer than the model was made for, each as transformers' `modeling_rope_utils` has it.
///
/// Factors and widths come from configurations: whoever reads them sees that they are finite and positive (and highFrequencyFactor above
/// lowFrequencyFactor, theta above 1 for `yarn`, a rotary width above 2 for `dynamic`).
public enum RotaryScaling: Equatable, Sendable {
    case none
    /// Every angle divided by `factor` (Chen et al. 2023, position interpolation).
    case linear(factor: Double)
    /// theta grows with the text beyond `originalPositions` ("NTK-aware", dynamic): by (factor · n / originalPositions − factor + 1)^(D/(D−2)) for a
    /// text of n positions. A table is then good for texts of one length only.
    case dynamic(factor: Double, originalPositions: Int)
    /// Wavelengths above originalPositions / lowFrequencyFactor divided by `factor`, below originalPositions / highFrequencyFactor left, a
    /// line between (Llama 3.1).
    case llama3(factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double, originalPositions: Int)
    /// Pairs that turn more than `betaFast` times in `originalPositions` left, fewer than `betaSlow` times divided by `factor`, a line between,
    /// its ends at whole pairs if `truncate`; `attentionFactor` multiplies cosines and sines (Peng et al. 2023).
    case yarn(factor: Double, originalPositions: Int, betaFast: Double, betaSlow: Double, attentionFactor: Double, truncate: Bool)
}

/// All that a table of rotary positions depends on.
public struct RotaryConfiguration: Equatable, Sendable {
    public var theta: Double
    public var layout: RotaryLayout
    public var scaling: RotaryScaling

    public init(theta: Double, layout: RotaryLayout, scaling: RotaryScaling = .none) {
        self.theta = theta
        self.layout = layout
        self.scaling = scaling
    }
}
