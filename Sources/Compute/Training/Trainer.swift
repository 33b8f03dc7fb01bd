// One optimiser step after another: forward, loss, backward, clipping, AdamW.

/// Trains a model in place.
///
/// Holds, beside the parameters, a gradient and two moments of the same size, and activations for the largest batch so far
/// (`LlamaConfiguration.trainingBytes`). A step's result is the same bytes for any number of threads.
public final class Trainer {
    /// The model in training: the one given, or a copy if that one lies in a read-only file.
    public let model: LlamaModel
    public let settings: AdamWSettings
    /// Updates done.
    public private(set) var steps = 0
    /// First and second moment of every parameter, in the model's order; for checkpoints to save and to fill.
    public let moments: [(name: String, first: Buffer, second: Buffer)]
    /// The gradients of the last step, before clipping, in the model's order.
    let gradients: [Buffer]

    private let network: LlamaNetwork
    private let dWeights: LlamaTensors
    private var rotary: RotaryCache
    private var activations: Activations?

    public init(_ model: LlamaModel, settings: AdamWSettings = AdamWSettings(), operations: any Operations) {
        self.model = model.writable()
        self.settings = settings
        network = LlamaNetwork(self.model, operations)
        gradients = self.model.parameters.map { Buffer(count: $0.value.count) }
        moments = self.model.parameters.map { ($0.name, Buffer(count: $0.value.count), Buffer(count: $0.value.count)) }
        dWeights = LlamaTensors(gradients, model.configuration)
        rotary = RotaryCache(model.configuration)
    }

    public convenience init(_ model: LlamaModel, settings: AdamWSettings = AdamWSettings(), pool: ThreadPool) {
        self.init(model, settings: settings, operations: CPUOperations(pool: pool))
    }

    /// Goes on from saved state: the caller has filled `model.parameters` and `moments` as they were after `steps` updates.
    public func restore(steps: Int) {
        precondition(steps >= 0, "bug: \(steps) steps")
        self.steps = steps
    }

    /// One update from one batch.
    ///
    /// - Throws: `ComputeError.invalid` for a batch that does not fit the model, has no target, or lacks the teacher's losses;
    ///   `ComputeError.nonFinite` when a loss or the gradient's norm is not finite. Parameters, moments and `steps` are then unchanged.
    /// - Cost: `LlamaConfiguration.trainingOperations` a token; the guided loss pays the head's backward product for selected tokens only.
    public func step(_ batch: TrainingBatch, loss: TrainingLoss, learningRate: Double) throws -> StepReport {
        var report = try accumulate(batch, loss: loss)
        report.gradientNorm = try gradientNorm()
        steps += 1
        for (i, parameter) in model.parameters.enumerated() {
            let update = settings.update(
                step: steps, learningRate: learningRate, isMatrix: parameter.isMatrix, gradientNorm: report.gradientNorm)
            network.operations.adamW(
                value: parameter.value, first: moments[i].first, second: moments[i].second, gradient: gradients[i],
                count: parameter.value.count, update: update)
        }
        return report
    }

    /// The loss of a batch and, in `gradients`, its gradient; nothing else changes.
    func accumulate(_ batch: TrainingBatch, loss: TrainingLoss) throws -> StepReport {
        try batch.validate(vocabularySize: model.configuration.vocabularySize)
        let tokens = PackedTokens(ids: batch.inputs, splits: batch.splits)
        let memory = reserve(tokens.count)
        let table = rotary.table(tokens.longest)
        for gradient in gradients { network.operations.zero(gradient, count: gradient.count) }
        forward(tokens, memory, table: table)
        let report = try head(batch, loss: loss, memory)
        backward(tokens, memory, table: table)
        return report
    }

    private func forward(_ tokens: PackedTokens, _ a: Activations, table: Buffer) {
        let (c, operations) = (model.configuration, network.operations)
        operations.embeddingForward(x: a.layers[0].x, ids: tokens.ids, table: network.weights.embedding, width: c.width)
        for layer in 0..<c.layers {
            network.blockForward(
                layer, next: a.output(of: layer), a.layers[layer], normed: a.scratch.normed, h: a.scratch.h, tokens: tokens, table: table)
        }
        operations.rmsNormForward(
            y: a.headInput, r: a.lastRoot, x: a.last, g: network.weights.finalNorm, rows: tokens.count, width: c.width,
            epsilon: c.normEpsilon)
    }

    /// From the gradient of the head's input back to the embedding.
    private func backward(_ tokens: PackedTokens, _ a: Activations, table: Buffer) {
        let (c, operations) = (model.configuration, network.operations)
        operations.zero(a.dx, count: tokens.count * c.width)
        operations.rmsNormBackward(
            dx: a.dx, dg: dWeights.finalNorm, dy: a.dHeadInput, x: a.last, g: network.weights.finalNorm, r: a.lastRoot,
            rows: tokens.count, width: c.width)
        for layer in (0..<c.layers).reversed() {
            network.blockBackward(layer, dx: a.dx, gradients: dWeights, a.layers[layer], a.scratch, tokens: tokens, table: table)
        }
        operations.embeddingBackward(dtable: dWeights.embedding, dx: a.dx, ids: tokens.ids, width: c.width)
    }

    /// The norm of all gradients, summed in Double in the model's order.
    private func gradientNorm() throws -> Double {
        var sum = 0.0
        for gradient in gradients { sum += network.operations.sumOfSquares(gradient, count: gradient.count) }
        guard sum.isFinite else { throw ComputeError.nonFinite("gradient norm is \(sum.squareRoot()) at step \(steps + 1)") }
        return sum.squareRoot()
    }

    private func reserve(_ rows: Int) -> Activations {
        if let activations, activations.rows >= rows { return activations }
        activations = nil
        let grown = Activations(model.configuration, rows: rows)
        activations = grown
        return grown
    }
}

// MARK: - The loss

extension Trainer {
    /// Losses of all targets, and the gradient of the chosen mean in the head's input and weights.
    private func head(_ batch: TrainingBatch, loss: TrainingLoss, _ a: Activations) throws -> StepReport {
        let (c, rows) = (model.configuration, batch.inputs.count)
        network.operations.zero(a.dHeadInput, count: rows * c.width)
        let tokens = batch.targets.count(where: { $0 >= 0 })
        let mapped = zip(batch.targets, batch.teacherLosses ?? []).count(where: { $0 >= 0 && !$1.isNaN })
        if case .guided(let select) = loss {
            guard let teacherLosses = batch.teacherLosses else { throw ComputeError.invalid("guided loss, but the batch has no teacher losses") }
            guard select > 0 && select <= 1 else { throw ComputeError.invalid("share of selected tokens \(select) is outside (0, 1]") }
            // When every token is chosen anyway, one pass over the logits is enough.
            if guidedCount(mapped: mapped, select: select) < mapped {
                return try guidedHead(batch, teacherLosses: teacherLosses, select: select, a)
            }
        }
        let weights = batch.targets.map { $0 >= 0 ? 1 / Float(tokens) : 0 }
        network.operations.headForwardBackward(
            losses: a.losses, dx: a.dHeadInput, dw: dWeights.head, x: a.headInput, w: network.weights.head, targets: batch.targets,
            weights: weights, rows: rows, width: c.width, vocabulary: c.vocabularySize)
        let mean = try mean(a.losses, rows) { batch.targets[$0] >= 0 }
        return StepReport(loss: mean, crossEntropy: mean, tokens: tokens, mapped: mapped, selected: tokens, gradientNorm: 0)
    }

    /// Losses of all targets first, then the backward product for those that carry loss.
    private func guidedHead(_ batch: TrainingBatch, teacherLosses: [Float], select: Double, _ a: Activations) throws -> StepReport {
        let (c, rows) = (model.configuration, batch.inputs.count)
        network.operations.headForward(
            losses: a.losses, x: a.headInput, w: network.weights.head, targets: batch.targets, rows: rows, width: c.width,
            vocabulary: c.vocabularySize)
        let crossEntropy = try mean(a.losses, rows) { batch.targets[$0] >= 0 }
        let selection = guidedSelection(
            studentLosses: a.losses.view(0..<rows).array, teacherLosses: teacherLosses, targets: batch.targets, select: select)
        let weights = selection.carriesLoss.map { $0 ? 1 / Float(selection.selected) : 0 }
        network.operations.headBackward(
            dx: a.dHeadInput, dw: dWeights.head, x: a.headInput, w: network.weights.head, targets: batch.targets, weights: weights,
            rows: rows, width: c.width, vocabulary: c.vocabularySize)
        return StepReport(
            loss: try mean(a.losses, rows) { selection.carriesLoss[$0] }, crossEntropy: crossEntropy,
            tokens: batch.targets.count(where: { $0 >= 0 }), mapped: selection.mapped, selected: selection.selected, gradientNorm: 0)
    }

    /// Mean over the rows that `takes` names, in Double, in the order of the rows.
    private func mean(_ losses: Buffer, _ rows: Int, _ takes: (Int) -> Bool) throws -> Double {
        var (sum, count) = (0.0, 0)
        for i in 0..<rows where takes(i) {
            sum += Double(losses.pointer[i])
            count += 1
        }
        guard sum.isFinite else { throw ComputeError.nonFinite("loss is \(sum / Double(count)) at step \(steps + 1)") }
        return sum / Double(count)
    }
}
