// The loss of a step: cross-entropy of the tokens that carry it, mixed with distillation, and the backward pass from the head on.

/// Whole segments of a batch that go through the model together.
struct BatchPart {
    let rows: Range<Int>
    let tokens: PackedTokens
    let targets: [Int32]

    init(_ batch: TrainingBatch, _ group: Range<Int>) {
        rows = batch.splits[group.lowerBound]..<batch.splits[group.upperBound]
        tokens = PackedTokens(ids: batch.inputs, splits: batch.splits, group)
        targets = Array(batch.targets[rows])
    }
}

extension Trainer {
    /// −log p of each target of a part whose forward pass was the last.
    func headLosses(_ targets: [Int32], _ a: Activations) -> [Float] {
        let c = model.configuration
        network.operations.headForward(
            losses: a.losses, x: a.headInput, w: network.weights.head, targets: targets, rows: targets.count, width: c.width,
            vocabulary: c.vocabularySize)
        return a.losses.view(0..<targets.count).array
    }

    /// Forward and backward pass of every part.
    ///
    /// - chosen: which targets carry cross-entropy, and the losses of all; nil where all do. Then the last part's forward pass is still
    ///   there, and need not be computed again.
    func learn(
        _ batch: TrainingBatch, _ parts: [BatchPart], _ loss: TrainingLoss, _ chosen: (selection: GuidedSelection, losses: [Float])?,
        _ a: Activations, table: Buffer?
    ) throws -> StepReport {
        let carries: [Bool] = chosen?.selection.carriesLoss ?? batch.targets.map { $0 >= 0 }
        let selected = chosen?.selection.selected ?? batch.targetCount
        let taught = loss.alpha > 0 ? batch.taughtCount : 0
        let weights = RowWeights(
            crossEntropy: Float(1 - loss.alpha) / Float(selected), distillation: taught > 0 ? loss.alpha / Double(taught) : 0)
        var losses = chosen?.losses ?? [Float](repeating: .nan, count: batch.inputs.count)
        var divergences = [Double](repeating: .nan, count: taught > 0 ? batch.inputs.count : 0)
        let order = chosen == nil ? Array(parts.indices) : parts.indices.reversed()
        for i in order {
            let part = parts[i]
            let plan = RowPlan(batch, part, carries: carries, weights, loss)
            if chosen != nil, plan.lists.ids.isEmpty { continue }
            if chosen == nil || i != parts.count - 1 { forward(part.tokens, a, table: table) }
            if chosen == nil, plan.hasIdleTargets {
                losses.replaceSubrange(part.rows, with: headLosses(plan.idleTargets, a))
            }
            headGradient(plan, part, batch, loss, a, losses: &losses, divergences: &divergences)
            backward(part.tokens, a, table: table)
        }
        let crossEntropy = try mean(losses.lazy.map { Double($0) }) { batch.targets[$0] >= 0 }
        let carried = chosen == nil ? crossEntropy : try mean(losses.lazy.map { Double($0) }) { carries[$0] }
        let divergence = taught > 0 ? try mean(divergences) { batch.isTaught($0) } : nil
        return StepReport(
            loss: divergence.map { (1 - loss.alpha) * carried + loss.alpha * $0 } ?? carried, crossEntropy: crossEntropy,
            distillation: divergence, tokens: batch.targetCount, mapped: batch.mappedCount, selected: selected, taught: taught,
            gradientNorm: 0)
    }

    /// The head's forward and backward pass of the rows of a plan.
    private func headGradient(
        _ plan: RowPlan, _ part: BatchPart, _ batch: TrainingBatch, _ loss: TrainingLoss, _ a: Activations, losses: inout [Float],
        divergences: inout [Double]
    ) {
        let c = model.configuration
        let first = part.rows.lowerBound
        network.operations.zero(a.dHeadInput, count: part.rows.count * c.width)
        losses.withUnsafeMutableBufferPointer { losses in
            divergences.withUnsafeMutableBufferPointer { divergences in
                network.operations.headBackward(
                    dx: a.dHeadInput, dw: dWeights.head.buffer, x: a.headInput, w: network.weights.head.buffer, lists: plan.lists,
                    rows: part.rows.count, width: c.width, vocabulary: c.vocabularySize
                ) { row, logSumExp, logits in
                    losses[first + row] = Float(logSumExp - Double(logits[0]))
                    let weight = plan.crossEntropy[row]
                    logits[0] = -weight
                    guard logits.count > 1, let distillation = loss.distillation, let teacher = batch.teacher else { return weight }
                    let entries = teacher.splits[first + row]..<teacher.splits[first + row + 1]
                    let (divergence, dense) = teacher.values.withUnsafeBufferPointer {
                        distillation.row(
                            logits: UnsafeMutableBufferPointer(rebasing: logits[1...]), logSumExp: logSumExp,
                            logProbs: UnsafeBufferPointer(rebasing: $0[entries]), scale: plan.distillation)
                    }
                    divergences[first + row] = divergence
                    return Float(Double(weight) + dense)
                }
            }
        }
    }

    /// Mean over the rows that `takes` names, in Double, in the order of the rows.
    private func mean(_ values: some Collection<Double>, _ takes: (Int) -> Bool) throws -> Double {
        var (sum, count) = (0.0, 0)
        for (i, value) in values.enumerated() where takes(i) {
            sum += value
            count += 1
        }
        guard sum.isFinite else { throw runaway("loss", sum) }
        return sum / Double(count)
    }
}

/// Weights of a step's rows: of those that carry cross-entropy, and of those with a teacher's list.
private struct RowWeights {
    let crossEntropy: Float
    let distillation: Double
}

/// What the head does for each row of a part: its target and the teacher's ids, where any of them carries loss.
private struct RowPlan {
    var lists = HeadLists()
    var crossEntropy: [Float] = []
    let distillation: Double
    /// Targets that carry nothing: their losses are reported all the same.
    private(set) var idleTargets: [Int32] = []
    var hasIdleTargets: Bool { idleTargets.contains { $0 >= 0 } }

    init(_ batch: TrainingBatch, _ part: BatchPart, carries: [Bool], _ weights: RowWeights, _ loss: TrainingLoss) {
        distillation = weights.distillation
        for row in part.rows {
            let target = batch.targets[row]
            let weight = carries[row] ? weights.crossEntropy : 0
            let isTaught = weights.distillation > 0 && batch.isTaught(row)
            crossEntropy.append(weight)
            let takesPart = target >= 0 && (weight != 0 || isTaught)
            if takesPart {
                lists.ids.append(UInt32(target))
                if isTaught, let teacher = batch.teacher { lists.ids += teacher.ids[teacher.splits[row]..<teacher.splits[row + 1]] }
            }
            lists.splits.append(lists.ids.count)
            idleTargets.append(takesPart ? -1 : target)
        }
    }
}

extension TrainingBatch {
    /// Rows with a target.
    var targetCount: Int { targets.count(where: { $0 >= 0 }) }

    /// Targets with a teacher loss.
    var mappedCount: Int { zip(targets, teacherLosses ?? []).count(where: { $0 >= 0 && !$1.isNaN }) }

    /// Whether a row has a target and a teacher's list.
    func isTaught(_ row: Int) -> Bool {
        guard let teacher, targets[row] >= 0 else { return false }
        return teacher.splits[row] < teacher.splits[row + 1]
    }

    /// Rows with both.
    var taughtCount: Int { targets.indices.count(where: { isTaught($0) }) }
}
