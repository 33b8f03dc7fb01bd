// Log-probabilities of given tokens: a forward pass that keeps nothing, and a head that never holds logits of all rows.

/// Scores tokens with a model.
///
/// Whole segments are read together, about `chunkTokens` rows at a time, in memory that depends on that and on the longest segment,
/// never on how much is scored. A token's result is the same bytes for any number of threads and whatever is scored beside it.
public final class Scorer {
    public let model: LlamaModel
    private let network: LlamaNetwork
    private var rotary: RotaryCache
    private var memory: ScoringMemory?

    /// Rows read at a time, unless one segment is longer. Products gain nothing from more; activations stay small.
    public static let chunkTokens = 2048

    public init(_ model: LlamaModel, operations: any Operations) {
        self.model = model
        network = LlamaNetwork(model, operations)
        rotary = RotaryCache(model.configuration)
    }

    public convenience init(_ model: LlamaModel, pool: ThreadPool) {
        self.init(model, operations: CPUOperations(pool: pool))
    }

    /// Natural log of p(ids[t] | the ids before it in its segment); NaN for the first of each segment.
    ///
    /// - ids: (N), inside the vocabulary. splits: segment i is `splits[i]..<splits[i + 1]`, from 0 to N. Result: (N).
    /// - Traps on an id outside the vocabulary (`LlamaModel.validate(ids:)`) and on splits that do not fit.
    /// - Cost: `LlamaConfiguration.scoringOperations` a token.
    public func logProbabilities(ids: [UInt32], splits: [Int]) -> [Float] {
        var targets = [Int32](repeating: -1, count: ids.count)
        for segment in 1..<max(splits.count, 1) where splits[segment] > splits[segment - 1] {
            for t in splits[segment - 1]..<(splits[segment] - 1) { targets[t] = Int32(bitPattern: ids[t + 1]) }
        }
        let losses = losses(inputs: ids, splits: splits, targets: targets)
        var result = [Float](repeating: .nan, count: ids.count)
        for t in 0..<ids.count where targets[t] >= 0 { result[t + 1] = -losses[t] }
        return result
    }

    /// −log p(targets[t] | inputs up to and with t) in nats; NaN where the target is negative.
    ///
    /// Shapes, traps and cost as above; equal to what `Trainer` computes for the same rows, bit for bit.
    public func losses(inputs: [UInt32], splits: [Int], targets: [Int32]) -> [Float] {
        precondition(targets.count == inputs.count, "bug: \(targets.count) targets for \(inputs.count) inputs")
        var result: [Float] = []
        result.reserveCapacity(inputs.count)
        for group in segmentGroups(splits, limit: Scorer.chunkTokens) {
            let rows = splits[group.lowerBound]..<splits[group.upperBound]
            let tokens = PackedTokens(ids: inputs, splits: splits, group)
            result += losses(tokens, targets: Array(targets[rows]))
        }
        precondition(result.count == inputs.count, "bug: splits end at \(result.count) of \(inputs.count) rows")
        return result
    }

    private func losses(_ tokens: PackedTokens, targets: [Int32]) -> [Float] {
        let (c, operations) = (model.configuration, network.operations)
        let memory = reserve(tokens.count)
        let table = rotary.table(tokens.longest)
        operations.embeddingForward(x: memory.layer.x, ids: tokens.ids, table: network.weights.embedding, width: c.width)
        for layer in 0..<c.layers {
            network.blockForward(
                layer, next: memory.layer.x, memory.layer, normed: memory.normed, h: memory.layer.gate, tokens: tokens, table: table)
        }
        operations.rmsNormForward(
            y: memory.normed, r: nil, x: memory.layer.x, g: network.weights.finalNorm, rows: tokens.count, width: c.width,
            epsilon: c.normEpsilon)
        operations.headForward(
            losses: memory.losses, x: memory.normed, w: network.weights.head, targets: targets, rows: tokens.count, width: c.width,
            vocabulary: c.vocabularySize)
        return memory.losses.view(0..<tokens.count).array
    }

    private func reserve(_ rows: Int) -> ScoringMemory {
        if let memory, memory.rows >= rows { return memory }
        memory = nil
        let grown = ScoringMemory(model.configuration, rows: rows)
        memory = grown
        return grown
    }
}

/// Buffers of a forward pass without a backward one: every layer uses the same.
struct ScoringMemory {
    let rows: Int
    let layer: LayerBuffers
    let normed: Buffer
    let losses: Buffer

    init(_ c: LlamaConfiguration, rows N: Int) {
        rows = N
        layer = LayerBuffers(
            x: Buffer(count: N * c.width), q: Buffer(count: N * c.queryWidth), k: Buffer(count: N * c.keyWidth),
            v: Buffer(count: N * c.keyWidth), o: Buffer(count: N * c.queryWidth), middle: Buffer(count: N * c.width),
            gate: Buffer(count: N * c.hiddenWidth), up: Buffer(count: N * c.hiddenWidth), attentionRoot: nil, feedForwardRoot: nil,
            logSumExp: nil)
        normed = Buffer(count: N * c.width)
        losses = Buffer(count: N)
    }

    /// float32 values that these buffers hold for one row.
    static func values(_ c: LlamaConfiguration) -> Int {
        3 * c.width + 2 * c.queryWidth + 2 * c.keyWidth + 2 * c.hiddenWidth + 1
    }
}
