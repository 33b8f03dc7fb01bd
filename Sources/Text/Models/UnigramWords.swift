// Words whose best cut does not depend on what stands around them, kept from text to text.

/// A cache of words of a text in which ▁ stands for spaces: each is a ▁ and what follows up to the next.
///
/// Sums of 32 bits run through the whole text, so they round a word's scores otherwise in every place. A word is kept if that cannot
/// matter: no piece that begins in it goes on with ▁, and its best cut leads by more than all that rounding can add up to,
///
///     lead > 2 n ε,   n: bytes of the word,   ε = 2⁻⁸: half a unit in the last place of sums below 2¹⁷
///
/// The sum itself goes on over the scores of the word's pieces, one by one, as it would have.
final class UnigramWords {
    private let cache = WordCache()
    let ids: UnsafeMutablePointer<UInt32>
    let spans: UnsafeMutablePointer<UInt64>

    static let longestWord = 48
    /// What the sums inside a word that is kept add up to at most; where it would take the text's sum past the highest, it is not used.
    static let mostReach: Float = 2000
    private static let rounding = 1.0 / 256
    private static let room = 2 * longestWord + 16
    /// Stands for a word that must be cut anew every time.
    private static let never = UInt32.max

    init() {
        ids = .allocate(capacity: Self.room)
        spans = .allocate(capacity: Self.room)
    }

    deinit {
        ids.deallocate()
        spans.deallocate()
    }

    /// The end of the word that begins at a byte; nil where none does, or a long one.
    @inline(__always)
    static func wordEnd(_ text: UnsafeRawBufferPointer, _ from: Int) -> Int? {
        func isBoundary(_ at: Int) -> Bool {
            text[at] == 0xE2 && at &+ 2 < text.count && text[at &+ 1] == 0x96 && text[at &+ 2] == 0x81
        }
        guard isBoundary(from) else { return nil }
        var at = from &+ 3
        let last = min(text.count, from &+ longestWord)
        while at < last && !isBoundary(at) { at &+= 1 }
        return at < last || at == text.count ? at : nil
    }

    /// Writes the tokens of a word to `ids` and `spans` and returns how many there are; 0 where it must be cut in its place. Every unknown
    /// character is a token.
    @inline(__always)
    func tokens(
        _ text: UnsafeRawBufferPointer, _ word: Range<Int>, _ trie: ByteTrie.View, _ lattice: UnigramLattice<Float>,
        _ pieceIDs: UnsafeBufferPointer<UInt32>, unknownID: UInt32
    ) -> Int {
        let base = text.baseAddress!.assumingMemoryBound(to: UInt8.self)
        let (start, length) = (word.lowerBound, word.count)
        var count: Int
        if length <= WordCache.shortWord {
            let key = WordCache.key(base + start, length, readable: text.count - start)
            count = cache.find(key, cache.place(key), length, at: start, ids, spans)
            if count == 0 {
                count = cut(text, word, trie, lattice, pieceIDs, unknownID: unknownID)
                cache.remember(key, length, at: start, ids, spans, count)
            }
        } else {
            count = cache.findLong(base + start, length, at: start, ids, spans)
            if count == 0 {
                count = cut(text, word, trie, lattice, pieceIDs, unknownID: unknownID)
                cache.rememberLong(base + start, length, at: start, ids, spans, count)
            }
        }
        return ids[0] == Self.never ? 0 : count
    }

    /// The best sum up to a byte and the next best, in 64 bits, with the best cut's last piece.
    private struct Node {
        var best = -Double.infinity
        var second = -Double.infinity
        var start = 0
        var place = Int(UnigramLattice<Float>.unknownPlace)

        mutating func add(_ sum: Double, _ start: Int, _ place: Int) {
            if sum > best { (best, second, self.start, self.place) = (sum, best, start, place) } else { second = max(second, sum) }
        }
    }

    /// Cuts a word; one token `never` where the cut depends on what stands around it.
    @inline(never)
    private func cut(
        _ text: UnsafeRawBufferPointer, _ word: Range<Int>, _ trie: ByteTrie.View, _ lattice: UnigramLattice<Float>,
        _ pieceIDs: UnsafeBufferPointer<UInt32>, unknownID: UInt32
    ) -> Int {
        ids[0] = Self.never
        spans[0] = UInt64(word.lowerBound) | UInt64(word.upperBound) << 32
        var nodes = [Node](repeating: Node(), count: word.count + 1)
        nodes[0].best = 0
        var at = 0
        while at < word.count {
            let before = nodes[at]
            guard abs(before.best) < Double(Self.mostReach) - 1 else { return 1 }
            let single = at + decodeScalar(text, word.lowerBound + at).length
            var isKnown = false
            let rest = (word.lowerBound + at)..<word.upperBound
            let node = trie.walk(text, rest) { end, place in
                let (end, score) = (end - word.lowerBound, Double(lattice.scores[place]))
                nodes[end].add(before.best + score, at, place)
                nodes[end].second = max(nodes[end].second, before.second + score)
                if end == single { isKnown = true }
            }
            if !isKnown {
                let score = Double(lattice.unknownScore)
                nodes[single].add(before.best + score, at, Int(UnigramLattice<Float>.unknownPlace))
                nodes[single].second = max(nodes[single].second, before.second + score)
            }
            guard !trie.goesOn(from: node, with: [0xE2, 0x96, 0x81]) else { return 1 }
            at = single
        }
        let last = nodes[word.count]
        guard last.best - last.second > 2 * Double(word.count) * Self.rounding + 1e-3, abs(last.best) < Double(Self.mostReach) - 1 else {
            return 1
        }
        return write(nodes, word, pieceIDs, unknownID: unknownID)
    }

    private func write(_ nodes: [Node], _ word: Range<Int>, _ pieceIDs: UnsafeBufferPointer<UInt32>, unknownID: UInt32) -> Int {
        var ends: [Int] = []
        var end = word.count
        while end > 0 {
            ends.append(end)
            end = nodes[end].start
        }
        for (token, end) in ends.reversed().enumerated() {
            ids[token] = nodes[end].place < 0 ? unknownID : pieceIDs[nodes[end].place]
            spans[token] = UInt64(word.lowerBound + nodes[end].start) | UInt64(word.lowerBound + end) << 32
        }
        return ends.count
    }
}
