// Lists of different lengths, one a token: ids with a value each, as compressed rows.

/// For each of N tokens some ids of a vocabulary, and a value for each of them.
///
/// The entries of token t are `splits[t]..<splits[t + 1]` of `ids` and `values`.
public struct TokenEntries: Equatable, Sendable {
    /// (N+1) 0 first, never falling, the count of entries last.
    public var splits: [Int] = [0]
    /// (M)
    public var ids: [UInt32] = []
    /// (M)
    public var values: [Float] = []

    public init() {}

    public var tokenCount: Int { splits.count - 1 }

    /// The entries of a token, as positions in `ids` and `values`.
    public func entries(of token: Int) -> Range<Int> { splits[token]..<splits[token + 1] }

    public mutating func append(id: UInt32, value: Float) {
        ids.append(id)
        values.append(value)
    }

    /// Ends a token with the entries appended since the one before.
    public mutating func endToken() { splits.append(ids.count) }

    /// Appends the lists of some tokens of another column.
    public mutating func append(_ other: TokenEntries, tokens: Range<Int>) {
        let entries = other.splits[tokens.lowerBound]..<other.splits[tokens.upperBound]
        let shift = ids.count - entries.lowerBound
        ids.append(contentsOf: other.ids[entries])
        values.append(contentsOf: other.values[entries])
        splits.append(contentsOf: other.splits[tokens.lowerBound + 1..<tokens.upperBound + 1].lazy.map { $0 + shift })
    }

    /// Forgets the lists and keeps the memory.
    public mutating func removeAll() {
        splits.removeAll(keepingCapacity: true)
        splits.append(0)
        ids.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
    }
}
