// The shape of a language model as data: what its blocks are made of, and how large everything is.

/// Sizes, constants and features of a decoder. A family (`Checkpoints`) sets the features that files of its kind have; nothing else tells
/// one family from another.
///
///     attention block:    m = x + p(attention(n(x))),  y = m + p(feedForward(n(m)))      sequential
///                         y = x + attention(n(x)) + feedForward(n(x))                    parallel
///     state-space block:  y = x + mixer(n(x))
///
/// n is a norm, p another one or nothing. A new configuration is Llama's: RMS norms, rotary positions, gated SiLU, no biases.
public struct ModelConfiguration: Equatable, Sendable {
    /// The family whose file layout a saved model takes. No arithmetic depends on it.
    public var family = "llama"
    public var vocabularySize: Int
    /// C, the width of the residual stream.
    public var width: Int
    public var layers: Int
    /// Positions that the model was made for. Rotary positions go on beyond, learned ones do not.
    public var maximumPositions: Int
    public var norm = Norm.rms
    public var normEpsilon: Float
    /// True when the output head is the embedding matrix.
    public var tiedEmbeddings: Bool
    /// Standard deviation of newly drawn matrices.
    public var initializerRange: Float

    // MARK: Attention

    public var heads: Int
    public var keyValueHeads: Int
    /// D, the width of one head; heads · headWidth need not be `width`.
    public var headWidth: Int
    public var positions = Positions.rotary
    /// Base of the rotary angles.
    public var ropeTheta: Double
    public var ropeScaling = RotaryScaling.none
    /// Values of a head that turn; nil for all.
    public var rotaryWidth: Int?
    /// Pairs (2i, 2i + 1) turn, instead of (i, i + rotaryWidth/2).
    public var rotaryInterleaved = false
    /// Biases of the query, key and value products; of the output product.
    public var queryKeyValueBias = false
    public var attentionOutputBias = false
    /// RMS norms of every query and key head before they are turned.
    public var queryKeyNorm = false
    /// Rows that a row sees, itself among them, in the layers of `windowedLayers`; nil for all before it.
    public var slidingWindow: Int?
    /// The layers in which the window holds, one entry a layer; nil for all.
    public var windowedLayers: [Bool]?

    // MARK: Feed-forward

    /// F, the inner width of the feed-forward.
    public var hiddenWidth: Int
    public var activation = Activation.silu
    /// act(gate) ⊙ up, instead of act(up).
    public var gated = true
    public var feedForwardBias = false

    // MARK: Block

    public var parallelResidual = false
    /// Norms of what attention and feed-forward give, before they are added (GLM-4-0414).
    public var outputNorms = false
    /// The state-space mixer that stands in place of attention and feed-forward.
    public var stateSpace: StateSpace?

    public enum Norm: Sendable { case rms, layer }
    public enum Positions: Sendable { case rotary, learned }

    /// Sizes of a Mamba mixer.
    public struct StateSpace: Equatable, Sendable {
        /// I, the width inside the mixer.
        public var innerWidth: Int
        /// S, states of a channel.
        public var states: Int
        /// Taps of the causal convolution.
        public var taps: Int
        /// R, rank of the time steps' product.
        public var timeStepRank: Int
        /// Biases of the products into and out of the mixer, and of the convolution.
        public var productBias: Bool
        public var convolutionBias: Bool

        public init(innerWidth: Int, states: Int, taps: Int, timeStepRank: Int, productBias: Bool = false, convolutionBias: Bool = true) {
            self.innerWidth = innerWidth
            self.states = states
            self.taps = taps
            self.timeStepRank = timeStepRank
            self.productBias = productBias
            self.convolutionBias = convolutionBias
        }
    }

    public init(
        vocabularySize: Int, width: Int, layers: Int, heads: Int, keyValueHeads: Int, headWidth: Int, hiddenWidth: Int,
        maximumPositions: Int, normEpsilon: Float = 1e-5, ropeTheta: Double = 10_000, tiedEmbeddings: Bool = false,
        initializerRange: Float = 0.02
    ) {
        self.vocabularySize = vocabularySize
        self.width = width
        self.layers = layers
        self.heads = heads
        self.keyValueHeads = keyValueHeads
        self.headWidth = headWidth
        self.hiddenWidth = hiddenWidth
        self.maximumPositions = maximumPositions
        self.normEpsilon = normEpsilon
        self.ropeTheta = ropeTheta
        self.tiedEmbeddings = tiedEmbeddings
        self.initializerRange = initializerRange
    }

    /// heads · headWidth, the width of all queries of a token.
    public var queryWidth: Int { heads * headWidth }
    /// keyValueHeads · headWidth, the width of all keys of a token.
    public var keyWidth: Int { keyValueHeads * headWidth }

    /// The longest segment whose positions mean what they did in training; nil where any length goes.
    ///
    /// Learned positions end; the base of dynamic scaling depends on the length beyond it, so that one text's result would depend on the
    /// others read with it.
    public var positionLimit: Int? {
        guard stateSpace == nil else { return nil }
        if positions == .learned { return maximumPositions }
        if case .dynamic(_, let original) = ropeScaling { return original }
        return nil
    }

    /// How heads turn; nil where nothing does.
    var rotary: RotaryConfiguration? {
        guard stateSpace == nil, positions == .rotary else { return nil }
        let layout = RotaryLayout(headWidth: headWidth, rotaryWidth: rotaryWidth ?? headWidth, interleaved: rotaryInterleaved)
        return RotaryConfiguration(theta: ropeTheta, layout: layout, scaling: ropeScaling)
    }

    /// Rows that a row sees in this layer; nil for all before it.
    func window(layer: Int) -> Int? {
        windowedLayers.map { $0[layer] } ?? true ? slidingWindow : nil
    }
}

extension ModelConfiguration {
    /// Throws `ComputeError.invalid`, naming the field, unless a model of this shape can be built.
    ///
    /// The limits (2²⁴ for every width, 10,000 layers) keep every later product of sizes inside an `Int`.
    public func validate() throws {
        var sizes: [(String, Int, Int)] = [
            ("vocabulary size", vocabularySize, 1 << 24), ("width", width, 1 << 24), ("layers", layers, 10_000),
            ("maximum positions", maximumPositions, Int(Int32.max)),
        ]
        if let stateSpace {
            sizes += [
                ("inner width", stateSpace.innerWidth, 1 << 24), ("states", stateSpace.states, 1 << 12),
                ("taps of the convolution", stateSpace.taps, 1 << 8), ("time-step rank", stateSpace.timeStepRank, 1 << 24),
            ]
        } else {
            sizes += [
                ("heads", heads, 1 << 16), ("key-value heads", keyValueHeads, 1 << 16), ("head width", headWidth, 1 << 16),
                ("hidden width", hiddenWidth, 1 << 24),
            ]
        }
        for (name, value, limit) in sizes where value < 1 || value > limit {
            throw ComputeError.invalid("\(name) \(value) is outside 1…\(limit)")
        }
        if stateSpace == nil { try validateAttention() }
        guard normEpsilon > 0 && normEpsilon.isFinite else { throw ComputeError.invalid("norm epsilon \(normEpsilon) is not positive") }
        guard initializerRange >= 0 && initializerRange.isFinite else {
            throw ComputeError.invalid("initializer range \(initializerRange) is negative")
        }
    }

    /// What `rotaryTable` asks of the constants of a scaling.
    private func validateScaling(_ turned: Int) throws {
        func require(_ holds: Bool, _ message: String) throws {
            guard holds else { throw ComputeError.invalid("scaling of rotary positions: \(message)") }
        }
        func positive(_ values: [Double]) -> Bool { values.allSatisfy { $0 > 0 && $0.isFinite } }
        switch ropeScaling {
        case .none: break
        case .linear(let factor): try require(positive([factor]), "factor \(factor) is not positive")
        case .dynamic(let factor, let original):
            try require(positive([factor]) && original > 0, "factor \(factor) or positions \(original) are not positive")
            try require(turned > 2, "a base that grows needs more than one pair")
        case .llama3(let factor, let low, let high, let original):
            try require(
                positive([factor, low, high]) && original > 0 && high > low, "factors \(factor), \(low), \(high) do not rise from 0")
        case .yarn(let factor, let original, let fast, let slow, let attention, _):
            try require(positive([factor, fast, slow, attention]) && original > 0, "constants of YaRN must be positive")
            try require(ropeTheta > 1, "rope theta \(ropeTheta) is not above 1")
        }
    }

    private func validateAttention() throws {
        guard queryWidth <= 1 << 24 else { throw ComputeError.invalid("\(heads) heads of \(headWidth) are too wide") }
        guard heads % keyValueHeads == 0 else {
            throw ComputeError.invalid("\(heads) heads cannot share \(keyValueHeads) key-value heads")
        }
        if positions == .rotary {
            let turned = rotaryWidth ?? headWidth
            guard turned % 2 == 0 else {
                let name = rotaryWidth == nil ? "head width" : "rotary width"
                throw ComputeError.invalid("\(name) \(turned) is odd: rotary positions turn pairs")
            }
            guard turned > 0 && turned <= headWidth else {
                throw ComputeError.invalid("rotary width \(turned) is outside 2…\(headWidth), the head's")
            }
            guard ropeTheta > 0 && ropeTheta.isFinite else { throw ComputeError.invalid("rope theta \(ropeTheta) is not positive") }
            try validateScaling(turned)
        }
        if let slidingWindow, slidingWindow < 1 { throw ComputeError.invalid("sliding window \(slidingWindow) is not positive") }
        if let windowedLayers, windowedLayers.count != layers {
            throw ComputeError.invalid("\(windowedLayers.count) kinds of attention for \(layers) layers")
        }
        if parallelResidual && outputNorms { throw ComputeError.invalid("output norms in a parallel block are not known") }
    }
}
