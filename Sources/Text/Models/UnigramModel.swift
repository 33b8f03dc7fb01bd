// Unigram: of all ways to cut a word into pieces, the one whose scores add up to the most.

import Streams

/// A piece of a Unigram vocabulary, in the order of ids.
struct UnigramPiece {
    var bytes: [UInt8]
    /// The logarithm of its probability.
    var score: Double
    var kind = PieceEntry.Kind.normal
}

/// Whose arithmetic decides: both add from left to right and keep the first of equals, but not alike.
enum UnigramRules {
    /// Sums of 32 bits, set back to 0 whenever they pass 100,000, so what stands far in front can decide between nearly equal cuts: a word
    /// is the whole text. User-defined pieces score 0.1 · (bytes − 1); control, unknown and byte pieces are not found in the text, unused
    /// ones not taken. The lowest score is that of normal pieces.
    case sentencePiece
    /// Sums of 64 bits; every entry is found in the text, and a run of unknown characters that is an entry is that entry.
    case huggingFace
}

/// A character that no piece begins with alone scores 10 less than the lowest score; runs of such are one unknown token, or bytes.
struct UnigramModel: WordModel {
    private let rules: UnigramRules
    private let trie: ByteTrie
    /// The score of the piece that ends at each unit of the trie.
    private let scores: [Double]
    /// Its id.
    private let ids: [UInt32]
    private let unknownScore: Double
    private let unknownID: UInt32
    private let byteIDs: [UInt32]?
    private let byteOfID: [UInt32: UInt8]
    private let vocabulary: Vocabulary

    /// The best cut that ends at a byte: its score, where its last piece starts (−1: none), and that piece's place in the trie.
    private struct Node {
        var score: Double
        var start: Int32
        var place: Int32
    }
    private var nodes: [Node] = []
    /// The ends of the chosen pieces with their places, last first.
    private var path: [(end: Int32, place: Int32)] = []
    private static let unknownPlace: Int32 = -1
    private static let none: Int32 = -1
    /// A sum of 32 bits past this is set back.
    private static let highestSum = 100_000.0

    /// - byteIDs: the token of each byte, where unknown characters fall back to bytes. - name: the file, for messages.
    /// Throws `Failure.badData` for pieces that are empty or there twice (sentencepiece), and for scores that are no numbers.
    init(pieces: [UnigramPiece], unknownID: Int, byteIDs: [UInt32]?, rules: UnigramRules, name: String) throws {
        func refuse(_ what: String) -> Failure { Failure(.badData, name, .whole, what) }
        guard pieces.indices.contains(unknownID) else { throw refuse("unk_id is \(unknownID), but there are \(pieces.count) pieces") }
        if let bad = pieces.firstIndex(where: { !$0.score.isFinite }) { throw refuse("the score of piece \(bad) is no finite number") }
        self.rules = rules
        self.unknownID = UInt32(unknownID)
        self.byteIDs = byteIDs
        byteOfID = Dictionary((byteIDs ?? []).enumerated().map { ($1, UInt8($0)) }) { first, _ in first }
        let vocabulary = Vocabulary(capacity: pieces.count)
        for piece in pieces { vocabulary.append(piece.bytes) }
        self.vocabulary = vocabulary

        let counted = rules == .huggingFace ? pieces : pieces.filter { $0.kind == .normal }
        let lowest = counted.map(\.score).min() ?? Double(Float.greatestFiniteMagnitude)
        unknownScore = rules == .huggingFace ? lowest - 10 : Double(Float(lowest) - 10)
        let found = Self.findable(pieces, rules)
        if rules == .sentencePiece {
            for (one, other) in zip(found, found.dropFirst()) where pieces[Int(one)].bytes == pieces[Int(other)].bytes {
                throw refuse("piece '\(printable(pieces[Int(one)].bytes))' is there twice")
            }
        }
        guard let trie = ByteTrie(sorted: found.map { (pieces[Int($0)].bytes[...], $0) }) else {
            throw refuse("the pieces need more than \(ByteTrie.mostUnits) units of a trie")
        }
        self.trie = trie
        ids = trie.valuesByPlace
        scores = ids.map { id in
            let piece = pieces[Int(id)]
            if rules == .huggingFace { return piece.score }
            switch piece.kind {
            case .userDefined: return Double(Float(0.1 * Double(piece.bytes.count - 1)))
            case .unused: return -.infinity
            default: return Double(Float(piece.score))
            }
        }
    }

    /// The pieces that may be found in the text, in the order of their bytes; of equal ones Hugging Face's last.
    private static func findable(_ pieces: [UnigramPiece], _ rules: UnigramRules) -> [UInt32] {
        let ids = pieces.indices.filter { id in
            if pieces[id].bytes.isEmpty { return false }
            return rules == .huggingFace || [.normal, .userDefined, .unused].contains(pieces[id].kind)
        }
        let sorted = ids.sorted { one, other in
            let (first, second) = (pieces[one].bytes, pieces[other].bytes)
            return first == second ? one < other : first.lexicographicallyPrecedes(second)
        }
        guard rules == .huggingFace else { return sorted.map { UInt32($0) } }
        return sorted.indices.filter { $0 + 1 == sorted.count || pieces[sorted[$0]].bytes != pieces[sorted[$0 + 1]].bytes }
            .map { UInt32(sorted[$0]) }
    }

    /// Cost: for every character a step in the trie for each byte that a piece may go on with, at most the longest piece.
    mutating func encode(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, into tokens: inout TokenSequence) {
        guard !range.isEmpty else { return }
        findBest(text, range)
        path.removeAll(keepingCapacity: true)
        var end = range.count
        while end > 0 {
            path.append((Int32(end), nodes[end].place))
            end = Int(nodes[end].start)
        }
        var start = range.lowerBound
        var at = path.count - 1
        while at >= 0 {
            let isUnknown = path[at].place == Self.unknownPlace || ids[Int(path[at].place)] == unknownID
            if isUnknown { while at > 0 && isUnknownToken(path[at - 1].place) { at -= 1 } }
            let end = range.lowerBound + Int(path[at].end)
            if isUnknown {
                appendUnknown(text, start..<end, into: &tokens)
            } else {
                tokens.append(ids[Int(path[at].place)], start, end)
            }
            start = end
            at -= 1
        }
    }

    private func isUnknownToken(_ place: Int32) -> Bool { place == Self.unknownPlace || ids[Int(place)] == unknownID }

    /// Fills `nodes` from left to right.
    private mutating func findBest(_ text: UnsafeRawBufferPointer, _ range: Range<Int>) {
        let count = range.count
        nodes.removeAll(keepingCapacity: true)
        nodes.append(contentsOf: repeatElement(Node(score: 0, start: Self.none, place: 0), count: count + 1))
        let isSingle = rules == .sentencePiece
        let (base, unknownScore) = (range.lowerBound, unknownScore)
        nodes.withUnsafeMutableBufferPointer { nodes in
            scores.withUnsafeBufferPointer { scores in
                trie.withView { trie in
                    var start = 0
                    var frontier = 0
                    while start < count {
                        if isSingle && abs(nodes[start].score) > Self.highestSum { Self.setBack(nodes, start, frontier) }
                        let before = nodes[start].score
                        let single = min(start + Self.length(text[base + start]), count)
                        var isKnown = false
                        trie.forEachPrefix(text, (base + start)..<range.upperBound) { end, place in
                            let score = scores[place]
                            if score == -.infinity { return }
                            let end = end - base
                            let sum = isSingle ? Double(Float(score + before)) : score + before
                            if nodes[end].start < 0 || sum > nodes[end].score {
                                nodes[end] = Node(score: sum, start: Int32(start), place: Int32(place))
                            }
                            if end == single { isKnown = true }
                            frontier = max(frontier, end)
                        }
                        if !isKnown {
                            frontier = max(frontier, single)
                            let sum = isSingle ? Double(Float(unknownScore + before)) : unknownScore + before
                            if nodes[single].start < 0 || sum > nodes[single].score {
                                nodes[single] = Node(score: sum, start: Int32(start), place: Self.unknownPlace)
                            }
                        }
                        start = single
                    }
                }
            }
        }
    }

    /// Takes the score of one node from it and all behind it.
    private static func setBack(_ nodes: UnsafeMutableBufferPointer<Node>, _ start: Int, _ frontier: Int) {
        let offset = nodes[start].score
        for at in start...max(start, frontier) where at == start || nodes[at].start >= 0 {
            nodes[at].score = Double(Float(nodes[at].score - offset))
        }
    }

    /// The bytes of the character that a byte begins.
    @inline(__always)
    private static func length(_ byte: UInt8) -> Int { byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4 }

    private func appendUnknown(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, into tokens: inout TokenSequence) {
        if rules == .huggingFace, let id = trie.value(of: text, range) { return tokens.append(id, range.lowerBound, range.upperBound) }
        guard let byteIDs else { return tokens.append(unknownID, range.lowerBound, range.upperBound) }
        for at in range { tokens.append(byteIDs[Int(text[at])], at, at + 1) }
    }

    func bytes(of id: Int) -> [UInt8] {
        if let byte = byteOfID[UInt32(id)] { return [byte] }
        return Array(vocabulary.bytes(id))
    }
}
