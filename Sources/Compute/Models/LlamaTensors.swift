// A model's tensors by their role: the same view for values, gradients and moments.

/// The tensors of one block.
struct LlamaLayer {
    let attentionNorm: Buffer
    let query: Buffer
    let key: Buffer
    let value: Buffer
    let output: Buffer
    let feedForwardNorm: Buffer
    let gate: Buffer
    let up: Buffer
    let down: Buffer
}

/// All tensors of a model, or one gradient for each.
struct LlamaTensors {
    let embedding: Buffer
    let layers: [LlamaLayer]
    let finalNorm: Buffer
    /// The output head; the embedding itself when tied.
    let head: Buffer

    /// Takes buffers in the order of `LlamaConfiguration.parameterShapes`.
    init(_ buffers: [Buffer], _ configuration: LlamaConfiguration) {
        let perLayer = 9
        precondition(
            buffers.count == 2 + perLayer * configuration.layers + (configuration.tiedEmbeddings ? 0 : 1),
            "bug: \(buffers.count) tensors for \(configuration.layers) layers")
        embedding = buffers[0]
        layers = (0..<configuration.layers).map { layer in
            let b = buffers[(1 + perLayer * layer)..<(1 + perLayer * (layer + 1))]
            let i = b.startIndex
            return LlamaLayer(
                attentionNorm: b[i], query: b[i + 1], key: b[i + 2], value: b[i + 3], output: b[i + 4],
                feedForwardNorm: b[i + 5], gate: b[i + 6], up: b[i + 7], down: b[i + 8])
        }
        finalNorm = buffers[1 + perLayer * configuration.layers]
        head = configuration.tiedEmbeddings ? buffers[0] : buffers[2 + perLayer * configuration.layers]
    }
}
