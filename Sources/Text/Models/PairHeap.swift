// Merging words that are too long to scan: pairs wait in a heap.

/// A heap of neighbouring pairs: the lowest rank first, then the leftmost. n log n steps for n symbols.
final class PairHeap {
    private let table: MergeTable
    private let unused: Set<UInt32>
    private var capacity = 0
    private var next: UnsafeMutablePointer<Int32>
    private var previous: UnsafeMutablePointer<Int32>
    /// The merge of each symbol with its right neighbour, as `MergeTable.packed` gives it.
    private var pairs: UnsafeMutablePointer<UInt64>
    /// Rank in the upper half, left symbol in the lower: stale when the symbol's pair has another rank by now.
    private var heap: UnsafeMutablePointer<UInt64>
    private var heapCount = 0
    /// How unused results were last proposed, and how many of the word's first symbols the left half holds.
    private var halves: [UInt32: (left: UInt32, right: UInt32, cut: Int)] = [:]

    /// - unused: results that are only steps to others: those that are left in the end are cut again as they were last proposed.
    init(_ table: MergeTable, unused: Set<UInt32>) {
        self.table = table
        self.unused = unused
        next = .allocate(capacity: 0)
        previous = .allocate(capacity: 0)
        pairs = .allocate(capacity: 0)
        heap = .allocate(capacity: 0)
    }

    deinit { free() }

    private func free() {
        next.deallocate()
        previous.deallocate()
        pairs.deallocate()
        heap.deallocate()
    }

    private func reserve(_ count: Int) {
        guard count > capacity else { return }
        free()
        capacity = max(count, 2 * capacity)
        next = .allocate(capacity: capacity)
        previous = .allocate(capacity: capacity)
        pairs = .allocate(capacity: capacity)
        // Every symbol but the last waits once at first, and every merge makes at most two new pairs.
        heap = .allocate(capacity: 3 * capacity)
    }

    private static let gone = UInt32.max

    /// Merges `count` symbols in place and returns how many are left; `starts` has one more entry, the end.
    func merge(_ ids: UnsafeMutablePointer<UInt32>, _ starts: UnsafeMutablePointer<UInt32>, _ count: Int) -> Int {
        reserve(count)
        let (next, previous, pairs) = (next, previous, pairs)
        heapCount = 0
        for at in 0..<count {
            next[at] = at + 1 < count ? Int32(truncatingIfNeeded: at + 1) : -1
            previous[at] = Int32(truncatingIfNeeded: at - 1)
            pairs[at] = MergeTable.none
        }
        for at in 0..<max(0, count - 1) { propose(at, at + 1, ids) }
        while heapCount > 0 {
            let best = pop()
            let left = Int(best & 0xFFFF_FFFF)
            guard pairs[left] >> 32 == best >> 32 else { continue }
            let right = Int(next[left])
            ids[left] = UInt32(truncatingIfNeeded: pairs[left])
            ids[right] = Self.gone
            pairs[left] = MergeTable.none
            pairs[right] = MergeTable.none
            next[left] = next[right]
            let (before, behind) = (Int(previous[left]), Int(next[left]))
            if behind >= 0 {
                previous[behind] = Int32(truncatingIfNeeded: left)
                propose(left, behind, ids)
            }
            if before >= 0 { propose(before, left, ids) }
        }
        let end = starts[count]
        var kept = 0
        if unused.isEmpty {
            for at in 0..<count where ids[at] != Self.gone {
                ids[kept] = ids[at]
                starts[kept] = starts[at]
                kept += 1
            }
        } else {
            kept = cutUnused(ids, starts, count)
        }
        starts[kept] = end
        return kept
    }

    @inline(__always)
    private func propose(_ left: Int, _ right: Int, _ ids: UnsafeMutablePointer<UInt32>) {
        let packed = table.packed(ids[left], ids[right])
        pairs[left] = packed
        guard packed != MergeTable.none else { return }
        let result = UInt32(truncatingIfNeeded: packed)
        if !unused.isEmpty, unused.contains(result) { halves[result] = (ids[left], ids[right], right - left) }
        push(packed & 0xFFFF_FFFF_0000_0000 | UInt64(truncatingIfNeeded: left))
    }

    // MARK: Unused results

    private func cutUnused(_ ids: UnsafeMutablePointer<UInt32>, _ starts: UnsafeMutablePointer<UInt32>, _ count: Int) -> Int {
        var kept: [(id: UInt32, at: Int)] = []
        for at in 0..<count where ids[at] != Self.gone { cut(ids[at], at, into: &kept) }
        for (place, symbol) in kept.enumerated() {
            ids[place] = symbol.id
            starts[place] = starts[symbol.at]
        }
        halves.removeAll(keepingCapacity: true)
        return kept.count
    }

    /// Cuts an unused piece into halves until none is left: the last half waits longest, so that they come out in order. There are never
    /// more of them than there were symbols.
    private func cut(_ id: UInt32, _ at: Int, into kept: inout [(id: UInt32, at: Int)]) {
        var waiting = [(id, at)]
        while let (id, at) = waiting.popLast() {
            if unused.contains(id), let (left, right, cut) = halves[id] {
                waiting.append((right, at + cut))
                waiting.append((left, at))
            } else {
                kept.append((id, at))
            }
        }
    }

    // MARK: The heap

    @inline(__always)
    private func push(_ candidate: UInt64) {
        let heap = heap
        var at = heapCount
        heapCount &+= 1
        while at > 0 {
            let parent = (at &- 1) >> 1
            guard candidate < heap[parent] else { break }
            heap[at] = heap[parent]
            at = parent
        }
        heap[at] = candidate
    }

    @inline(__always)
    private func pop() -> UInt64 {
        let heap = heap
        let first = heap[0]
        heapCount &-= 1
        let (count, last) = (heapCount, heap[heapCount])
        var at = 0
        while true {
            var child = 2 &* at &+ 1
            guard child < count else { break }
            if child &+ 1 < count && heap[child &+ 1] < heap[child] { child &+= 1 }
            guard heap[child] < last else { break }
            heap[at] = heap[child]
            at = child
        }
        heap[at] = last
        return first
    }
}
