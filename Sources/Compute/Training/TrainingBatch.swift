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

    public init(inputs: [UInt32] = [], splits: [Int] = [0], targets: [Int32] = [], teacherLosses: [Float]? = nil) {
        self.inputs = inputs
        self.splits = splits
        self.targets = targets
        self.teacherLosses = teacherLosses
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
    }
}

/// What a step minimises.
public enum TrainingLoss: Equatable, Sendable {
    /// Mean over all targets of −log p(target).
    case crossEntropy
    /// The same mean over the targets that the teacher finds easier than the student does; see `guidedSelection`.
    case guided(select: Double)
}

/// What one optimiser step saw and did.
public struct StepReport: Equatable, Sendable {
    /// The loss that was minimised, in nats per token that carries loss, before the update.
    public var loss: Double
    /// Mean of −log p over all targets, in nats per token.
    public var crossEntropy: Double
    /// Targets in the batch.
    public var tokens: Int
    /// Targets with a teacher loss.
    public var mapped: Int
    /// Targets that carry loss, unmapped ones among them.
    public var selected: Int
    /// Euclidean norm of the gradient of all parameters, before clipping.
    public var gradientNorm: Double
}
