// A model: a configuration and its tensors.
import Glibc

/// One tensor of a model.
public struct Parameter {
    /// What it is for, its block and its shape.
    public let tensor: TensorShape
    /// Row-major values, or, of a model opened for scoring, as its file stores them.
    public let weight: Weight
    /// The values in memory. Traps for a stored matrix.
    public var value: Buffer { weight.buffer }

    init(tensor: TensorShape, weight: Weight) {
        (self.tensor, self.weight) = (tensor, weight)
    }

    init(tensor: TensorShape, value: Buffer) { self.init(tensor: tensor, weight: .values(value)) }

    /// The model's own name for it, for example `model.layers.0.self_attn.q_proj.weight`.
    public var name: String { tensor.name }
    /// (outputs, inputs) of a matrix, (width) of a vector.
    public var shape: [Int] { tensor.shape }
    /// True for matrices, the embedding among them.
    public var isMatrix: Bool { shape.count >= 2 }
    /// What weight decay applies to: matrices, but for the logarithms of a state space's decay rates.
    public var decays: Bool { isMatrix && tensor.role != .decayLogarithm }
}

/// The parameters of a model. `Scorer` and `Trainer` run it.
public final class Model {
    public let configuration: ModelConfiguration
    /// In the order of `configuration.parameterShapes`.
    public let parameters: [Parameter]
    let tensors: ModelTensors

    /// A model over buffers that the caller made, by their name in `ModelConfiguration.parameterShapes`; nothing is copied.
    ///
    /// - Throws: `ComputeError.invalid` for an impossible configuration, a tensor that is missing or not known, or one whose count
    ///   disagrees with its shape.
    public convenience init(_ configuration: ModelConfiguration, buffers: [String: Buffer]) throws {
        try self.init(configuration, weights: buffers.mapValues { .values($0) })
    }

    /// The same of weights, some of which may be stored matrices: for a model that is only scored with.
    public convenience init(_ configuration: ModelConfiguration, weights: [String: Weight]) throws {
        try configuration.validate()
        var parameters: [Parameter] = []
        for tensor in configuration.parameterShapes {
            guard let weight = weights[tensor.name] else { throw ComputeError.invalid("tensor '\(tensor.name)' is missing") }
            guard weight.count == tensor.count else {
                throw ComputeError.invalid(
                    "tensor '\(tensor.name)' has \(weight.count) values, its shape \(tensor.shape) needs \(tensor.count)")
            }
            parameters.append(Parameter(tensor: tensor, weight: weight))
        }
        if parameters.count != weights.count {
            let known = Set(parameters.map(\.name))
            let extra = weights.keys.filter { !known.contains($0) }.sorted()[0]
            throw ComputeError.invalid("tensor '\(extra)' does not belong to this model")
        }
        self.init(configuration, checked: parameters)
    }

    private init(_ configuration: ModelConfiguration, checked parameters: [Parameter]) {
        self.configuration = configuration
        self.parameters = parameters
        tensors = ModelTensors(parameters.map(\.weight), configuration)
    }

    /// The numbers that products may multiply without losing more than the stored weights have: bfloat16 where every matrix is stored in it or
    /// quantised, else float32.
    public var storedPrecision: Precision {
        let matrices = parameters.filter(\.tensor.role.isMatrix)
        let isCoarse = matrices.allSatisfy { parameter in
            if case .stored(let matrix) = parameter.weight { matrix.type != .f16 } else { false }
        }
        return isCoarse ? .bfloat16 : .float32
    }

    /// The parameter with this name.
    public func parameter(_ name: String) -> Parameter? {
        parameters.first { $0.name == name }
    }

    /// This model if all its memory can be written, else a copy that can: what training needs of a mapped file.
    public func writable() -> Model {
        guard parameters.contains(where: { $0.value.isReadOnly }) else { return self }
        let copies = parameters.map { parameter in
            let copy = Buffer(count: parameter.value.count)
            copy.pointer.update(from: parameter.value.pointer, count: copy.count)
            return Parameter(tensor: parameter.tensor, value: copy)
        }
        return Model(configuration, checked: copies)
    }

    /// Throws `ComputeError.invalid` for an id outside the vocabulary.
    public func validate(ids: [UInt32]) throws {
        let limit = UInt32(configuration.vocabularySize)
        guard let place = ids.firstIndex(where: { $0 >= limit }) else { return }
        throw ComputeError.invalid("token id \(ids[place]) at position \(place) is outside the vocabulary of \(limit)")
    }
}

// MARK: - New models

extension Model {
    /// A new model: matrices normal(0, initializerRange), gains 1, biases 0; a state space as Mamba's authors begin it.
    ///
    /// The same seed gives the same bytes for any number of threads.
    /// - Throws: `ComputeError.invalid` for an impossible configuration.
    public static func random(_ configuration: ModelConfiguration, seed: UInt64, pool: ThreadPool? = nil) throws -> Model {
        try configuration.validate()
        let generator = Philox(seed: seed)
        var parameters: [Parameter] = []
        for (stream, tensor) in configuration.parameterShapes.enumerated() {
            let buffer = Buffer(count: tensor.count)
            let values = UnsafeMutableBufferPointer(start: buffer.pointer, count: buffer.count)
            switch start(tensor.role, configuration) {
            case .constant(let value): values.update(repeating: value)
            case .normal(let deviation): fill(values, generator, stream: UInt32(stream), deviation: deviation, pool)
            case .decayRates: for i in values.indices { values[i] = Float(log(Double(i % tensor.shape[1] + 1))) }
            case .timeSteps:
                var random = Xoshiro256(seed: seed, stream: UInt64(stream))
                for i in values.indices { values[i] = timeStepBias(random.uniform()) }
            }
            parameters.append(Parameter(tensor: tensor, value: buffer))
        }
        return Model(configuration, checked: parameters)
    }

    private enum Start {
        case constant(Float)
        case normal(Double)
        case decayRates
        case timeSteps
    }

    /// What a new tensor holds. Source of the state space's: Gu & Dao 2023, as transformers' `init_mamba_weights`; its uniform
    /// distributions become normal ones of the same deviation.
    private static func start(_ role: TensorRole, _ c: ModelConfiguration) -> Start {
        switch role {
        case .inputNorm, .queryNorm, .keyNorm, .attentionOutputNorm, .feedForwardNorm, .feedForwardOutputNorm, .finalNorm, .skip:
            return .constant(1)
        case .inputNormBias, .queryBias, .keyBias, .valueBias, .outputBias, .feedForwardNormBias, .gateBias, .upBias, .downBias,
            .signalBias, .signalGateBias, .convolutionBias, .mixerOutputBias, .finalNormBias:
            return .constant(0)
        case .decayLogarithm: return .decayRates
        case .timeStepBias: return .timeSteps
        case .timeStep: return .normal(1 / (3 * Double(c.stateSpace?.timeStepRank ?? 1)).squareRoot())
        case .convolution: return .normal(1 / (3 * Double(c.stateSpace?.taps ?? 1)).squareRoot())
        case .embedding, .positions, .query, .key, .value, .output, .gate, .up, .down, .signal, .signalGate, .timeStepLow, .stateInput,
            .stateReading, .mixerOutput, .head:
            return .normal(Double(c.initializerRange))
        }
    }

    /// softplus⁻¹ of a time step between 0.001 and 0.1, uniform in its logarithm.
    private static func timeStepBias(_ uniform: Double) -> Float {
        let step = max(exp(uniform * (log(0.1) - log(0.001)) + log(0.001)), 1e-4)
        return Float(step + log(-expm1(-step)))
    }

    private static func fill(
        _ values: UnsafeMutableBufferPointer<Float>, _ generator: Philox, stream: UInt32, deviation: Double, _ pool: ThreadPool?
    ) {
        let chunk = 1 << 16
        let tasks = (values.count + chunk - 1) / chunk
        let body = { (task: Int, _: Int) in
            let part = UnsafeMutableBufferPointer(rebasing: values[task * chunk..<min((task + 1) * chunk, values.count)])
            generator.normals(part, deviation: deviation, stream: stream, firstBlock: task * chunk / 4)
        }
        if let pool {
            pool.run(tasks, body)
        } else {
            for task in 0..<tasks { body(task, 0) }
        }
    }
}
