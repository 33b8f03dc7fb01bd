// Merging short words, several side by side.

import CSystem

/// Words of up to 64 symbols in up to 16 lanes.
///
/// A pair's key is the rank of its merge and then the place of its left symbol, so the least key is the next merge: the lowest rank, the
/// leftmost among equals. What is left of a word's symbols is a set of bits, in which neighbours are found by counting zeros, and nothing
/// is shifted. A merge costs the minimum of 16 to 64 keys, which takes vector instructions, and two lookups without a branch that depends
/// on the word. These lookups wait for the farther caches, and each merge of a word for those before it; so the words merge by turns, and
/// a pair is looked up one turn after it was found.
final class ShortWordMerger {
    /// Symbols of a word, at most.
    static let most = 64
    static let lanes = 16

    private static let none = MergeTable.noKey

    /// A word at work. Its arrays have one place before the first symbol and one behind the last, for neighbours that are not there.
    struct Lane {
        fileprivate let keys: UnsafeMutablePointer<Int32>
        let ids: UnsafeMutablePointer<UInt32>
        /// Where each symbol begins, then the end of the word.
        let starts: UnsafeMutablePointer<UInt32>

        fileprivate static let bytes = 4 * (3 * ShortWordMerger.most + 48)

        fileprivate init(_ memory: UnsafeMutableRawPointer) {
            let words = memory.bindMemory(to: UInt32.self, capacity: Self.bytes / 4)
            // The keys begin at a line of the cache.
            keys = UnsafeMutableRawPointer(words + 16).assumingMemoryBound(to: Int32.self)
            ids = words + 16 + ShortWordMerger.most + 2
            starts = ids + ShortWordMerger.most + 1
        }

        /// What stands in the places for neighbours that are not there merges with nothing.
        fileprivate func clear() {
            ids[-1] = .max
            ids[ShortWordMerger.most] = .max
        }

        /// Says what the symbol at a place and the one behind it become.
        @inline(__always)
        func setKey(_ at: Int, _ key: Int32) { keys[at] = key | Int32(truncatingIfNeeded: at) }
    }

    private struct Turn {
        /// The keys of its pairs are not there yet, but on their way.
        var awaitsKeys: Bool
        /// The symbols that are left.
        var symbols: UInt64
        var count: Int
        /// Keys to search: a multiple of 16.
        var lanes: Int32
        /// The last merge, whose two new pairs are not looked up yet.
        var left: Int
        var before: Int
        var leftPair: MergeTable.Pairs.Place
        var beforePair: MergeTable.Pairs.Place
    }

    private let table: MergeTable
    private let memory: UnsafeMutableRawPointer
    private let turns: UnsafeMutablePointer<Turn>
    private let order: UnsafeMutablePointer<Int>
    /// Words taken in.
    private(set) var staged = 0

    init(_ table: MergeTable) {
        self.table = table
        memory = .allocate(byteCount: Lane.bytes * Self.lanes, alignment: 64)
        turns = .allocate(capacity: Self.lanes)
        order = .allocate(capacity: Self.lanes)
        for lane in 0..<Self.lanes { Lane(memory + lane * Lane.bytes).clear() }
    }

    deinit {
        memory.deallocate()
        turns.deallocate()
        order.deallocate()
    }

    /// The lane of the next word: its symbols, their starts and the end, and the keys of all pairs are to be written, then `stage` called.
    /// - Precondition: `staged` is less than `lanes`.
    func nextLane() -> Lane { Lane(memory + staged * Lane.bytes) }

    /// Takes the word in the next lane in: 1 to 64 symbols.
    func stage(_ count: Int) { stage(count, awaitsKeys: false) }

    private func stage(_ count: Int, awaitsKeys: Bool) {
        let lane = nextLane()
        let lanes = (count &+ 15) & ~15
        for at in count &- 1..<lanes { lane.keys[at] = Self.none }
        let nothing = table.pairs.place(.max, .max)
        turns[staged] = Turn(
            awaitsKeys: awaitsKeys, symbols: UInt64.max &>> UInt64(Self.most &- count), count: count,
            lanes: Int32(truncatingIfNeeded: lanes), left: Self.most,
            before: -1, leftPair: nothing, beforePair: nothing)
        staged += 1
    }

    /// As `stage`, for a lane without keys.
    func stageLookingUp(_ count: Int) {
        let (lane, pairs) = (nextLane(), table.pairs)
        for at in 0..<count &- 1 { pairs.prefetch(pairs.place(lane.ids[at], lane.ids[at &+ 1])) }
        stage(count, awaitsKeys: true)
    }

    /// Merges all words taken in, until no pair is left that does.
    func merge() {
        let (order, turns, pairs, table) = (order, turns, table.pairs, table)
        var active = staged
        for lane in 0..<active {
            order[lane] = lane
            guard turns[lane].awaitsKeys else { continue }
            let (lane, count) = (Lane(memory + lane &* Lane.bytes), turns[lane].count)
            for at in 0..<count &- 1 { lane.setKey(at, pairs.key(pairs.place(lane.ids[at], lane.ids[at &+ 1]))) }
        }
        while active > 0 {
            var at = 0
            while at < active {
                if step(Lane(memory + order[at] &* Lane.bytes), turns + order[at], pairs, table) {
                    at &+= 1
                } else {
                    active &-= 1
                    order[at] = order[active]
                }
            }
        }
    }

    /// One merge of a word; false where there is none.
    @inline(__always)
    private func step(
        _ lane: Lane, _ turn: UnsafeMutablePointer<Turn>, _ pairs: MergeTable.Pairs, _ table: MergeTable
    ) -> Bool {
        let (keys, ids) = (lane.keys, lane.ids)
        // The keys of the last merge's pairs are written after the others were read: they were written a turn ago, so that no wide load
        // waits for a narrow store.
        let leftKey = pairs.key(turn.pointee.leftPair) | Int32(truncatingIfNeeded: turn.pointee.left)
        let beforeKey = pairs.key(turn.pointee.beforePair) | Int32(truncatingIfNeeded: turn.pointee.before & 63)
        let key = min(preceptor_least(keys, turn.pointee.lanes), leftKey, beforeKey)
        keys[turn.pointee.left] = leftKey
        keys[turn.pointee.before] = beforeKey
        guard key != Self.none else { return false }
        let symbols = turn.pointee.symbols
        let left = Int(truncatingIfNeeded: key & 63)
        let above = symbols & (~1 &<< UInt64(left))
        let right = above.trailingZeroBitCount
        let behind = (above & (above &- 1)).trailingZeroBitCount
        let before = 63 &- (symbols & ((1 &<< UInt64(left)) &- 1)).leadingZeroBitCount
        let id = table.result(Int(key &>> MergeTable.keyShift), ids[left], ids[right])
        ids[left] = id
        keys[left] = Self.none
        keys[right] = Self.none
        keys[before] = Self.none
        let (leftPair, beforePair) = (pairs.place(id, ids[behind]), pairs.place(ids[before], id))
        pairs.prefetch(leftPair)
        pairs.prefetch(beforePair)
        turn.pointee.symbols = symbols ^ 1 &<< UInt64(right)
        turn.pointee.left = left
        turn.pointee.before = before
        turn.pointee.leftPair = leftPair
        turn.pointee.beforePair = beforePair
        return true
    }

    /// Merges one word in place and returns how many symbols are left; `starts` has one more entry, the end.
    func merge(_ ids: UnsafeMutablePointer<UInt32>, _ starts: UnsafeMutablePointer<UInt32>, _ count: Int) -> Int {
        removeAll()
        let lane = nextLane()
        lane.ids.update(from: ids, count: count)
        stageLookingUp(count)
        merge()
        removeAll()
        var (rest, kept) = (turns[0].symbols, 0)
        while rest != 0 {
            let at = rest.trailingZeroBitCount
            rest &= rest &- 1
            ids[kept] = lane.ids[at]
            starts[kept] = starts[at]
            kept &+= 1
        }
        starts[kept] = starts[count]
        return kept
    }

    /// Writes the tokens of a merged word and returns how many. A span is its start in the lower half, its end in the upper.
    func write(_ word: Int, _ ids: UnsafeMutablePointer<UInt32>, _ spans: UnsafeMutablePointer<UInt64>) -> Int {
        let lane = Lane(memory + word &* Lane.bytes)
        var (rest, count) = (turns[word].symbols, 0)
        while rest != 0 {
            let at = rest.trailingZeroBitCount
            rest &= rest &- 1
            let end = rest == 0 ? turns[word].count : rest.trailingZeroBitCount
            ids[count] = lane.ids[at]
            spans[count] = UInt64(lane.starts[at]) | UInt64(lane.starts[end]) &<< 32
            count &+= 1
        }
        return count
    }

    /// Forgets the words.
    func removeAll() { staged = 0 }
}
