// Where a ranking is cut: what is kept, decided unit by unit in their own order.

/// How much of a ranking is kept.
public enum Goal: Equatable, Sendable {
    /// So many units, the best; of equal ones the first.
    case count(Int)
    /// The longest beginning of the ranking that has at most so many tokens; of equal units the first come first.
    case tokens(Int)
    /// Every unit with this value or a larger one.
    case atLeast(Double)

    /// floor(share x count), exact for a share that is written in decimals: the largest k with k / count <= share.
    ///
    /// In Doubles 0.29 x 100 is 28.999…; 29 / 100 is 0.29.
    public static func share(_ share: Double, of count: Int) -> Goal {
        precondition((0...1).contains(share), "bug: a share of \(share)")
        if count == 0 { return .count(0) }
        var kept = min(count, Int((share * Double(count)).rounded(.down)))
        while kept < count, Double(kept + 1) / Double(count) <= share { kept += 1 }
        while kept > 0, Double(kept) / Double(count) > share { kept -= 1 }
        return .count(kept)
    }
}

/// The cut through a ranking. Units are shown to it in the order in which they were ranked.
public struct Cut: Sendable {
    /// The smallest key that is kept, if any is.
    public let key: RankKey
    /// Units and tokens with just this key that are still to be kept.
    private var units: Int
    private var tokens: Int

    init(key: RankKey, units: Int = .max, tokens: Int = .max) {
        self.key = key
        self.units = units
        self.tokens = tokens
    }

    /// Whether the next unit is kept.
    public mutating func keeps(_ key: RankKey, tokens: Int) -> Bool {
        if key != self.key { return key > self.key }
        guard units > 0 else { return false }
        guard tokens <= self.tokens else {
            units = 0
            return false
        }
        units -= 1
        self.tokens -= tokens
        return true
    }
}
