// The tensors that a configuration asks for: each with its role, its name and its shape.

/// What a tensor does in a model. The text is its name within a block as in Hugging Face's Llama, where that model has it.
public enum TensorRole: String, CaseIterable, Sendable {
    case embedding = "model.embed_tokens.weight"
    case positions = "model.embed_positions.weight"

    /// The norm at a block's start.
    case inputNorm = "input_layernorm.weight"
    case inputNormBias = "input_layernorm.bias"
    case query = "self_attn.q_proj.weight"
    case queryBias = "self_attn.q_proj.bias"
    case key = "self_attn.k_proj.weight"
    case keyBias = "self_attn.k_proj.bias"
    case value = "self_attn.v_proj.weight"
    case valueBias = "self_attn.v_proj.bias"
    case queryNorm = "self_attn.q_norm.weight"
    case keyNorm = "self_attn.k_norm.weight"
    case output = "self_attn.o_proj.weight"
    case outputBias = "self_attn.o_proj.bias"
    /// The norm of what attention gives.
    case attentionOutputNorm = "post_self_attn_layernorm.weight"
    case feedForwardNorm = "post_attention_layernorm.weight"
    case feedForwardNormBias = "post_attention_layernorm.bias"
    case gate = "mlp.gate_proj.weight"
    case gateBias = "mlp.gate_proj.bias"
    case up = "mlp.up_proj.weight"
    case upBias = "mlp.up_proj.bias"
    case down = "mlp.down_proj.weight"
    case downBias = "mlp.down_proj.bias"
    /// The norm of what the feed-forward gives.
    case feedForwardOutputNorm = "post_mlp_layernorm.weight"

    /// Mamba's product into the mixer: the rows of the signal, and those of its gate.
    case signal = "mixer.in_proj.signal.weight"
    case signalBias = "mixer.in_proj.signal.bias"
    case signalGate = "mixer.in_proj.gate.weight"
    case signalGateBias = "mixer.in_proj.gate.bias"
    case convolution = "mixer.conv1d.weight"
    case convolutionBias = "mixer.conv1d.bias"
    /// The products that choose: low-rank time steps, what enters the states (B), what is read from them (C).
    case timeStepLow = "mixer.x_proj.time_step.weight"
    case stateInput = "mixer.x_proj.b.weight"
    case stateReading = "mixer.x_proj.c.weight"
    case timeStep = "mixer.dt_proj.weight"
    case timeStepBias = "mixer.dt_proj.bias"
    /// log(−A), the logarithm of the rates at which states decay.
    case decayLogarithm = "mixer.A_log"
    case skip = "mixer.D"
    case mixerOutput = "mixer.out_proj.weight"
    case mixerOutputBias = "mixer.out_proj.bias"

    case finalNorm = "model.norm.weight"
    case finalNormBias = "model.norm.bias"
    case head = "lm_head.weight"
}

extension TensorRole {
    /// Whether the tensor is read by products and lookups of rows alone.
    public var isMatrix: Bool {
        switch self {
        case .embedding, .positions, .query, .key, .value, .output, .gate, .up, .down, .signal, .signalGate, .timeStepLow, .stateInput,
            .stateReading, .timeStep, .mixerOutput, .head:
            true
        default: false
        }
    }
}

/// One tensor that a configuration asks for.
public struct TensorShape: Equatable, Sendable {
    public let role: TensorRole
    /// The block that it belongs to; nil for the tensors around the blocks.
    public let layer: Int?
    /// (outputs, inputs) of a matrix, (width) of a vector.
    public let shape: [Int]

    /// The model's own name for it, the same for all families: `model.layers.3.` and the role's text.
    public var name: String { layer.map { "model.layers.\($0).\(role.rawValue)" } ?? role.rawValue }
    public var count: Int { shape.reduce(1, *) }
}

extension ModelConfiguration {
    /// Every tensor, in the order of the forward pass. The head is there only when the embeddings are not tied.
    public var parameterShapes: [TensorShape] {
        var shapes = [TensorShape(role: .embedding, layer: nil, shape: [vocabularySize, width])]
        if positions == .learned && stateSpace == nil {
            shapes.append(TensorShape(role: .positions, layer: nil, shape: [maximumPositions, width]))
        }
        let block = blockShapes
        for layer in 0..<layers { shapes += block.map { TensorShape(role: $0.0, layer: layer, shape: $0.1) } }
        shapes.append(TensorShape(role: .finalNorm, layer: nil, shape: [width]))
        if norm == .layer { shapes.append(TensorShape(role: .finalNormBias, layer: nil, shape: [width])) }
        if !tiedEmbeddings { shapes.append(TensorShape(role: .head, layer: nil, shape: [vocabularySize, width])) }
        return shapes
    }

    /// Values in all tensors; tied embeddings count once.
    public var parameterCount: Int {
        let block = blockShapes.reduce(0) { $0 + $1.1.reduce(1, *) }
        let learned = positions == .learned && stateSpace == nil ? maximumPositions * width : 0
        return vocabularySize * width * (tiedEmbeddings ? 1 : 2) + learned + layers * block + (norm == .layer ? 2 : 1) * width
    }

    /// The tensors of one block.
    var blockShapes: [(TensorRole, [Int])] {
        if let stateSpace { return mixerShapes(stateSpace) }
        var shapes = normShapes(.inputNorm, .inputNormBias)
        let (Q, K) = (queryWidth, keyWidth)
        shapes += product(.query, queryKeyValueBias ? .queryBias : nil, outputs: Q, inputs: width)
        shapes += product(.key, queryKeyValueBias ? .keyBias : nil, outputs: K, inputs: width)
        shapes += product(.value, queryKeyValueBias ? .valueBias : nil, outputs: K, inputs: width)
        if queryKeyNorm { shapes += [(.queryNorm, [headWidth]), (.keyNorm, [headWidth])] }
        shapes += product(.output, attentionOutputBias ? .outputBias : nil, outputs: width, inputs: Q)
        if outputNorms { shapes.append((.attentionOutputNorm, [width])) }
        shapes += normShapes(.feedForwardNorm, .feedForwardNormBias)
        if gated { shapes += product(.gate, feedForwardBias ? .gateBias : nil, outputs: hiddenWidth, inputs: width) }
        shapes += product(.up, feedForwardBias ? .upBias : nil, outputs: hiddenWidth, inputs: width)
        shapes += product(.down, feedForwardBias ? .downBias : nil, outputs: width, inputs: hiddenWidth)
        if outputNorms { shapes.append((.feedForwardOutputNorm, [width])) }
        return shapes
    }

    private func mixerShapes(_ s: StateSpace) -> [(TensorRole, [Int])] {
        var shapes = normShapes(.inputNorm, .inputNormBias)
        shapes += product(.signal, s.productBias ? .signalBias : nil, outputs: s.innerWidth, inputs: width)
        shapes += product(.signalGate, s.productBias ? .signalGateBias : nil, outputs: s.innerWidth, inputs: width)
        shapes += product(.convolution, s.convolutionBias ? .convolutionBias : nil, outputs: s.innerWidth, inputs: s.taps)
        shapes += product(.timeStepLow, nil, outputs: s.timeStepRank, inputs: s.innerWidth)
        shapes += product(.stateInput, nil, outputs: s.states, inputs: s.innerWidth)
        shapes += product(.stateReading, nil, outputs: s.states, inputs: s.innerWidth)
        shapes += product(.timeStep, .timeStepBias, outputs: s.innerWidth, inputs: s.timeStepRank)
        shapes += [(.decayLogarithm, [s.innerWidth, s.states]), (.skip, [s.innerWidth])]
        shapes += product(.mixerOutput, s.productBias ? .mixerOutputBias : nil, outputs: width, inputs: s.innerWidth)
        return shapes
    }

    private func normShapes(_ gain: TensorRole, _ bias: TensorRole) -> [(TensorRole, [Int])] {
        norm == .rms ? [(gain, [width])] : [(gain, [width]), (bias, [width])]
    }

    private func product(_ weight: TensorRole, _ bias: TensorRole?, outputs: Int, inputs: Int) -> [(TensorRole, [Int])] {
        [(weight, [outputs, inputs])] + (bias.map { [($0, [outputs])] } ?? [])
    }
}
