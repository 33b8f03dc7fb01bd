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
    /// Those of the unmapped that have bytes.
    public private(set) var uncovered = 0
    /// The sum over mapped tokens of |bytes in common| / |bytes of either|, of a token and of all the teacher tokens it is mapped to.
    public var overlapSum: Double { Double(same) + partSum }
    private var same = 0
    private var partSum = 0.0

    public init() {}

    public var tokens: Int { mapped + unmapped }
    /// Mapped tokens that do not lie inside one teacher token.
    public var straddling: Int { mapped - insideOne }
    public var shareInsideOne: Double { share(Double(insideOne)) }
    public var shareIdentical: Double { share(Double(identical)) }
    /// Mean intersection over union of a student's span with that of its teacher tokens.
    public var meanIntersectionOverUnion: Double { share(overlapSum) }

    private func share(_ part: Double) -> Double { mapped == 0 ? 0 : part / Double(mapped) }

    @inline(__always)
    mutating func countUnmapped(hasBytes: Bool) {
        unmapped += 1
        if hasBytes { uncovered += 1 }
    }

    /// - span: of a student's token. - cover: of all its teacher tokens, of which there are `tokens`.
    @inline(__always)
    mutating func count(span: Range<UInt32>, cover: Range<UInt32>, tokens: Int) {
        mapped += 1
        // Most spans are the same, and a division is what a token costs most for.
        if span == cover {
            same += 1
            if tokens == 1 {
                insideOne += 1
                identical += 1
            }
            return
        }
        if tokens == 1, cover.lowerBound <= span.lowerBound, span.upperBound <= cover.upperBound { insideOne += 1 }
        partSum += intersectionOverUnion(span, cover)
    }

    /// Adds the counts of another part of the same streams.
    public mutating func add(_ other: AlignmentStatistics) {
        mapped += other.mapped
        unmapped += other.unmapped
        uncovered += other.uncovered
        insideOne += other.insideOne
        identical += other.identical
        same += other.same
        partSum += other.partSum
    }
}

/// |a ∩ b| / |a ∪ b| of two spans that are not empty.
@inline(__always)
public func intersectionOverUnion(_ a: Range<UInt32>, _ b: Range<UInt32>) -> Double {
    let (begin, end) = (max(a.lowerBound, b.lowerBound), min(a.upperBound, b.upperBound))
    guard begin < end else { return 0 }
    let common = Double(end - begin)
    return common / (Double(a.count) + Double(b.count) - common)
}
