// What units are ranked by: numbers whose order as integers is the order of their values, so that a cut can be found digit by digit.

/// The place of a unit in the ranking: a larger key is better.
public struct RankKey: Comparable, Sendable {
    public let bits: UInt64

    public init(bits: UInt64) { self.bits = bits }

    /// The key of a unit without a score: below every number.
    public static let unscored = RankKey(bits: 0)

    /// The key of a value that is not NaN: the sign turned over, and below zero all other bits too. -0 and 0 have one key.
    public init(_ value: Double) {
        precondition(!value.isNaN, "bug: NaN has no place in a ranking")
        let pattern = (value + 0).bitPattern
        bits = pattern >> 63 == 0 ? pattern | 1 << 63 : ~pattern
    }

    /// The value; nil of a unit without a score.
    public var value: Double? {
        if self == .unscored { return nil }
        return Double(bitPattern: bits >> 63 == 1 ? bits & ~(1 << 63) : ~bits)
    }

    public static func < (left: RankKey, right: RankKey) -> Bool { left.bits < right.bits }
}
