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
    typealias Exit = UnigramWordCut.Exit
    typealias Head = UnigramWordCut.Head

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

    let block = UnsafeMutablePointer<UnigramWord>.allocate(capacity: blockSize)
    static let blockSize = 24
    private let cutter = UnigramWordCut()
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
    func prepare(_ text: UnsafePointer<UInt8>, _ word: inout UnigramWord, _ end: Int, _ trie: UnigramTrie<Float>.View) {
        let (length, stop) = (word.stop &- word.start, word.stop)
        guard length <= UnigramWordCut.longestWord else { return }
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
        let next = UnigramWord.load(text, stop &+ 3, end)
        let exits = exits(piecePlace(place, length), Int(head.pointee.all))
        for number in 0..<Int(head.pointee.exits) { trie.prefetchFilter(Int(exits[number].node), next) }
    }

    /// Begins the walks from the exits of a word that is kept.
    @inline(__always)
    func beginWalks(_ text: UnsafePointer<UInt8>, _ word: inout UnigramWord, _ end: Int, _ trie: UnigramTrie<Float>.View) {
        let (place, stop) = (word.place, word.stop)
        guard place >= 0, stop &+ 6 <= end else { return }
        let head = head(place)
        guard walks.count &+ Int(head.pointee.exits) <= UnigramWalks<Float>.most else { return }
        word.walk = walks.count
        word.exits = 0
        let next = UnigramWord.load(text, stop &+ 3, end)
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
        _ word: UnigramWord, _ number: Int, _ exit: Exit, _ search: UnigramLattice<Float>,
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
    func find(_ text: UnsafePointer<UInt8>, _ word: UnigramWord, _ end: Int) -> Int? {
        let first = slots + Int(truncatingIfNeeded: word.hash) & slotMask
        let tag = word.hash &>> 32
        for way in 0..<Self.ways where first[way] &>> 32 == tag && first[way] & Self.place < Self.seen {
            let place = Int(truncatingIfNeeded: first[way] & Self.place)
            if isSame(text, word, end, place) { return place }
        }
        return nil
    }

    @inline(__always)
    private func isSame(_ text: UnsafePointer<UInt8>, _ word: UnigramWord, _ end: Int, _ place: Int) -> Bool {
        guard Int(head(place).pointee.length) == word.stop &- word.start else { return false }
        var known = arena + (4 &* place &+ MemoryLayout<Head>.stride)
        var at = word.start
        while at &+ 8 <= word.stop {
            if UnigramWord.load(text, at, end) != known.loadUnaligned(as: UInt64.self) { return false }
            at &+= 8
            known += 8
        }
        let rest = UInt64(8 &* (word.stop &- at))
        return rest == 0 || UnigramWord.load(text, at, end) & ((1 &<< rest) &- 1) == known.loadUnaligned(as: UInt64.self)
    }

    @inline(__always)
    func head(_ place: Int) -> UnsafePointer<Head> { UnsafeRawPointer(arena + 4 &* place).assumingMemoryBound(to: Head.self) }

    /// Where a word's pieces lie.
    @inline(__always)
    func piecePlace(_ place: Int, _ length: Int) -> Int { place &+ MemoryLayout<Head>.stride / 4 &+ 2 &* ((length &+ 7) &>> 3) }

    @inline(__always)
    func pieces(_ place: Int) -> UnsafePointer<UnigramWordCut.Piece> {
        UnsafeRawPointer(arena + 4 &* place).assumingMemoryBound(to: UnigramWordCut.Piece.self)
    }

    @inline(__always)
    func exits(_ piecePlace: Int, _ pieces: Int) -> UnsafePointer<Exit> {
        UnsafeRawPointer(arena + 4 &* (piecePlace &+ 3 &* pieces)).assumingMemoryBound(to: Exit.self)
    }

    /// Cuts a word and keeps it. - mayForget: whether no word that was found before is in use.
    @inline(never)
    func learn(
        _ text: UnsafePointer<UInt8>, _ word: UnigramWord, _ trie: UnigramTrie<Float>.View, unknownScore: Float, unknownID: UInt32,
        mayForget: Bool
    ) {
        keep(text, word, cutter.cut(text, word, trie, unknownScore: unknownScore, unknownID: unknownID), mayForget)
    }

    private func keep(_ text: UnsafePointer<UInt8>, _ word: UnigramWord, _ head: Head, _ mayForget: Bool) {
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
        to.copyMemory(from: cutter.pieces, byteCount: 12 * all)
        to += 12 * all
        to.copyMemory(from: cutter.exits, byteCount: 16 * exits)
        to += 16 * exits
        to.copyMemory(from: cutter.deficits, byteCount: 4 * (length - 1))
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
            let length = Int(head(place).pointee.length)
            insert(UnigramWord.hash(bytes, 0, length, (length + 7) & ~7), UInt64(place))
        }
        old.deallocate()
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
