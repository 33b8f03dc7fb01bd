// Byte-pair encoding of one word: the pair with the lowest rank merges first, the leftmost among equals.

/// A piece of the word: its symbol and the bytes that it covers.
struct Symbol {
    var id: UInt32
    var start: UInt32
    var end: UInt32
}

/// Merges the symbols of a word, with memory that is kept from word to word.
struct BytePairMerger {
    /// Set by the caller, then what is left after merging.
    var symbols: [Symbol] = []
    private var heap: [Candidate] = []
    private var next: [Int32] = []
    private var previous: [Int32] = []
    /// Results of merges that are only steps to others: those that are left in the end are cut again as they were last proposed.
    var unused: Set<UInt32> = []
    private var halves: [UInt32: (left: UInt32, right: UInt32, cut: UInt32)] = [:]

    /// Words up to this many symbols are scanned for the best pair again and again, which beats a heap on them.
    private static let shortWord = 24

    mutating func merge(_ table: MergeTable) {
        if symbols.count < 2 { return }
        if symbols.count <= Self.shortWord && unused.isEmpty { mergeByScanning(table) } else { mergeByHeap(table) }
        if !unused.isEmpty { cutUnused() }
    }

    private mutating func mergeByScanning(_ table: MergeTable) {
        symbols.withUnsafeMutableBufferPointer { symbols in
            withUnsafeTemporaryAllocation(of: Merge.self, capacity: Self.shortWord) { merges in
                var count = symbols.count
                func look(_ at: Int) {
                    merges[at] = table.merge(symbols[at].id, symbols[at + 1].id) ?? Merge(rank: .max, result: 0)
                }
                for at in 0..<(count - 1) { look(at) }
                while count > 1 {
                    var best = 0
                    for at in 1..<max(1, count - 1) where merges[at].rank < merges[best].rank { best = at }
                    guard merges[best].rank != .max else { break }
                    symbols[best] = Symbol(id: merges[best].result, start: symbols[best].start, end: symbols[best + 1].end)
                    count -= 1
                    for at in (best + 1)..<max(best + 1, count) { symbols[at] = symbols[at + 1] }
                    for at in (best + 1)..<max(best + 1, count - 1) { merges[at] = merges[at + 1] }
                    if best + 1 < count { look(best) }
                    if best > 0 { look(best - 1) }
                }
                kept = count
            }
        }
        symbols.removeSubrange(kept...)
    }

    private var kept = 0

    /// A pair that may merge: stale when its symbols have changed since.
    private struct Candidate {
        var merge: Merge
        var left: Int32
        var leftID: UInt32
        var rightID: UInt32

        /// Lower rank first, then further left.
        func precedes(_ other: Candidate) -> Bool {
            merge.rank != other.merge.rank ? merge.rank < other.merge.rank : left < other.left
        }
    }

    private mutating func mergeByHeap(_ table: MergeTable) {
        let count = symbols.count
        next = (0..<count).map { $0 + 1 < count ? Int32($0 + 1) : -1 }
        previous = (0..<count).map { Int32($0) - 1 }
        heap.removeAll(keepingCapacity: true)
        for at in 0..<(count - 1) { propose(Int32(at), table) }
        while let best = pop() {
            let left = Int(best.left)
            guard symbols[left].id == best.leftID, next[left] >= 0 else { continue }
            let right = Int(next[left])
            guard symbols[right].id == best.rightID else { continue }
            symbols[left] = Symbol(id: best.merge.result, start: symbols[left].start, end: symbols[right].end)
            symbols[right].id = Self.gone
            next[left] = next[right]
            if next[left] >= 0 { previous[Int(next[left])] = Int32(left) }
            if previous[left] >= 0 { propose(previous[left], table) }
            propose(Int32(left), table)
        }
        symbols.removeAll { $0.id == Self.gone }
    }

    private static let gone = UInt32.max

    private mutating func propose(_ left: Int32, _ table: MergeTable) {
        let right = next[Int(left)]
        guard right >= 0 else { return }
        let (leftID, rightID) = (symbols[Int(left)].id, symbols[Int(right)].id)
        if let merge = table.merge(leftID, rightID) {
            if unused.contains(merge.result) {
                halves[merge.result] = (leftID, rightID, symbols[Int(left)].end - symbols[Int(left)].start)
            }
            push(Candidate(merge: merge, left: left, leftID: leftID, rightID: rightID))
        }
    }

    /// Cuts unused pieces into halves until none is left: the last half is cut first, so that they come out in order.
    private mutating func cutUnused() {
        var whole: [Symbol] = []
        for symbol in symbols {
            var waiting = [symbol]
            while let next = waiting.popLast() {
                if unused.contains(next.id), let (left, right, cut) = halves[next.id] {
                    waiting.append(Symbol(id: right, start: next.start + cut, end: next.end))
                    waiting.append(Symbol(id: left, start: next.start, end: next.start + cut))
                } else {
                    whole.append(next)
                }
            }
        }
        symbols = whole
        halves.removeAll(keepingCapacity: true)
    }

    private mutating func push(_ candidate: Candidate) {
        heap.append(candidate)
        var at = heap.count - 1
        while at > 0, heap[at].precedes(heap[(at - 1) / 2]) {
            heap.swapAt(at, (at - 1) / 2)
            at = (at - 1) / 2
        }
    }

    private mutating func pop() -> Candidate? {
        guard let top = heap.first else { return nil }
        let last = heap.removeLast()
        if heap.isEmpty { return top }
        heap[0] = last
        var at = 0
        while true {
            var least = at
            for child in [2 * at + 1, 2 * at + 2] where child < heap.count && heap[child].precedes(heap[least]) { least = child }
            if least == at { return top }
            heap.swapAt(at, least)
            at = least
        }
    }
}
