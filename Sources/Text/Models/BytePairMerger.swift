// Byte-pair encoding of one word: the pair with the lowest rank merges first, the leftmost among equals.

/// Merges the symbols of a word, with memory that is kept from word to word.
///
/// Three ways to the same result. Short words are scanned for the best pair again and again. Longer ones keep their pairs in a queue by
/// rank, which takes a few steps a symbol; where a merge brings up an earlier one, which the queue cannot serve, in a heap. Very long ones
/// are merged in windows, so that one letter a million times costs no more a byte than a word of a thousand, and what is at work fits a
/// near cache.
final class BytePairMerger {
    /// The symbols: set by `begin` and `append`, then what is left of them after `merge`.
    private(set) var count = 0
    private(set) var ids: UnsafeMutablePointer<UInt32>
    /// Where each symbol begins; one more, the end of the word, behind the last.
    private(set) var starts: UnsafeMutablePointer<UInt32>
    /// Short words, several at once; nil where results are to be cut again.
    let short: ShortWordMerger?

    private let table: MergeTable
    private var capacity = 64
    private lazy var queue = PairQueue(table)
    private lazy var heap = PairHeap(table, unused: unused)
    private lazy var windows = WindowedMerger()
    private let unused: Set<UInt32>

    /// - unused: results that are only steps to others: those that are left in the end are cut again.
    init(_ table: MergeTable, unused: Set<UInt32> = []) {
        self.table = table
        self.unused = unused
        short = unused.isEmpty ? ShortWordMerger(table) : nil
        ids = .allocate(capacity: capacity)
        starts = .allocate(capacity: capacity + 1)
    }

    deinit {
        ids.deallocate()
        starts.deallocate()
    }

    /// Forgets the symbols and makes room for `most` new ones.
    func begin(most: Int) {
        count = 0
        guard most > capacity else { return }
        ids.deallocate()
        starts.deallocate()
        capacity = max(most, 2 * capacity)
        ids = .allocate(capacity: capacity)
        starts = .allocate(capacity: capacity + 1)
    }

    @inline(__always)
    func append(_ id: UInt32, at start: Int) {
        ids[count] = id
        starts[count] = UInt32(truncatingIfNeeded: start)
        count += 1
    }

    /// Merges until no pair is left that does.
    func merge(end: Int) {
        starts[count] = UInt32(truncatingIfNeeded: end)
        guard count > 1 else { return }
        if let short, count <= ShortWordMerger.most {
            count = short.merge(ids, starts, count)
        } else if unused.isEmpty && count > 2 * WindowedMerger.window {
            count = windows.merge(ids, starts, count, by: mergeWhole)
        } else {
            count = mergeWhole(ids, starts, count)
        }
    }

    private func mergeWhole(_ ids: UnsafeMutablePointer<UInt32>, _ starts: UnsafeMutablePointer<UInt32>, _ count: Int) -> Int {
        if unused.isEmpty, let kept = queue.merge(ids, starts, count) { return kept }
        return heap.merge(ids, starts, count)
    }
}
