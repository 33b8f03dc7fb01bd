// Packs documents into training batches without padding: cut to the sequence length, filled to the batch size.

/// Turns documents, in order, into the batches of optimiser steps.
///
/// A document's sequence is its tokens with an optional BOS before and EOS after. Inputs are all of it but the last
/// token, targets all of it but the first, so that every token with something before it is a target exactly once.
/// Inputs are cut into segments of at most `sequenceLength`; a batch takes whole segments while they fit.
/// The batches depend only on the documents and these settings, never on how the documents arrive.
public struct SequencePacker {
    public let sequenceLength: Int
    public let batchTokens: Int
    public let bosID: UInt32?
    public let eosID: UInt32?

    private var filling = TrainingBatch()
    private var ready: [TrainingBatch] = []

    /// Traps unless 1 ≤ sequenceLength ≤ batchTokens.
    public init(sequenceLength: Int, batchTokens: Int, bosID: UInt32?, eosID: UInt32?) {
        precondition(1 <= sequenceLength && sequenceLength <= batchTokens, "bug: a segment must fit its batch")
        self.sequenceLength = sequenceLength
        self.batchTokens = batchTokens
        self.bosID = bosID
        self.eosID = eosID
    }

    /// Adds one document.
    ///
    /// - teacherLosses: the teacher's aggregated NLL of each token in nats, NaN where unmapped; nil where no teacher is.
    ///   The EOS target is unmapped, and has no list.
    /// - teacher: the teacher's lists, and which of their rows are the document's tokens; nil where no list is.
    public mutating func append(
        ids: ArraySlice<UInt32>, teacherLosses: ArraySlice<Float>?, teacher lists: (rows: SparseRows, tokens: Range<Int>)? = nil
    ) {
        var sequence: [UInt32] = []
        sequence.reserveCapacity(ids.count + 2)
        if let bosID { sequence.append(bosID) }
        sequence.append(contentsOf: ids)
        if let eosID { sequence.append(eosID) }
        // teacher[p] belongs to sequence[p].
        var teacher: [Float]?
        if let teacherLosses {
            teacher = (bosID == nil ? [] : [.nan]) + teacherLosses + (eosID == nil ? [] : [.nan])
        }
        let inputs = sequence.count - 1
        var start = 0
        while start < inputs {
            let end = min(start + sequenceLength, inputs)
            append(segment: sequence[start...end], teacher: teacher?[(start + 1)...end])
            // Row p predicts sequence[p + 1], which is token p + 1 of the document, or p when a BOS leads.
            if let lists { append(lists.rows, targets: start + 1...end, of: lists.tokens) }
            start = end
        }
    }

    private mutating func append(segment: ArraySlice<UInt32>, teacher: ArraySlice<Float>?) {
        if !filling.inputs.isEmpty && filling.inputs.count + segment.count - 1 > batchTokens { cut() }
        filling.inputs.append(contentsOf: segment.dropLast())
        filling.targets.append(contentsOf: segment.dropFirst().map { Int32(bitPattern: $0) })
        filling.splits.append(filling.inputs.count)
        if let teacher {
            if filling.teacherLosses == nil { filling.teacherLosses = [] }
            filling.teacherLosses!.append(contentsOf: teacher)
        }
    }

    /// The lists of the targets, empty for a BOS or an EOS among them.
    private mutating func append(_ lists: SparseRows, targets: ClosedRange<Int>, of tokens: Range<Int>) {
        if filling.teacher == nil { filling.teacher = SparseRows() }
        for target in targets {
            let token = tokens.lowerBound + target - (bosID == nil ? 0 : 1)
            if tokens.contains(token) { filling.teacher!.append(lists, row: token) } else { filling.teacher!.endRow() }
        }
    }

    private mutating func cut() {
        ready.append(filling)
        filling = TrainingBatch()
    }

    /// The next full batch, in order; nil when more documents are needed.
    public mutating func next() -> TrainingBatch? {
        ready.isEmpty ? nil : ready.removeFirst()
    }

    /// The last, short batch, once no more documents come.
    public mutating func finish() -> TrainingBatch? {
        if !filling.inputs.isEmpty { cut() }
        return next()
    }
}
