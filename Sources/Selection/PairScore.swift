// How much better a teacher predicts a text than a reference model does.

/// The mean losses of two models over the same positions of one unit, a document or a packed chunk.
///
///     score_M = mean over the counted positions of -log p_M(x_t | x_<t)        r = score_reference - score_teacher
///
/// Source: MiniPLM (arXiv 2410.17215), with its rule for packed chunks.
public struct PairScore: Equatable, Sendable {
    /// Nats per token; NaN where no position counts.
    public let teacher: Double
    public let reference: Double
    /// Positions that count.
    public let scored: Int

    public var difference: Double { reference - teacher }

    /// The unit's place in a ranking by difference.
    public var key: RankKey { scored > 0 ? RankKey(difference) : .unscored }

    public init(teacher: Double, reference: Double, scored: Int) {
        self.teacher = teacher
        self.reference = reference
        self.scored = scored
    }

    /// Which positions count.
    public enum Rule: Equatable, Sendable {
        /// All; the first where both models score it, which depends on whether they were given a token before it.
        case document
        /// All but the first, which no token of the chunk predicts, and those whose input, the token before, is the separator.
        /// To predict the separator counts.
        case chunk(separator: UInt32?)
    }

    /// A position that counts and has no score.
    public struct Missing: Error, Equatable {
        public let token: Int
        public let ofTeacher: Bool
    }

    /// The scores of one unit from the log-probabilities of its tokens, natural logarithms, NaN where there is none.
    ///
    /// Sums are in Double in the order of the tokens. Throws `Missing`.
    public init(
        ids: ArraySlice<UInt32>, teacher: ArraySlice<Float>, reference: ArraySlice<Float>, rule: Rule
    ) throws(Missing) {
        precondition(ids.count == teacher.count && ids.count == reference.count, "bug: columns of different lengths")
        var separator: UInt32?
        var isChunk = false
        if case .chunk(let id) = rule { (separator, isChunk) = (id, true) }
        var (teacherNats, referenceNats) = (0.0, 0.0)
        var scored = 0
        for token in 0..<ids.count {
            let (mine, its) = (teacher[teacher.startIndex + token], reference[reference.startIndex + token])
            if token == 0 {
                if isChunk || mine.isNaN || its.isNaN { continue }
            } else if let separator, ids[ids.startIndex + token - 1] == separator {
                continue
            }
            if mine.isNaN || its.isNaN { throw Missing(token: token, ofTeacher: mine.isNaN) }
            teacherNats -= Double(mine)
            referenceNats -= Double(its)
            scored += 1
        }
        self.scored = scored
        self.teacher = teacherNats / Double(scored)
        self.reference = referenceNats / Double(scored)
    }
}
