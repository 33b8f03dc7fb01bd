// Merging long words in linear time: pairs wait in one list for each rank.

/// A queue of neighbouring pairs by the rank of their merge.
///
/// Ranks are served from the lowest on, each once, and the pairs of a rank from left to right. Where a merge brings up a pair of its own
/// rank or an earlier one, the queue gives up.
final class PairQueue {
    private let table: MergeTable
    /// For each rank the newest waiting node, or -1.
    private let heads: UnsafeMutablePointer<Int32>
    private let rankCount: Int
    /// Which ranks have nodes: one bit each, then one bit for each 64 of those, and so on up to a single word.
    private var levels: [UnsafeMutablePointer<UInt64>] = []

    private var capacity = 0
    private var next: UnsafeMutablePointer<Int32>
    private var previous: UnsafeMutablePointer<Int32>
    /// The merge of each symbol with its right neighbour.
    private var pairs: UnsafeMutablePointer<UInt64>
    /// Waiting symbols, each with the node behind it.
    private var waiting: UnsafeMutablePointer<(symbol: Int32, behind: Int32)>
    private var nodeCount = 0
    private var opened: UnsafeMutablePointer<Int32>
    /// The ids as they came.
    private var original: UnsafeMutablePointer<UInt32>

    init(_ table: MergeTable) {
        self.table = table
        rankCount = table.rankCount
        heads = .allocate(capacity: max(1, rankCount))
        heads.initialize(repeating: -1, count: max(1, rankCount))
        var words = max(1, rankCount)
        repeat {
            words = (words + 63) / 64
            let level = UnsafeMutablePointer<UInt64>.allocate(capacity: words)
            level.initialize(repeating: 0, count: words)
            levels.append(level)
        } while words > 1
        next = .allocate(capacity: 0)
        previous = .allocate(capacity: 0)
        pairs = .allocate(capacity: 0)
        waiting = .allocate(capacity: 0)
        original = .allocate(capacity: 0)
        opened = .allocate(capacity: 0)
    }

    deinit {
        heads.deallocate()
        for level in levels { level.deallocate() }
        free()
    }

    private func free() {
        next.deallocate()
        previous.deallocate()
        pairs.deallocate()
        waiting.deallocate()
        original.deallocate()
        opened.deallocate()
    }

    private func reserve(_ count: Int) {
        guard count > capacity else { return }
        free()
        capacity = max(count, 2 * capacity)
        next = .allocate(capacity: capacity)
        previous = .allocate(capacity: capacity)
        pairs = .allocate(capacity: capacity)
        // Every symbol but the last waits once at first, and every merge makes at most two new pairs.
        waiting = .allocate(capacity: 3 * capacity)
        original = .allocate(capacity: capacity)
        opened = .allocate(capacity: 3 * capacity)
    }

    /// Merges `count` symbols in place and returns how many are left; `starts` has one more entry, the end. Returns nil, and leaves the
    /// symbols as they were, where a merge brings up one that should have gone before it.
    func merge(_ ids: UnsafeMutablePointer<UInt32>, _ starts: UnsafeMutablePointer<UInt32>, _ count: Int) -> Int? {
        reserve(count)
        nodeCount = 0
        original.update(from: ids, count: count)
        let (next, previous, pairs, opened, table) = (next, previous, pairs, opened, table)
        for at in (0..<count).reversed() {
            next[at] = at + 1 < count ? Int32(at + 1) : -1
            previous[at] = Int32(at) - 1
            pairs[at] = at + 1 < count ? table.packed(ids[at], ids[at + 1]) : MergeTable.none
            if pairs[at] != MergeTable.none { push(at) }
        }
        while let rank = lowestRank() {
            for at in 0..<open(rank) {
                let left = Int(opened[at])
                guard pairs[left] >> 32 == UInt64(rank) else { continue }
                let right = Int(next[left])
                ids[left] = UInt32(truncatingIfNeeded: pairs[left])
                ids[right] = Self.gone
                next[left] = next[right]
                pairs[right] = MergeTable.none
                pairs[left] = MergeTable.none
                let behind = Int(next[left])
                if behind >= 0 {
                    previous[behind] = Int32(left)
                    propose(left, table.packed(ids[left], ids[behind]))
                    if pairs[left] >> 32 <= UInt64(rank) { return giveUp(ids, count) }
                }
                let before = Int(previous[left])
                if before >= 0 {
                    propose(before, table.packed(ids[before], ids[left]))
                    if pairs[before] >> 32 <= UInt64(rank) { return giveUp(ids, count) }
                }
            }
        }
        var kept = 0
        for at in 0..<count where ids[at] != Self.gone {
            ids[kept] = ids[at]
            starts[kept] = starts[at]
            kept += 1
        }
        starts[kept] = starts[count]
        return kept
    }

    /// Takes the waiting symbols of a rank out, into `opened` from left to right, and returns how many they are.
    ///
    /// Symbols came from left to right or from right to left, mostly; what came in neither order is sorted.
    private func open(_ rank: Int) -> Int {
        var node = heads[rank]
        heads[rank] = -1
        clear(rank)
        var count = 0
        var (rises, falls) = (true, true)
        while node >= 0 {
            let (symbol, behind) = waiting[Int(node)]
            node = behind
            if count > 0 {
                if symbol < opened[count - 1] { rises = false } else { falls = false }
            }
            opened[count] = symbol
            count += 1
        }
        var all = UnsafeMutableBufferPointer(start: opened, count: count)
        if !rises {
            if falls { all.reverse() } else { all.sort() }
        }
        return count
    }

    private func giveUp(_ ids: UnsafeMutablePointer<UInt32>, _ count: Int) -> Int? {
        while let rank = lowestRank() {
            heads[rank] = -1
            clear(rank)
        }
        ids.update(from: original, count: count)
        return nil
    }

    private static let gone = UInt32.max

    @inline(__always)
    private func propose(_ symbol: Int, _ packed: UInt64) {
        pairs[symbol] = packed
        if packed != MergeTable.none { push(symbol) }
    }

    @inline(__always)
    private func push(_ symbol: Int) {
        let rank = Int(pairs[symbol] >> 32)
        waiting[nodeCount] = (Int32(symbol), heads[rank])
        if heads[rank] < 0 { mark(rank) }
        heads[rank] = Int32(nodeCount)
        nodeCount += 1
    }

    private func mark(_ rank: Int) {
        var at = rank
        for level in levels {
            let old = level[at >> 6]
            level[at >> 6] = old | 1 << UInt64(at & 63)
            if old != 0 { return }
            at >>= 6
        }
    }

    private func clear(_ rank: Int) {
        var at = rank
        for level in levels {
            level[at >> 6] &= ~(1 << UInt64(at & 63))
            if level[at >> 6] != 0 { return }
            at >>= 6
        }
    }

    private func lowestRank() -> Int? {
        var at = 0
        for level in levels.reversed() {
            guard level[at] != 0 else { return nil }
            at = at << 6 | level[at].trailingZeroBitCount
        }
        return at
    }
}
