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
    private let unknownID: UInt32
    private let byteIDs: [UInt32]?
    private let byteOfID: [UInt32: UInt8]
    private let vocabulary: ByteStrings
    private let sums: Sums
    /// Whether the unknown token is a piece that is found in the text.
    private let findsUnknown: Bool
    /// Memory of this copy alone.
    private var scratch = Scratch()

    /// Whose sums are added: those of sentencepiece, or of the tokenizers package.
    private enum Sums {
        case single(UnigramTrie<Float>, UnigramLattice<Float>.Limits)
        case double(UnigramTrie<Double>, UnigramLattice<Double>.Limits)
    }

    private final class Scratch {
        let singleNodes = UnigramLattice<Float>.Nodes()
        let doubleNodes = UnigramLattice<Double>.Nodes()
        let output = UnigramOutput.Room()
        let words = UnigramWords()
    }
    /// A sum of 32 bits past this is set back.
    private static let highestSum: Float = 100_000

    /// - byteIDs: the token of each byte, where unknown characters fall back to bytes. - name: the file, for messages.
    /// Throws `Failure.badData` for pieces that are empty or there twice (sentencepiece), and for scores that are no numbers.
    init(pieces: [UnigramPiece], unknownID: Int, byteIDs: [UInt32]?, rules: UnigramRules, name: String) throws {
        func refuse(_ what: String) -> Failure { Failure(.badData, name, .whole, what) }
        guard pieces.indices.contains(unknownID) else { throw refuse("unk_id is \(unknownID), but there are \(pieces.count) pieces") }
        if let bad = pieces.firstIndex(where: { !$0.score.isFinite }) { throw refuse("the score of piece \(bad) is no finite number") }
        self.unknownID = UInt32(unknownID)
        self.byteIDs = byteIDs
        byteOfID = Dictionary((byteIDs ?? []).enumerated().map { ($1, UInt8($0)) }) { first, _ in first }
        var vocabulary = ByteStrings()
        for piece in pieces { piece.bytes.withUnsafeBytes { vocabulary.append($0) } }
        self.vocabulary = vocabulary
        var found = Self.findable(pieces, rules)
        findsUnknown = found.keys.contains { $0.value == UInt32(unknownID) }
        let tooMany = refuse("the pieces need more than \(ByteTrie.mostUnits) units of a trie")
        switch rules {
        case .huggingFace:
            found.keepLastOfEqual()
            guard let trie = UnigramTrie<Double>(found, score: { pieces[Int($0)].score }) else { throw tooMany }
            let lowest = pieces.lazy.map(\.score).min()!
            sums = .double(trie, .init(unknownScore: lowest - 10, highestSum: .infinity, longestPiece: found.longest))
        case .sentencePiece:
            if let twice = found.firstTwice { throw refuse("piece '\(printable(Array(found.bytes(twice))))' is there twice") }
            found.removeAll { pieces[Int($0)].kind == .unused }
            guard let trie = UnigramTrie<Float>(found, score: { Self.singleScore(pieces[Int($0)]) }) else { throw tooMany }
            let lowest = pieces.lazy.filter { $0.kind == .normal }.map(\.score).min().map { Float($0) } ?? .greatestFiniteMagnitude
            sums = .single(trie, .init(unknownScore: lowest - 10, highestSum: Self.highestSum, longestPiece: found.longest))
        }
    }

    private static func singleScore(_ piece: UnigramPiece) -> Float {
        piece.kind == .userDefined ? Float(0.1 * Double(piece.bytes.count - 1)) : Float(piece.score)
    }

    /// The pieces that may be found in the text, those that are unused with them.
    private static func findable(_ pieces: [UnigramPiece], _ rules: UnigramRules) -> SortedKeys {
        var keys = SortedKeys(keys: pieces.count, bytes: 8 * pieces.count)
        for (id, piece) in pieces.enumerated() where !piece.bytes.isEmpty {
            switch piece.kind {
            case .unknown, .control, .byte: if rules == .huggingFace { keys.append(piece.bytes, UInt32(id)) }
            case .normal, .userDefined, .unused: keys.append(piece.bytes, UInt32(id))
            }
        }
        keys.sort()
        return keys
    }

    mutating func encode(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, into tokens: inout TokenSequence) {
        guard let text = text.baseAddress?.assumingMemoryBound(to: UInt8.self), !range.isEmpty else { return }
        if !isKnownUniquelyReferenced(&scratch) { scratch = Scratch() }
        switch sums {
        case .single(let trie, let limits):
            var output = UnigramOutput(scratch.output, unknownID: unknownID, findsUnknown: findsUnknown) { [self] in
                appendUnknown(text, $0, nil, into: &$1)
            }
            trie.withView { view in
                var search = UnigramLattice(text, range, view, limits, scratch.singleNodes)
                scratch.words.cut(&search, unknownID, &output, &tokens)
            }
            output.flush(&tokens)
        case .double(let trie, let limits):
            var output = UnigramOutput(scratch.output, unknownID: unknownID, findsUnknown: findsUnknown) { [self] in
                appendUnknown(text, $0, trie.id(of: text, $0), into: &$1)
            }
            trie.withView { view in
                var search = UnigramLattice(text, range, view, limits, scratch.doubleNodes)
                search.advance(to: range.upperBound) { node, start, end in
                    output.append(node.piece < 0 ? unknownID : view.id(node.piece), start, end, &tokens)
                }
                search.report { node, start, end in output.append(node.piece < 0 ? unknownID : view.id(node.piece), start, end, &tokens) }
            }
            output.flush(&tokens)
        }
    }

    /// - entry: the id of a piece that is the whole run, where that is what becomes of it.
    @inline(never)
    private func appendUnknown(_ text: UnsafePointer<UInt8>, _ range: Range<Int>, _ entry: UInt32?, into tokens: inout TokenSequence) {
        if let entry { return tokens.append(entry, range.lowerBound, range.upperBound) }
        guard let byteIDs else { return tokens.append(unknownID, range.lowerBound, range.upperBound) }
        for at in range { tokens.append(byteIDs[Int(text[at])], at, at + 1) }
    }

    func bytes(of id: Int) -> [UInt8] {
        if let byte = byteOfID[UInt32(id)] { return [byte] }
        return vocabulary[id]
    }

    func spelling(of id: Int) -> [UInt8] { vocabulary[id] }
}
