// Byte-pair encoding of one word: the pair with the lowest rank merges first, the leftmost among equals.

/// Merges the symbols of a word, with memory that is kept from word to word.
///
/// Four ways to the same result. Short words are scanned for the best pair again and again: n² / 2 steps, and no other costs. Longer ones
/// keep their pairs in a queue by rank, which takes a few steps a symbol; where a merge brings up an earlier one, which the queue cannot
/// serve, in a heap. Very long ones are merged in windows, so that one letter a million times costs no more a byte than a word of a
/// thousand, and what is at work fits a near cache.
final class BytePairMerger {
    /// The symbols: set by `begin` and `append`, then what is left of them after `merge`.
    private(set) var count = 0
    private(set) var ids: UnsafeMutablePointer<UInt32>
    /// Where each symbol begins; one more, the end of the word, behind the last.
    private(set) var starts: UnsafeMutablePointer<UInt32>

    private let table: MergeTable
    private var pairs: UnsafeMutablePointer<UInt64>
    private var capacity = 64
    private let queue: PairQueue
    private let heap: PairHeap
    private lazy var windows = WindowedMerger()
    private let scans: Bool

    /// Words up to this many symbols are scanned.
    private static let shortWord = 24

    /// - unused: results that are only steps to others: those that are left in the end are cut again.
    init(_ table: MergeTable, unused: Set<UInt32> = []) {
        self.table = table
        queue = PairQueue(table)
        heap = PairHeap(table, unused: unused)
        scans = unused.isEmpty
        ids = .allocate(capacity: capacity)
        starts = .allocate(capacity: capacity + 1)
        pairs = .allocate(capacity: capacity)
    }

    deinit {
        ids.deallocate()
        starts.deallocate()
        pairs.deallocate()
    }

    /// Forgets the symbols and makes room for `most` new ones.
    func begin(most: Int) {
        count = 0
        guard most > capacity else { return }
        ids.deallocate()
        starts.deallocate()
        pairs.deallocate()
        capacity = max(most, 2 * capacity)
        ids = .allocate(capacity: capacity)
        starts = .allocate(capacity: capacity + 1)
        pairs = .allocate(capacity: capacity)
    }

    @inline(__always)
    func append(_ id: UInt32, at start: Int) {
        ids[count] = id
        starts[count] = UInt32(truncatingIfNeeded: start)
        count += 1
    }

    /// Says what the last two symbols merge into, as `MergeTable.packed` gives it.
    @inline(__always)
    func setPair(behind packed: UInt64) { pairs[count &- 2] = packed }

    /// Merges until no pair is left that does.
    ///
    /// - pairsAreSet: `setPair` was called for every pair.
    func merge(end: Int, pairsAreSet: Bool = false) {
        starts[count] = UInt32(truncatingIfNeeded: end)
        guard count > 1 else { return }
        if scans && count <= Self.shortWord {
            mergeByScanning(pairsAreSet)
        } else if scans && count > 2 * WindowedMerger.window {
            count = windows.merge(ids, starts, count) { [queue, heap] in queue.merge($0, $1, $2) ?? heap.merge($0, $1, $2) }
        } else {
            count = scans ? queue.merge(ids, starts, count) ?? heap.merge(ids, starts, count) : heap.merge(ids, starts, count)
        }
    }

    private func mergeByScanning(_ pairsAreSet: Bool) {
        let (ids, starts, pairs, table) = (ids, starts, pairs, table)
        var last = count - 1
        if !pairsAreSet {
            for at in 0..<last { pairs[at] = table.packed(ids[at], ids[at + 1]) }
        }
        while last > 0 {
            var best = 0
            var rank = pairs[0] >> 32
            for at in 1..<max(1, last) where pairs[at] >> 32 < rank {
                best = at
                rank = pairs[at] >> 32
            }
            guard pairs[best] != MergeTable.none else { break }
            ids[best] = UInt32(truncatingIfNeeded: pairs[best])
            for at in best + 1..<max(best + 1, last) {
                ids[at] = ids[at + 1]
                starts[at] = starts[at + 1]
                pairs[at] = pairs[at + 1]
            }
            starts[last] = starts[last + 1]
            last -= 1
            if best < last { pairs[best] = table.packed(ids[best], ids[best + 1]) }
            if best > 0 { pairs[best - 1] = table.packed(ids[best - 1], ids[best]) }
        }
        count = last + 1
    }
}
