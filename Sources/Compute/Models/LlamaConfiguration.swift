// The shape of a Llama-family model, and the tensors that follow from it.

/// Sizes and constants of a Llama model: pre-norm blocks of rotary grouped-query attention and a gated SiLU feed-forward.
///
/// - Source: Touvron et al. 2023; tensor names and layouts as in Hugging Face's `LlamaForCausalLM`.
public struct LlamaConfiguration: Equatable, Sendable {
    public var vocabularySize: Int
    /// C, the width of the residual stream.
    public var width: Int
    public var layers: Int
    public var heads: Int
    public var keyValueHeads: Int
    /// D, the width of one head; heads · headWidth need not be `width`.
    public var headWidth: Int
    /// F, the inner width of the feed-forward.
    public var hiddenWidth: Int
    /// Positions that the model was made for. Nothing here enforces it: rotary positions go on.
    public var maximumPositions: Int
    public var normEpsilon: Float
    public var ropeTheta: Double
    /// True when the output head is the embedding matrix.
    public var tiedEmbeddings: Bool
    /// Standard deviation of newly drawn matrices.
    public var initializerRange: Float

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
    /// How heads turn with their position: whole, in halves, without scaling.
    public var rotary: RotaryConfiguration { RotaryConfiguration(theta: ropeTheta, layout: RotaryLayout(headWidth: headWidth)) }

    /// Throws `ComputeError.invalid`, naming the field, unless a model of this shape can be built.
    ///
    /// The limits (2²⁴ for every width, 10,000 layers) keep every later product of sizes inside an `Int`.
    public func validate() throws {
        let sizes: [(String, Int, Int)] = [
            ("vocabulary size", vocabularySize, 1 << 24), ("width", width, 1 << 24), ("layers", layers, 10_000),
            ("heads", heads, 1 << 16), ("key-value heads", keyValueHeads, 1 << 16), ("head width", headWidth, 1 << 16),
            ("hidden width", hiddenWidth, 1 << 24), ("maximum positions", maximumPositions, Int(Int32.max)),
        ]
        for (name, value, limit) in sizes where value < 1 || value > limit {
            throw ComputeError.invalid("\(name) \(value) is outside 1…\(limit)")
        }
        guard queryWidth <= 1 << 24 else { throw ComputeError.invalid("\(heads) heads of \(headWidth) are too wide") }
        guard heads % keyValueHeads == 0 else {
            throw ComputeError.invalid("\(heads) heads cannot share \(keyValueHeads) key-value heads")
        }
        guard headWidth % 2 == 0 else { throw ComputeError.invalid("head width \(headWidth) is odd: rotary positions turn pairs") }
        guard normEpsilon > 0 && normEpsilon.isFinite else { throw ComputeError.invalid("norm epsilon \(normEpsilon) is not positive") }
        guard ropeTheta > 0 && ropeTheta.isFinite else { throw ComputeError.invalid("rope theta \(ropeTheta) is not positive") }
        guard initializerRange >= 0 && initializerRange.isFinite else {
            throw ComputeError.invalid("initializer range \(initializerRange) is negative")
        }
    }

    /// Every tensor with its Hugging Face name and shape (rows, columns), in the order of the forward pass.
    ///
    /// `lm_head.weight` is there only when the embeddings are not tied.
    public var parameterShapes: [(name: String, shape: [Int])] {
        var shapes: [(name: String, shape: [Int])] = [("model.embed_tokens.weight", [vocabularySize, width])]
        for layer in 0..<layers {
            let prefix = "model.layers.\(layer)."
            shapes.append((prefix + "input_layernorm.weight", [width]))
            shapes.append((prefix + "self_attn.q_proj.weight", [queryWidth, width]))
            shapes.append((prefix + "self_attn.k_proj.weight", [keyWidth, width]))
            shapes.append((prefix + "self_attn.v_proj.weight", [keyWidth, width]))
            shapes.append((prefix + "self_attn.o_proj.weight", [width, queryWidth]))
            shapes.append((prefix + "post_attention_layernorm.weight", [width]))
            shapes.append((prefix + "mlp.gate_proj.weight", [hiddenWidth, width]))
            shapes.append((prefix + "mlp.up_proj.weight", [hiddenWidth, width]))
            shapes.append((prefix + "mlp.down_proj.weight", [width, hiddenWidth]))
        }
        shapes.append(("model.norm.weight", [width]))
        if !tiedEmbeddings { shapes.append(("lm_head.weight", [vocabularySize, width])) }
        return shapes
    }

    /// Values in all tensors; tied embeddings count once.
    public var parameterCount: Int {
        let attention = 2 * width * queryWidth + 2 * width * keyWidth
        let layer = attention + 3 * width * hiddenWidth + 2 * width
        return vocabularySize * width * (tiedEmbeddings ? 1 : 2) + layers * layer + width
    }
}
