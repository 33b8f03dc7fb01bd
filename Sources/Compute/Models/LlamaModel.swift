// A Llama model: a configuration and its tensors.

/// One tensor of a model.
public struct Parameter {
    /// Its Hugging Face name, for example `model.layers.0.self_attn.q_proj.weight`.
    public let name: String
    /// (rows, columns) of a matrix, (width) of a norm's gain.
    public let shape: [Int]
    /// Row-major values.
    public let value: Buffer

    /// True for matrices, the embedding among them: what weight decay applies to by default.
    public var isMatrix: Bool { shape.count >= 2 }
}

/// The parameters of a Llama model. `Scorer` and `Trainer` run it.
public final class LlamaModel {
    public let configuration: LlamaConfiguration
    /// In the order of `configuration.parameterShapes`.
    public let parameters: [Parameter]
    let tensors: LlamaTensors

    /// A model over buffers that the caller made, by Hugging Face name; nothing is copied.
    ///
    /// - Throws: `ComputeError.invalid` for an impossible configuration, a tensor that is missing or not known, or one whose count
    ///   disagrees with its shape.
    public init(_ configuration: LlamaConfiguration, buffers: [String: Buffer]) throws {
        try configuration.validate()
        var parameters: [Parameter] = []
        for (name, shape) in configuration.parameterShapes {
            guard let buffer = buffers[name] else { throw ComputeError.invalid("tensor '\(name)' is missing") }
            let count = shape.reduce(1, *)
            guard buffer.count == count else {
                throw ComputeError.invalid("tensor '\(name)' has \(buffer.count) values, its shape \(shape) needs \(count)")
            }
            parameters.append(Parameter(name: name, shape: shape, value: buffer))
        }
        if parameters.count != buffers.count {
            let known = Set(parameters.map(\.name))
            let extra = buffers.keys.filter { !known.contains($0) }.sorted()[0]
            throw ComputeError.invalid("tensor '\(extra)' does not belong to this model")
        }
        self.configuration = configuration
        self.parameters = parameters
        tensors = LlamaTensors(parameters.map(\.value), configuration)
    }

    /// A new model: matrices normal(0, initializerRange), norms 1. The same seed gives the same bytes for any number of threads.
    ///
    /// - Throws: `ComputeError.invalid` for an impossible configuration.
    public static func random(_ configuration: LlamaConfiguration, seed: UInt64, pool: ThreadPool? = nil) throws -> LlamaModel {
        try configuration.validate()
        let generator = Philox(seed: seed)
        var buffers: [String: Buffer] = [:]
        for (stream, (name, shape)) in configuration.parameterShapes.enumerated() {
            let buffer = Buffer(count: shape.reduce(1, *))
            let values = UnsafeMutableBufferPointer(start: buffer.pointer, count: buffer.count)
            if shape.count == 1 {
                values.update(repeating: 1)
            } else {
                fill(values, generator, stream: UInt32(stream), deviation: Double(configuration.initializerRange), pool)
            }
            buffers[name] = buffer
        }
        return try LlamaModel(configuration, buffers: buffers)
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

    /// The parameter with this Hugging Face name.
    public func parameter(_ name: String) -> Parameter? {
        parameters.first { $0.name == name }
    }

    /// This model if all its memory can be written, else a copy that can: what training needs of a mapped file.
    public func writable() -> LlamaModel {
        guard parameters.contains(where: { $0.value.isReadOnly }) else { return self }
        let copies = parameters.map { parameter in
            let copy = Buffer(count: parameter.value.count)
            copy.pointer.update(from: parameter.value.pointer, count: copy.count)
            return Parameter(name: parameter.name, shape: parameter.shape, value: copy)
        }
        return LlamaModel(configuration, checked: copies)
    }

    private init(_ configuration: LlamaConfiguration, checked parameters: [Parameter]) {
        self.configuration = configuration
        self.parameters = parameters
        tensors = LlamaTensors(parameters.map(\.value), configuration)
    }

    /// Throws `ComputeError.invalid` for an id outside the vocabulary.
    public func validate(ids: [UInt32]) throws {
        let limit = UInt32(configuration.vocabularySize)
        guard let place = ids.firstIndex(where: { $0 >= limit }) else { return }
        throw ComputeError.invalid("token id \(ids[place]) at position \(place) is outside the vocabulary of \(limit)")
    }
}
