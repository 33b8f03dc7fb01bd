// What one optimiser step is given, and what it reports.

/// Packed segments for one optimiser step.
public struct TrainingBatch: Equatable, Sendable {
    /// (N) token ids.
    public var inputs: [UInt32]
    /// Segment i is rows [splits[i], splits[i + 1]); starts at 0, ends at N.
    public var splits: [Int]
    /// (N) the token to predict at each row; −1 for none.
    public var targets: [Int32]
    /// (N) the teacher's loss on each row's target in nats, aggregated; NaN where it is unmapped. Nil without a teacher.
    public var teacherLosses: [Float]?
    /// (N) the teacher's most probable ids in the target's place, as ids of this model, with log-probabilities at temperature 1; an empty list
    /// where it says nothing. Nil without a teacher's lists.
    public var teacher: SparseRows?

    public init(
        inputs: [UInt32] = [], splits: [Int] = [0], targets: [Int32] = [], teacherLosses: [Float]? = nil, teacher: SparseRows? = nil
    ) {
        self.inputs = inputs
        self.splits = splits
        self.targets = targets
        self.teacherLosses = teacherLosses
        self.teacher = teacher
    }

    /// Throws `ComputeError.invalid` when the parts do not fit each other or the vocabulary, or no row has a target.
    public func validate(vocabularySize: Int) throws {
        guard targets.count == inputs.count else {
            throw ComputeError.invalid("batch has \(inputs.count) inputs but \(targets.count) targets")
        }
        if let teacherLosses, teacherLosses.count != inputs.count {
            throw ComputeError.invalid("batch has \(inputs.count) inputs but \(teacherLosses.count) teacher losses")
        }
        guard splits.first == 0, splits.last == inputs.count, zip(splits, splits.dropFirst()).allSatisfy({ $0 <= $1 }) else {
            throw ComputeError.invalid("splits of the batch do not cover its \(inputs.count) rows in order")
        }
        if let place = inputs.firstIndex(where: { $0 >= UInt32(vocabularySize) }) {
            throw ComputeError.invalid("token id \(inputs[place]) at position \(place) is outside the vocabulary of \(vocabularySize)")
        }
        if let place = targets.firstIndex(where: { $0 >= Int32(vocabularySize) }) {
            throw ComputeError.invalid("target \(targets[place]) at position \(place) is outside the vocabulary of \(vocabularySize)")
        }
        guard targets.contains(where: { $0 >= 0 }) else { throw ComputeError.invalid("no row of the batch has a target") }
        if let teacher { try validate(teacher, vocabularySize) }
    }

    private func validate(_ teacher: SparseRows, _ vocabularySize: Int) throws {
        let splits = teacher.splits
        guard splits.count == inputs.count + 1, splits.first == 0, splits.last == teacher.ids.count,
            teacher.values.count == teacher.ids.count, zip(splits, splits.dropFirst()).allSatisfy({ $0 <= $1 })
        else { throw ComputeError.invalid("the teacher's lists do not fit the \(inputs.count) rows of the batch") }
        if let id = teacher.ids.max(), id >= UInt32(vocabularySize) {
            throw ComputeError.invalid("id \(id) of a teacher's list is outside the vocabulary of \(vocabularySize)")
        }
    }

    /// Throws `ComputeError.invalid` when the batch lacks what a loss needs, or the loss is none.
    func validate(for loss: TrainingLoss) throws {
        if let select = loss.select {
            guard teacherLosses != nil else { throw ComputeError.invalid("guided loss, but the batch has no teacher losses") }
            guard select > 0 && select <= 1 else { throw ComputeError.invalid("share of selected tokens \(select) is outside (0, 1]") }
        }
        guard loss.alpha >= 0 && loss.alpha <= 1 else { throw ComputeError.invalid("alpha \(loss.alpha) is outside [0, 1]") }
        guard loss.alpha == 0 || loss.distillation != nil else { throw ComputeError.invalid("alpha \(loss.alpha) without a divergence") }
        guard loss.alpha == 0 || teacher != nil else { throw ComputeError.invalid("distillation, but the batch has no teacher's lists") }
    }
}

/// What a step minimises:
///
///     (1 − alpha) · mean over the targets that carry loss of −log p(target)  +  alpha · mean over the rows with a teacher's list of the divergence
///
/// A batch without any such list has the first term alone, with its factor.
public struct TrainingLoss: Equatable, Sendable {
    /// Share of the targets with a teacher's loss that carry cross-entropy, those that the teacher finds easier than the student does
    /// (`guidedSelection`); nil: all.
    public var select: Double?
    /// How far the student is from the teacher's lists.
    public var distillation: Distillation?
    /// In [0, 1]; at 0 plain cross-entropy, bit for bit.
    public var alpha = 0.0

    public init(select: Double? = nil, distillation: Distillation? = nil, alpha: Double = 0) {
        (self.select, self.distillation, self.alpha) = (select, distillation, alpha)
    }

    public static let crossEntropy = TrainingLoss()
    public static func guided(select: Double) -> TrainingLoss { TrainingLoss(select: select) }
}

/// What one optimiser step saw and did.
public struct StepReport: Equatable, Sendable {
    /// The loss that was minimised, in nats per token that carries loss, before the update.
    public var loss: Double
    /// Mean of −log p over all targets, in nats per token.
    public var crossEntropy: Double
    /// Mean of the divergence over the rows with a teacher's list; nil where none was looked at.
    public var distillation: Double?
    /// Targets in the batch.
    public var tokens: Int
    /// Targets with a teacher loss.
    public var mapped: Int
    /// Targets that carry loss, unmapped ones among them.
    public var selected: Int
    /// Rows with a teacher's list that was learnt from.
    public var taught = 0
    /// Euclidean norm of the gradient of all parameters, before clipping.
    public var gradientNorm: Double
}
