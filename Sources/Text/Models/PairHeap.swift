// Merging where ranks tie, or where a merge may propose an earlier one: pairs wait in a heap.

/// A heap of neighbouring pairs: the lowest rank first, then the leftmost.
final class PairHeap {
    private let table: MergeTable
    private let unused: Set<UInt32>
    private var heap: [Candidate] = []
    private var next: [Int32] = []
    private var previous: [Int32] = []
    /// How unused results were last proposed, and how many of the word's first symbols the left half holds.
    private var halves: [UInt32: (left: UInt32, right: UInt32, cut: Int)] = [:]

    /// - unused: results that are only steps to others: those that are left in the end are cut again as they were last proposed.
    init(_ table: MergeTable, unused: Set<UInt32>) {
        self.table = table
        self.unused = unused
    }

    /// A pair that may merge: stale when its symbols have changed since.
    private struct Candidate {
        var merge: Merge
        var left: Int32
        var leftID: UInt32
        var rightID: UInt32

        func precedes(_ other: Candidate) -> Bool {
            merge.rank != other.merge.rank ? merge.rank < other.merge.rank : left < other.left
        }
    }

    private static let gone = UInt32.max

    /// Merges `count` symbols in place and returns how many are left; `starts` has one more entry, the end.
    func merge(_ ids: UnsafeMutablePointer<UInt32>, _ starts: UnsafeMutablePointer<UInt32>, _ count: Int) -> Int {
        next = (0..<count).map { $0 + 1 < count ? Int32($0 + 1) : -1 }
        previous = (0..<count).map { Int32($0) - 1 }
        heap.removeAll(keepingCapacity: true)
        let end = starts[count]
        func propose(_ left: Int) {
            let right = Int(next[left])
            guard right >= 0, let merge = table.merge(ids[left], ids[right]) else { return }
            if unused.contains(merge.result) { halves[merge.result] = (ids[left], ids[right], right - left) }
            push(Candidate(merge: merge, left: Int32(left), leftID: ids[left], rightID: ids[right]))
        }
        for at in 0..<max(0, count - 1) { propose(at) }
        while let best = pop() {
            let left = Int(best.left)
            guard ids[left] == best.leftID, next[left] >= 0 else { continue }
            let right = Int(next[left])
            guard ids[right] == best.rightID else { continue }
            ids[left] = best.merge.result
            ids[right] = Self.gone
            next[left] = next[right]
            if next[left] >= 0 { previous[Int(next[left])] = Int32(left) }
            if previous[left] >= 0 { propose(Int(previous[left])) }
            propose(left)
        }
        var kept: [(id: UInt32, at: Int)] = []
        for at in 0..<count where ids[at] != Self.gone { cut(ids[at], at, into: &kept) }
        for (place, symbol) in kept.enumerated() {
            ids[place] = symbol.id
            starts[place] = starts[symbol.at]
        }
        starts[kept.count] = end
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

    private func push(_ candidate: Candidate) {
        heap.append(candidate)
        var at = heap.count - 1
        while at > 0, heap[at].precedes(heap[(at - 1) / 2]) {
            heap.swapAt(at, (at - 1) / 2)
            at = (at - 1) / 2
        }
    }

    private func pop() -> Candidate? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if heap.isEmpty { return first }
        heap[0] = last
        var at = 0
        while true {
            var least = at
            for child in [2 * at + 1, 2 * at + 2] where child < heap.count && heap[child].precedes(heap[least]) { least = child }
            if least == at { return first }
            heap.swapAt(at, least)
            at = least
        }
    }
}
