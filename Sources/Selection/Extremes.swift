// A few units out of many: those with the largest keys.

/// Holds the items with the `limit` largest keys; of equal keys the first that came.
public struct Extremes<Item> {
    private let limit: Int
    /// From the largest key down.
    private var entries: [(key: RankKey, item: Item)] = []

    public init(limit: Int) { self.limit = limit }

    public var items: [Item] { entries.map(\.item) }

    /// Adds an item, made only if it belongs here for now. Cost: one comparison as a rule, `limit` at most.
    public mutating func add(_ key: RankKey, _ item: () throws -> Item) rethrows {
        if entries.count == limit, entries.last.map({ key <= $0.key }) ?? true { return }
        let at = entries.firstIndex { $0.key < key } ?? entries.count
        entries.insert((key, try item()), at: at)
        if entries.count > limit { entries.removeLast() }
    }
}
