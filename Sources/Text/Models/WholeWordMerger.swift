// Merging all symbols of a word at once, however many.

/// Keeps pairs in a queue by rank, which takes a few steps a symbol; where a merge brings up an earlier one, which the queue cannot serve, or
/// results are to be cut again, in a heap.
final class WholeWordMerger {
    private let table: MergeTable
    private let unused: Set<UInt32>
    private lazy var queue = PairQueue(table)
    private lazy var heap = PairHeap(table, unused: unused)

    /// - unused: results that are only steps to others: those that are left in the end are cut again.
    init(_ table: MergeTable, unused: Set<UInt32>) {
        self.table = table
        self.unused = unused
    }

    /// Merges `count` symbols in place and returns how many are left; `starts` has one more entry, the end.
    func merge(_ ids: UnsafeMutablePointer<UInt32>, _ starts: UnsafeMutablePointer<UInt32>, _ count: Int) -> Int {
        if unused.isEmpty, let kept = queue.merge(ids, starts, count) { return kept }
        return heap.merge(ids, starts, count)
    }
}
