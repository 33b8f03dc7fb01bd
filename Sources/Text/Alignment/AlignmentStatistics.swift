// How well two vocabularies cut the same text: counted while it is aligned.

/// Counts over student tokens. Shares are of the mapped tokens, 0 where there is none.
public struct AlignmentStatistics: Equatable, Sendable {
    /// Student tokens that some teacher tokens cover.
    public private(set) var mapped = 0
    /// Student tokens without bytes, or with bytes that no teacher token covers.
    public private(set) var unmapped = 0
    /// Mapped tokens whose bytes lie inside one teacher token.
    public private(set) var insideOne = 0
    /// Mapped tokens whose span is exactly that of one teacher token.
    public private(set) var identical = 0
    /// The sum over mapped tokens of |student's bytes| / |bytes of the covering teacher tokens|.
    public private(set) var overlapSum = 0.0

    public init() {}

    public var tokens: Int { mapped + unmapped }
    /// Mapped tokens that need more than one teacher token.
    public var straddling: Int { mapped - insideOne }
    public var shareInsideOne: Double { share(Double(insideOne)) }
    public var shareIdentical: Double { share(Double(identical)) }
    /// Mean intersection over union of a student's span with that of its covering teacher tokens, which contains it.
    public var meanIntersectionOverUnion: Double { share(overlapSum) }

    private func share(_ part: Double) -> Double { mapped == 0 ? 0 : part / Double(mapped) }

    mutating func countUnmapped() { unmapped += 1 }

    mutating func count(span: Range<UInt32>, cover: Range<UInt32>, tokens: Int) {
        mapped += 1
        if tokens == 1 {
            insideOne += 1
            if span == cover { identical += 1 }
        }
        overlapSum += Double(span.count) / Double(cover.count)
    }

    /// Adds the counts of another part of the same streams.
    public mutating func add(_ other: AlignmentStatistics) {
        mapped += other.mapped
        unmapped += other.unmapped
        insideOne += other.insideOne
        identical += other.identical
        overlapSum += other.overlapSum
    }
}
