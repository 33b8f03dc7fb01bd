// Words whose best cut does not depend on what stands around them, kept from text to text.

import CSystem

/// A cache of words of a text in which ▁ stands for spaces: each goes up to the next ▁.
///
/// Sums of 32 bits run through the whole text, so they round a word's scores otherwise in every place, and pieces may go on from one word
/// to the next. What is kept of a word is its best cut, and its *exits*: characters from which pieces may go on with ▁, each with the best
/// cut up to it. They are those of the search if no cut ends inside the word that came from in front of it, and
///
///     lead > 2 n ε
///
/// where the best sum up to a place leads by `lead`, n characters lie in front of it, and ε is half a unit in the last place of the
/// largest sum: a cut of n pieces is rounded n times, so that the sum of the best is too low by no more than n ε, that of another too high
/// by no more; and as rounding keeps order, the search finds no less for a place than what any cut up to it sums to. The sums themselves go
/// on over the scores of the pieces, one by one, as they would have.
final class UnigramWords {
    /// A piece of a word, with its end in it.
    struct Piece {
        var score: Float
        var id: UInt32
        var end: UInt32
    }

    /// A place from which pieces go on with ▁: `count` pieces from `first` of the word's on lead up to byte `at`, the trie goes on behind ▁
    /// at `node` (0: it does not), and `piece` ends with it (-1: none does).
    struct Exit {
        var node: UInt32
        var piece: Int32
        var at: UInt16
        var count: UInt16
        var first: UInt16
        /// Whether pieces may end one byte behind the node (bit 0), or two (bit 1).
        var short: UInt16
    }

    /// What stands in front of a word's bytes (padded to eights), pieces and exits.
    struct Head {
        /// The least lead / 2 n.
        var lead: Float
        /// The largest sum inside the word.
        var reach: Float
        var length: UInt16
        /// How many pieces the best cut has.
        var count: UInt16
        /// How many there are with those of exits.
        var all: UInt16
        var exits: UInt8
        var hasUnknown: Bool
    }

    /// A word that has been found in the text.
    struct Found {
        var start: Int
        var stop: Int
        var hash: UInt64
        /// Where it is kept, -1 where it is not.
        var place = -1
        /// The exits from which a piece may go on,
        var exits = UInt64.max
        /// those from which it has been walked, and the first of these walks. Where the word is not kept, there is one from each character.
        var walked: UInt64 = 0
        var walk = -1
    }

    static let longestWord = 64
    private static let mostReach = 2000.0

    /// Words as they lie one behind another, in units of 4 bytes.
    private var arena: UnsafeMutableRawPointer
    private var used = 0
    private var capacity = 1 << 18
    private static let mostBytes = 1 << 24
    /// The upper half of a word's hash, and where it lies in the arena, or that it has been seen.
    private var slots: UnsafeMutablePointer<UInt64>
    private var slotMask: Int
    private var taken = 0
    /// Counts how often all words were forgotten.
    private(set) var generation = 0
    private static let place: UInt64 = 0xFFFF_FFFF
    private static let seen: UInt64 = 0xFFFF_FFFE
    private static let free: UInt64 = 0xFFFF_FFFF
    private static let ways = 4
    private static let firstSlots = 1 << 12
    private static let mostSlots = 1 << 18

    let block = UnsafeMutablePointer<Found>.allocate(capacity: blockSize)
    static let blockSize = 24
    let walks = UnigramWalks<Float>()

    init() {
        arena = .allocate(byteCount: capacity, alignment: 64)
        slots = .allocate(capacity: Self.firstSlots + Self.ways)
        slots.initialize(repeating: Self.free, count: Self.firstSlots + Self.ways)
        slotMask = Self.firstSlots - 1
    }

    deinit {
        arena.deallocate()
        slots.deallocate()
        block.deallocate()
        walks.deallocate()
        nodes.deallocate()
        edges.deallocate()
        ahead.deallocate()
        newPieces.deallocate()
        newExits.deallocate()
        deficits.deallocate()
    }

    // MARK: Finding words

    @inline(__always)
    private static func load(_ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> UInt64 {
        if at &+ 8 <= end { return UInt64(littleEndian: UnsafeRawPointer(text + at).loadUnaligned(as: UInt64.self)) }
        var result: UInt64 = 0
        var byte = end &- 1
        while byte >= at {
            result = result &<< 8 | UInt64(text[byte])
            byte &-= 1
        }
        return result
    }

    @inline(__always)
    private static func mix(_ hash: UInt64, _ chunk: UInt64) -> UInt64 {
        let product = (hash ^ chunk).multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
        return product.high ^ product.low
    }

    /// The end and the hash of the word that begins at a byte. Eight bytes at a time.
    @inline(__always)
    static func word(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Found {
        var at = start
        if at &+ 3 <= end && text[at] == 0xE2 && text[at &+ 1] == 0x96 && text[at &+ 2] == 0x81 { at &+= 3 }
        let stop = nextBoundary(text, at, end)
        var hash: UInt64 = 0x51_7c_c1_b7_27_22_0a_95
        var from = start
        while from &+ 8 <= stop {
            hash = mix(hash, load(text, from, end))
            from &+= 8
        }
        if from < stop { hash = mix(hash, load(text, from, end) & ((1 &<< UInt64(8 &* (stop &- from))) &- 1)) }
        return Found(start: start, stop: stop, hash: mix(hash, UInt64(truncatingIfNeeded: stop &- start)))
    }

    /// The next ▁ at or behind a byte.
    @inline(__always)
    private static func nextBoundary(_ text: UnsafePointer<UInt8>, _ from: Int, _ end: Int) -> Int {
        var at = from
        while at < end {
            let chunk = load(text, at, end)
            let zeros = chunk ^ 0xE2E2_E2E2_E2E2_E2E2
            var found = (zeros &- 0x0101_0101_0101_0101) & ~zeros & 0x8080_8080_8080_8080
            while found != 0 {
                let place = at &+ found.trailingZeroBitCount &>> 3
                // Past the first, a bit may be set where there is none.
                if place &+ 3 <= end && text[place] == 0xE2 && text[place &+ 1] == 0x96 && text[place &+ 2] == 0x81 { return place }
                found &= found &- 1
            }
            at &+= 8
        }
        return end
    }

    /// Brings the slots of a word near.
    @inline(__always)
    func prefetchSlots(_ hash: UInt64) { preceptor_prefetch(slots + Int(truncatingIfNeeded: hash) & slotMask) }

    /// Brings a word near.
    @inline(__always)
    func prefetch(_ hash: UInt64) {
        let first = slots + Int(truncatingIfNeeded: hash) & slotMask
        let tag = hash &>> 32
        for way in 0..<Self.ways where first[way] &>> 32 == tag {
            let place = Int(truncatingIfNeeded: first[way] & Self.place)
            preceptor_prefetch(arena + 4 &* place)
            preceptor_prefetch(arena + (4 &* place &+ 64))
        }
    }

    /// Whether a word that is not kept has been met before; it has now.
    func isMetAgain(_ hash: UInt64) -> Bool {
        let first = slots + Int(truncatingIfNeeded: hash) & slotMask
        let slot = hash & ~Self.place | Self.seen
        for way in 0..<Self.ways where first[way] == slot { return true }
        insert(hash, Self.seen)
        return false
    }

    /// What a cut that ends at byte `at` of a word, with a sum s, reaches at the word's end, less what the word's own best cut does:
    ///
    ///     s + deficit − S,   S: the sum at the start of the word
    ///
    /// If that is less than 0 by more than rounding, the cut is not the best there.
    @inline(__always)
    func deficit(_ piecePlace: Int, _ head: Head, _ at: Int) -> Float {
        let all = 3 &* Int(head.all) &+ 4 &* Int(head.exits)
        return (arena + 4 &* (piecePlace &+ all &+ at &- 1)).load(as: Float.self)
    }

    /// Finds a word that its slot is near for, and begins the walks from its characters where it is not kept.
    @inline(__always)
    func prepare(_ text: UnsafePointer<UInt8>, _ word: inout Found, _ end: Int, _ trie: UnigramTrie<Float>.View) {
        let (length, stop) = (word.stop &- word.start, word.stop)
        guard length <= Self.longestWord else { return }
        guard let place = find(text, word, end) else {
            if walks.count &+ length > UnigramWalks<Float>.most { return }
            word.walk = walks.count
            var at = word.start
            while at < stop {
                walks.add(trie.root, text, at, trie)
                at &+= UnigramLattice<Float>.length(text[at])
            }
            return
        }
        word.place = place
        let head = head(place)
        guard stop &+ 6 <= end else { return }
        let next = Self.load(text, stop &+ 3, end)
        let exits = exits(piecePlace(place, length), Int(head.pointee.all))
        for number in 0..<Int(head.pointee.exits) { trie.prefetchFilter(Int(exits[number].node), next) }
    }

    /// Begins the walks from the exits of a word that is kept.
    @inline(__always)
    func beginWalks(_ text: UnsafePointer<UInt8>, _ word: inout Found, _ end: Int, _ trie: UnigramTrie<Float>.View) {
        let (place, stop) = (word.place, word.stop)
        guard place >= 0, stop &+ 6 <= end else { return }
        let head = head(place)
        guard walks.count &+ Int(head.pointee.exits) <= UnigramWalks<Float>.most else { return }
        word.walk = walks.count
        word.exits = 0
        let next = Self.load(text, stop &+ 3, end)
        let exits = exits(piecePlace(place, stop &- word.start), Int(head.pointee.all))
        for number in 0..<Int(head.pointee.exits) {
            let (node, bit) = (Int(exits[number].node), 1 &<< UInt64(number) as UInt64)
            if node != 0 && trie.mayGoOn(node, next, short: exits[number].short) {
                walks.add(node, text, stop &+ 3, trie)
                word.walked |= bit
                word.exits |= bit
            } else if exits[number].piece >= 0 {
                word.exits |= bit
            }
        }
    }

    /// Calls `body` with the pieces that go on from an exit of a word that is kept.
    @inline(__always)
    func forEachPiece(
        _ word: Found, _ number: Int, _ exit: Exit, _ search: UnigramLattice<Float>,
        _ body: (_ end: Int, _ place: Int32, _ score: Float) -> Void
    ) {
        if exit.piece >= 0 { body(word.stop &+ 3, exit.piece, search.trie.score(exit.piece)) }
        guard exit.node != 0 else { return }
        if word.walk >= 0 && word.place >= 0 {
            let bit = 1 &<< UInt64(number) as UInt64
            if word.walked & bit == 0 { return }
            if let known = walks.matches(word.walk &+ (word.walked & (bit &- 1)).nonzeroBitCount) {
                for match in 0..<known.count {
                    body(Int(known.first[match].end), known.first[match].place, known.first[match].score)
                }
                return
            }
        }
        _ = search.trie.walk(search.text, word.stop &+ 3, search.end, from: Int(exit.node), body)
    }

    /// The place of a word; nil where it is not known.
    @inline(__always)
    func find(_ text: UnsafePointer<UInt8>, _ word: Found, _ end: Int) -> Int? {
        let first = slots + Int(truncatingIfNeeded: word.hash) & slotMask
        let tag = word.hash &>> 32
        for way in 0..<Self.ways where first[way] &>> 32 == tag && first[way] & Self.place < Self.seen {
            let place = Int(truncatingIfNeeded: first[way] & Self.place)
            if isSame(text, word, end, place) { return place }
        }
        return nil
    }

    @inline(__always)
    private func isSame(_ text: UnsafePointer<UInt8>, _ word: Found, _ end: Int, _ place: Int) -> Bool {
        guard Int(head(place).pointee.length) == word.stop &- word.start else { return false }
        var known = arena + (4 &* place &+ MemoryLayout<Head>.stride)
        var at = word.start
        while at &+ 8 <= word.stop {
            if Self.load(text, at, end) != known.loadUnaligned(as: UInt64.self) { return false }
            at &+= 8
            known += 8
        }
        let rest = UInt64(8 &* (word.stop &- at))
        return rest == 0 || Self.load(text, at, end) & ((1 &<< rest) &- 1) == known.loadUnaligned(as: UInt64.self)
    }

    @inline(__always)
    func head(_ place: Int) -> UnsafePointer<Head> { UnsafeRawPointer(arena + 4 &* place).assumingMemoryBound(to: Head.self) }

    /// Where a word's pieces lie.
    @inline(__always)
    func piecePlace(_ place: Int, _ length: Int) -> Int { place &+ MemoryLayout<Head>.stride / 4 &+ 2 &* ((length &+ 7) &>> 3) }

    @inline(__always)
    func pieces(_ place: Int) -> UnsafePointer<Piece> { UnsafeRawPointer(arena + 4 &* place).assumingMemoryBound(to: Piece.self) }

    @inline(__always)
    func exits(_ piecePlace: Int, _ pieces: Int) -> UnsafePointer<Exit> {
        UnsafeRawPointer(arena + 4 &* (piecePlace &+ 3 &* pieces)).assumingMemoryBound(to: Exit.self)
    }

    // MARK: Learning words

    /// The best sum up to a byte and the next best, in 64 bits, with the best cut's last piece.
    private struct Node {
        var best = -Double.infinity
        var second = -Double.infinity
        var start: Int32 = 0
        var place: Int32 = UnigramLattice<Float>.unknown
        var score: Float = 0
    }
    private struct Edge {
        let start: UInt16
        let end: UInt16
        let score: Float
    }
    private let nodes = UnsafeMutablePointer<Node>.allocate(capacity: longestWord + 1)
    private let edges = UnsafeMutablePointer<Edge>.allocate(capacity: longestWord * (longestWord + 1) / 2 + longestWord)
    private let ahead = UnsafeMutablePointer<Double>.allocate(capacity: longestWord + 1)
    private let newPieces = UnsafeMutablePointer<Piece>.allocate(capacity: mostPieces)
    private let newExits = UnsafeMutablePointer<Exit>.allocate(capacity: longestWord)
    private let deficits = UnsafeMutablePointer<Float>.allocate(capacity: longestWord)
    private static let mostPieces = 512

    /// Cuts a word and keeps it. - mayForget: whether no word that was found before is in use.
    @inline(never)
    func learn(
        _ text: UnsafePointer<UInt8>, _ word: Found, _ trie: UnigramTrie<Float>.View, unknownScore: Float, unknownID: UInt32,
        mayForget: Bool
    ) {
        let length = word.stop - word.start
        let (nodes, edges) = (nodes, edges)
        for at in 0...length { nodes[at] = Node() }
        nodes[0].best = 0
        var (at, characters, edgeCount, exitCount, reach, lead) = (0, 0, 0, 0, 0.0, Double.infinity)
        while at < length {
            let before = nodes[at]
            reach = max(reach, abs(before.best))
            let single = min(at + UnigramLattice<Float>.length(text[word.start + at]), length)
            var isKnown = false
            func add(_ end: Int, _ score: Float, _ place: Int32) {
                let (sum, second) = (before.best + Double(score), before.second + Double(score))
                edges[edgeCount] = Edge(start: UInt16(at), end: UInt16(end), score: score)
                edgeCount += 1
                if sum > nodes[end].best {
                    let last = nodes[end].best
                    nodes[end] = Node(best: sum, second: max(last, second), start: Int32(at), place: place, score: score)
                } else {
                    nodes[end].second = max(nodes[end].second, sum)
                }
            }
            let node = trie.walk(text, word.start + at, word.stop, from: trie.root) { end, place, score in
                add(end - word.start, score, place)
                if end - word.start == single { isKnown = true }
            }
            if !isKnown { add(single, unknownScore, UnigramLattice<Float>.unknown) }
            if node != 0 {
                let (behind, piece) = trie.behindBoundary(node)
                if behind != 0 || piece >= 0 {
                    let short: UInt16 = (trie.mayEnd(1, behind: behind) ? 1 : 0) | (trie.mayEnd(2, behind: behind) ? 2 : 0)
                    newExits[exitCount] = Exit(node: UInt32(behind), piece: piece, at: UInt16(at), count: 0, first: 0, short: short)
                    exitCount += 1
                    if at > 0 { lead = min(lead, (before.best - before.second) / Double(2 * characters)) }
                }
            }
            characters += 1
            at = single
        }
        let last = nodes[length]
        lead = min(lead, (last.best - last.second) / Double(2 * characters))
        reach = max(reach, abs(last.best)) + 1
        var all = collect(length, 0, trie, unknownID)
        let count = all
        for exit in 0..<exitCount where newExits[exit].at > 0 {
            // Most exits lie on the best cut.
            let end = UInt32(newExits[exit].at)
            if let piece = (0..<count).first(where: { newPieces[$0].end == end }) {
                newExits[exit].count = UInt16(piece + 1)
            } else if all < Self.mostPieces - Self.longestWord {
                let first = all
                all = collect(Int(end), first, trie, unknownID)
                newExits[exit].first = UInt16(first)
                newExits[exit].count = UInt16(all - first)
            } else {
                lead = -1
            }
        }
        findDeficits(length, edgeCount)
        let isUsable = reach < Self.mostReach
        // The sums of 64 bits are rounded too.
        keep(
            text, word,
            Head(
                lead: isUsable ? Float(lead - 1e-6).nextDown : -1, reach: Float(reach).nextUp, length: UInt16(length), count: UInt16(count),
                all: UInt16(all), exits: UInt8(exitCount), hasUnknown: (0..<all).contains { newPieces[$0].id == unknownID }), mayForget)
    }

    /// Adds the pieces of the best cut up to a byte behind `first` others; returns how many there are then.
    private func collect(_ end: Int, _ first: Int, _ trie: UnigramTrie<Float>.View, _ unknownID: UInt32) -> Int {
        var (at, count) = (end, first)
        while at > 0 {
            let node = nodes[at]
            newPieces[count] = Piece(score: node.score, id: node.place < 0 ? unknownID : trie.id(node.place), end: UInt32(at))
            count += 1
            at = Int(node.start)
        }
        let made = UnsafeMutableBufferPointer(start: newPieces + first, count: count - first)
        for piece in 0..<made.count / 2 { made.swapAt(piece, made.count - 1 - piece) }
        return count
    }

    /// The best sum from every byte of a word to its end, less that from its start.
    private func findDeficits(_ length: Int, _ edgeCount: Int) {
        for at in 0..<length { ahead[at] = -.infinity }
        ahead[length] = 0
        for edge in stride(from: edgeCount - 1, through: 0, by: -1) {
            let edge = edges[edge]
            ahead[Int(edge.start)] = max(ahead[Int(edge.start)], Double(edge.score) + ahead[Int(edge.end)])
        }
        for at in 1..<max(1, length) { deficits[at - 1] = Float(ahead[at] - ahead[0]).nextUp }
    }

    private func keep(_ text: UnsafePointer<UInt8>, _ word: Found, _ head: Head, _ mayForget: Bool) {
        let length = word.stop - word.start
        let padded = (length + 7) & ~7
        let (all, exits) = (Int(head.all), Int(head.exits))
        let size = MemoryLayout<Head>.stride + padded + 12 * all + 16 * exits + 4 * (length - 1)
        if used + size > capacity && !makeRoom(mayForget) { return }
        if taken > (slotMask + 1) / 2 && slotMask + 1 < Self.mostSlots { growSlots() }
        let place = used / 4
        var to = arena + used
        to.storeBytes(of: head, as: Head.self)
        to += MemoryLayout<Head>.stride
        (to + padded - 8).storeBytes(of: 0, as: UInt64.self)
        to.copyMemory(from: text + word.start, byteCount: length)
        to += padded
        to.copyMemory(from: newPieces, byteCount: 12 * all)
        to += 12 * all
        to.copyMemory(from: newExits, byteCount: 16 * exits)
        to += 16 * exits
        to.copyMemory(from: deficits, byteCount: 4 * (length - 1))
        used += size
        insert(word.hash, UInt64(place))
    }

    private func insert(_ hash: UInt64, _ place: UInt64) {
        let first = slots + Int(truncatingIfNeeded: hash) & slotMask
        let slot = hash & ~Self.place | place
        // In the place of its own mark, of a free slot, of another mark, of any.
        for way in 0..<Self.ways where first[way] == hash & ~Self.place | Self.seen {
            first[way] = slot
            return
        }
        for way in 0..<Self.ways where first[way] == Self.free {
            first[way] = slot
            taken += 1
            return
        }
        let marked = (0..<Self.ways).first { first[$0] & Self.place == Self.seen }
        first[marked ?? Int(truncatingIfNeeded: hash &>> 32) % Self.ways] = slot
    }

    private func growSlots() {
        let (old, count) = (slots, slotMask + 1 + Self.ways)
        slotMask = slotMask * 4 + 3
        slots = .allocate(capacity: slotMask + 1 + Self.ways)
        slots.initialize(repeating: Self.free, count: slotMask + 1 + Self.ways)
        taken = 0
        // Of a hash only the upper half is kept: the words are hashed again.
        for at in 0..<count where old[at] & Self.place < Self.seen {
            let place = Int(old[at] & Self.place)
            let bytes = (arena + (4 * place + MemoryLayout<Head>.stride)).assumingMemoryBound(to: UInt8.self)
            insert(Self.hash(bytes, Int(head(place).pointee.length)), UInt64(place))
        }
        old.deallocate()
    }

    private static func hash(_ bytes: UnsafePointer<UInt8>, _ length: Int) -> UInt64 {
        var hash: UInt64 = 0x51_7c_c1_b7_27_22_0a_95
        for from in stride(from: 0, to: length, by: 8) { hash = mix(hash, load(bytes, from, (length + 7) & ~7)) }
        return mix(hash, UInt64(length))
    }

    /// False where what is there may not go.
    private func makeRoom(_ mayForget: Bool) -> Bool {
        if 4 * capacity <= Self.mostBytes {
            let grown = UnsafeMutableRawPointer.allocate(byteCount: 4 * capacity, alignment: 64)
            grown.copyMemory(from: arena, byteCount: used)
            arena.deallocate()
            (arena, capacity) = (grown, 4 * capacity)
            return true
        }
        guard mayForget else { return false }
        slots.update(repeating: Self.free, count: slotMask + 1 + Self.ways)
        (used, taken) = (0, 0)
        generation += 1
        return true
    }
}
