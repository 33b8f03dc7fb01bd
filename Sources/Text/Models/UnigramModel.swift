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
    private let trie: ByteTrie
    /// The id of the piece that ends at each unit of the trie.
    private let ids: [UInt32]
    private let unknownID: UInt32
    private let byteIDs: [UInt32]?
    private let byteOfID: [UInt32: UInt8]
    private let vocabulary: ByteStrings
    private let sums: Sums

    /// Whose sums are added: those of sentencepiece, or of the tokenizers package.
    private enum Sums {
        case single(UnigramLattice<Float>)
        case double(UnigramLattice<Double>)
    }
    /// Whether the unknown token is never a piece that is found in the text.
    private let keepsWords: Bool
    /// The score of each id, where sums are single.
    private let singleScores: [Float]
    /// Memory of this copy alone.
    private var scratch = Scratch()

    private final class Scratch {
        let singleNodes = UnigramLattice<Float>.Nodes()
        let doubleNodes = UnigramLattice<Double>.Nodes()
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
        keepsWords = pieces[unknownID].kind == .unknown
        byteOfID = Dictionary((byteIDs ?? []).enumerated().map { ($1, UInt8($0)) }) { first, _ in first }
        var vocabulary = ByteStrings()
        for piece in pieces { piece.bytes.withUnsafeBytes { vocabulary.append($0) } }
        self.vocabulary = vocabulary
        var found = Self.findable(pieces, rules)
        switch rules {
        case .huggingFace: found.keepLastOfEqual()
        case .sentencePiece:
            if let twice = found.firstTwice { throw refuse("piece '\(printable(Array(found.bytes(twice))))' is there twice") }
            found.removeAll { pieces[Int($0)].kind == .unused }
        }
        guard let trie = ByteTrie(found) else { throw refuse("the pieces need more than \(ByteTrie.mostUnits) units of a trie") }
        self.trie = trie
        let ids = trie.valuesByPlace
        self.ids = ids
        let longest = found.longest
        switch rules {
        case .huggingFace:
            let scores = pieces.map(\.score)
            singleScores = []
            sums = .double(
                UnigramLattice(
                    scores: ids.map { scores[Int($0)] }, unknownScore: scores.min()! - 10, highestSum: .infinity, longestPiece: longest))
        case .sentencePiece:
            let lowest = pieces.lazy.filter { $0.kind == .normal }.map(\.score).min().map { Float($0) } ?? .greatestFiniteMagnitude
            var scores = pieces.map(Self.singleScore)
            // The unknown token is found nowhere; in the cache of words it is a character that no piece begins with alone.
            if keepsWords { scores[unknownID] = lowest - 10 }
            singleScores = scores
            sums = .single(
                UnigramLattice(
                    scores: ids.map { scores[Int($0)] }, unknownScore: lowest - 10, highestSum: Self.highestSum, longestPiece: longest))
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
        if !isKnownUniquelyReferenced(&scratch) { scratch = Scratch() }
        let text = UnsafeRawBufferPointer(start: text.baseAddress, count: range.upperBound)
        var output = Output(unknownAt: range.lowerBound)
        switch sums {
        case .single(let lattice): encode(text, range, lattice, into: &output, &tokens)
        case .double(let lattice):
            var (from, sum) = (range.lowerBound, 0.0)
            trie.withView { trie in
                while from < range.upperBound {
                    from = lattice.scores.withUnsafeBufferPointer { scores in
                        lattice.cutBeginning(of: text, from..<range.upperBound, trie, scores.baseAddress!, scratch.doubleNodes, &sum) {
                            append($0 < 0 ? unknownID : ids[Int($0)], $1, $2, text, to: &output, &tokens)
                        }
                    }
                }
            }
        }
        if !output.unknown.isEmpty { appendUnknown(text, output.unknown, into: &tokens) }
    }

    /// Words that have been met before by the cache, the others by the lattice.
    private func encode(
        _ text: UnsafeRawBufferPointer, _ range: Range<Int>, _ lattice: UnigramLattice<Float>, into output: inout Output,
        _ tokens: inout TokenSequence
    ) {
        let words = scratch.words
        var (from, sum) = (range.lowerBound, Float(0))
        trie.withView { trie in
            lattice.scores.withUnsafeBufferPointer { scores in
                ids.withUnsafeBufferPointer { ids in
                    while from < range.upperBound {
                        if keepsWords, abs(sum) < Self.highestSum - UnigramWords.mostReach, let end = UnigramWords.wordEnd(text, from) {
                            let count = words.tokens(text, from..<end, trie, lattice, ids, unknownID: unknownID)
                            if count > 0 {
                                write(words, count, text, &sum, into: &output, &tokens)
                                from = end
                                continue
                            }
                        }
                        from = lattice.cutBeginning(
                            of: text, from..<range.upperBound, trie, scores.baseAddress!, scratch.singleNodes, &sum
                        ) { append($0 < 0 ? unknownID : ids[Int($0)], $1, $2, text, to: &output, &tokens) }
                    }
                }
            }
        }
    }

    /// Adds up the scores of a word's pieces and writes its tokens.
    @inline(__always)
    private func write(
        _ words: UnigramWords, _ count: Int, _ text: UnsafeRawBufferPointer, _ sum: inout Float, into output: inout Output,
        _ tokens: inout TokenSequence
    ) {
        var hasUnknown = !output.unknown.isEmpty
        for token in 0..<count {
            let id = words.ids[token]
            if id == unknownID { hasUnknown = true }
            sum = singleScores[Int(id)] + sum
        }
        guard hasUnknown else { return tokens.append(words.ids, words.spans, count) }
        for token in 0..<count {
            let span = words.spans[token]
            append(words.ids[token], Int(span & 0xFFFF_FFFF), Int(span >> 32), text, to: &output, &tokens)
        }
    }

    /// What has been cut and not yet written: a run of unknown characters.
    private struct Output {
        var unknown: Range<Int>

        init(unknownAt start: Int) { unknown = start..<start }
    }

    @inline(__always)
    private func append(
        _ id: UInt32, _ start: Int, _ end: Int, _ text: UnsafeRawBufferPointer, to output: inout Output, _ tokens: inout TokenSequence
    ) {
        if id == unknownID {
            output.unknown = (output.unknown.isEmpty ? start : output.unknown.lowerBound)..<end
            return
        }
        if !output.unknown.isEmpty {
            appendUnknown(text, output.unknown, into: &tokens)
            output.unknown = end..<end
        }
        tokens.append(id, start, end)
    }

    @inline(never)
    private func appendUnknown(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, into tokens: inout TokenSequence) {
        if case .double = sums, let id = trie.value(of: text, range) { return tokens.append(id, range.lowerBound, range.upperBound) }
        guard let byteIDs else { return tokens.append(unknownID, range.lowerBound, range.upperBound) }
        for at in range { tokens.append(byteIDs[Int(text[at])], at, at + 1) }
    }

    func bytes(of id: Int) -> [UInt8] {
        if let byte = byteOfID[UInt32(id)] { return [byte] }
        return vocabulary[id]
    }
}
