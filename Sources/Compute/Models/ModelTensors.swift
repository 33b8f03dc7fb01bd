// A model's tensors as the network uses them: the same view for values and gradients.

/// A product with a matrix (outputs, inputs), and the bias that follows it.
struct LinearMap {
    let weight: Weight
    let bias: Buffer?
    let inputs: Int
    let outputs: Int
}

/// A norm's gain, and the bias that a layer norm has.
struct NormTensors {
    let gain: Buffer
    let bias: Buffer?
}

/// Attention and feed-forward.
struct DecoderTensors {
    let inputNorm: NormTensors
    let query: LinearMap
    let key: LinearMap
    let value: LinearMap
    let queryNorm: NormTensors?
    let keyNorm: NormTensors?
    let output: LinearMap
    let attentionOutputNorm: NormTensors?
    let feedForwardNorm: NormTensors
    let gate: LinearMap?
    let up: LinearMap
    let down: LinearMap
    let feedForwardOutputNorm: NormTensors?
}

/// A Mamba mixer; see `TensorRole`.
struct MixerTensors {
    let inputNorm: NormTensors
    let signal: LinearMap
    let gate: LinearMap
    let convolution: LinearMap
    let timeStepLow: LinearMap
    let stateInput: LinearMap
    let stateReading: LinearMap
    let timeStep: LinearMap
    let decayLogarithm: Buffer
    let skip: Buffer
    let output: LinearMap
}

enum BlockTensors {
    case decoder(DecoderTensors)
    case mixer(MixerTensors)
}

/// All tensors of a model, or one gradient for each.
struct ModelTensors {
    let embedding: Weight
    let positions: Weight?
    let blocks: [BlockTensors]
    let finalNorm: NormTensors
    /// The output head; the embedding itself when tied.
    let head: Weight

    /// Takes tensors in the order of `ModelConfiguration.parameterShapes`.
    init(_ weights: [Weight], _ configuration: ModelConfiguration) {
        let shapes = configuration.parameterShapes
        precondition(weights.count == shapes.count, "bug: \(weights.count) tensors for \(shapes.count) shapes")
        var around = TensorsByRole()
        var inside = [TensorsByRole](repeating: TensorsByRole(), count: configuration.layers)
        for (shape, weight) in zip(shapes, weights) {
            if let layer = shape.layer { inside[layer].add(shape, weight) } else { around.add(shape, weight) }
        }
        embedding = around.matrix(.embedding)
        positions = around.optionalMatrix(.positions)
        blocks = inside.map { configuration.stateSpace == nil ? .decoder($0.decoder) : .mixer($0.mixer) }
        finalNorm = around.norm(.finalNorm, .finalNormBias)!
        head = configuration.tiedEmbeddings ? embedding : around.matrix(.head)
    }
}

/// Tensors of one block, found by role.
private struct TensorsByRole {
    private var tensors: [TensorRole: (shape: [Int], weight: Weight)] = [:]

    mutating func add(_ shape: TensorShape, _ weight: Weight) {
        tensors[shape.role] = (shape.shape, weight)
    }

    func matrix(_ role: TensorRole) -> Weight {
        guard let found = tensors[role] else { preconditionFailure("bug: no tensor for '\(role.rawValue)'") }
        return found.weight
    }

    func optionalMatrix(_ role: TensorRole) -> Weight? { tensors[role]?.weight }

    subscript(role: TensorRole) -> Buffer {
        matrix(role).buffer
    }

    func optional(_ role: TensorRole) -> Buffer? { tensors[role]?.weight.buffer }

    func norm(_ gain: TensorRole, _ bias: TensorRole? = nil) -> NormTensors? {
        optional(gain).map { NormTensors(gain: $0, bias: bias.flatMap { optional($0) }) }
    }

    func linear(_ weight: TensorRole, _ bias: TensorRole? = nil) -> LinearMap? {
        guard let found = tensors[weight] else { return nil }
        return LinearMap(
            weight: found.weight, bias: bias.flatMap { optional($0) }, inputs: found.shape[1], outputs: found.shape[0])
    }

    var decoder: DecoderTensors {
        DecoderTensors(
            inputNorm: norm(.inputNorm, .inputNormBias)!, query: linear(.query, .queryBias)!, key: linear(.key, .keyBias)!,
            value: linear(.value, .valueBias)!, queryNorm: norm(.queryNorm), keyNorm: norm(.keyNorm), output: linear(.output, .outputBias)!,
            attentionOutputNorm: norm(.attentionOutputNorm), feedForwardNorm: norm(.feedForwardNorm, .feedForwardNormBias)!,
            gate: linear(.gate, .gateBias), up: linear(.up, .upBias)!, down: linear(.down, .downBias)!,
            feedForwardOutputNorm: norm(.feedForwardOutputNorm))
    }

    var mixer: MixerTensors {
        MixerTensors(
            inputNorm: norm(.inputNorm, .inputNormBias)!, signal: linear(.signal, .signalBias)!,
            gate: linear(.signalGate, .signalGateBias)!, convolution: linear(.convolution, .convolutionBias)!,
            timeStepLow: linear(.timeStepLow)!, stateInput: linear(.stateInput)!, stateReading: linear(.stateReading)!,
            timeStep: linear(.timeStep, .timeStepBias)!, decayLogarithm: self[.decayLogarithm], skip: self[.skip],
            output: linear(.mixerOutput, .mixerOutputBias)!)
    }
}
