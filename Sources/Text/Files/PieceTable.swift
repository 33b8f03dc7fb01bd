// The pieces of a SentencePiece vocabulary, from a .model or a GGUF, made into symbols and merges.

import Streams

/// One piece with its score and type, as SentencePiece numbers them.
struct PieceEntry {
    enum Kind: Int {
        case normal = 1
        case unknown, control, userDefined, unused, byte
    }
    var bytes: [UInt8]
    var score: Float
    var kind: Kind

    /// Whether other pieces merge into it.
    var merges: Bool { kind == .normal || kind == .unused }
}

/// Pieces as the encoder wants them.
///
/// SentencePiece merges two neighbours when their joined text is a piece, the one with the highest score first. Listing, for every
/// piece, its cuts into two symbols gives the same merges as pairs; the ranks are the places of the scores from the highest on.
struct PieceTable {
    let vocabulary: Vocabulary
    private var merges: MergeList
    private let name: String
    private(set) var characters: [UInt32: UInt32] = [:]
    private(set) var byteIDs: [UInt32]?
    private(set) var unknownID: UInt32?
    private(set) var silent: Set<UInt32> = []
    /// How those and user-defined pieces are written.
    private(set) var spellings: [UInt32: [UInt8]] = [:]
    /// Pieces that merge on, but are no tokens.
    private(set) var unused: Set<UInt32> = []
    /// Pieces that are found in the text as they are written and never merge.
    private(set) var userDefined: [AddedToken] = []

    /// Longer pieces would take too long to cut in all ways; the longest known are a tenth of it.
    static let longestPiece = 1024

    /// - name: for messages. - listsMerges: for byte-pair encoding. Throws 65, naming the piece.
    init(_ entries: [PieceEntry], name: String, listsMerges: Bool = true) throws {
        guard !entries.isEmpty else { throw Failure(.badData, name, .whole, "a vocabulary without pieces") }
        vocabulary = Vocabulary(capacity: entries.count)
        self.name = name
        merges = MergeList(capacity: listsMerges ? 4 * entries.count : 0)
        // Pieces that nothing merges into.
        let others = Vocabulary(capacity: listsMerges ? 512 : entries.count)
        var bytes = [UInt32?](repeating: nil, count: 256)
        for (id, entry) in entries.enumerated() {
            func refuse(_ what: String) -> Failure {
                Failure(.badData, name, .whole, "piece \(id) ('\(printable(entry.bytes))') \(what)")
            }
            guard !entry.bytes.isEmpty else { throw refuse("is empty") }
            guard entry.bytes.withUnsafeBytes({ firstInvalidUTF8($0) }) == nil else { throw refuse("is not UTF-8") }
            guard entry.score.isFinite else { throw refuse("has a score that is not finite") }
            guard entry.bytes.count <= PieceTable.longestPiece else {
                throw refuse("has \(entry.bytes.count) bytes, more than \(PieceTable.longestPiece)")
            }
            let (mine, theirs) = listsMerges && entry.merges ? (vocabulary, others) : (others, vocabulary)
            if theirs.id(of: entry.bytes) != nil || mine.appendNew(entry.bytes) != nil { throw refuse("is there twice") }
            if mine === others { vocabulary.appendUnnamed() }
            switch entry.kind {
            case .normal: break
            case .unknown:
                guard unknownID == nil else { throw refuse("is a second unknown piece") }
                unknownID = UInt32(id)
                silent.insert(UInt32(id))
                spellings[UInt32(id)] = entry.bytes
            case .control:
                silent.insert(UInt32(id))
                spellings[UInt32(id)] = entry.bytes
            case .byte:
                guard let byte = byteValue(entry.bytes) else { throw refuse("is no byte piece: expected <0x00> to <0xFF>") }
                bytes[byte] = UInt32(id)
            case .userDefined:
                userDefined.append(AddedToken(id: UInt32(id), content: entry.bytes))
                spellings[UInt32(id)] = entry.bytes
            case .unused: unused.insert(UInt32(id))
            }
        }
        try setByteIDs(bytes, name: name)
        guard listsMerges else { return }
        listCharacters(entries)
        listMerges(entries)
    }

    func tables(spacesAreBoundaries: Bool = true) throws -> PieceTables {
        try PieceTables(
            vocabulary: vocabulary, merges: MergeTable(merges, name: name), characters: characters, byteIDs: byteIDs, unknownID: unknownID,
            fusesUnknown: true,
            unused: unused, spacesAreBoundaries: spacesAreBoundaries)
    }

    /// The pieces as a Unigram model behind sentencepiece's normalisation.
    func unigramEncoder(_ entries: [PieceEntry], normaliser: SentencePieceNormaliser, name: String) throws -> any SectionEncoder {
        guard let unknownID else { throw Failure(.badData, name, .whole, "has no unknown piece") }
        let pieces = entries.map { UnigramPiece(bytes: $0.bytes, score: Double($0.score), kind: $0.kind) }
        let model = try UnigramModel(
            pieces: pieces, unknownID: Int(unknownID), byteIDs: byteIDs, rules: .sentencePiece, name: name)
        return WholeTextEncoder(normaliser, model)
    }

    private mutating func setByteIDs(_ bytes: [UInt32?], name: String) throws {
        let present = bytes.compactMap { $0 }
        guard !present.isEmpty else { return }
        guard present.count == 256 else {
            throw Failure(.badData, name, .whole, "has \(present.count) byte pieces, expected 256 or none")
        }
        byteIDs = present
    }

    /// Single characters get the ids of their pieces; those that occur only inside longer pieces get pseudo-ids past the vocabulary.
    private mutating func listCharacters(_ entries: [PieceEntry]) {
        var inside: Set<UInt32> = []
        for id in entries.indices where entries[id].merges {
            let piece = vocabulary.view(id)
            var at = 0
            while at < piece.count {
                let (code, length) = decodeScalar(piece, at)
                if length == piece.count { characters[code] = UInt32(id) } else { inside.insert(code) }
                at += length
            }
        }
        for code in inside.sorted() where characters[code] == nil { characters[code] = UInt32(entries.count + characters.count) }
    }

    private mutating func listMerges(_ entries: [PieceEntry]) {
        let ranks = Self.ranks(entries)
        for id in entries.indices where entries[id].merges {
            let piece = vocabulary.view(id)
            var cut = decodeScalar(piece, 0).length
            var isFirst = true
            while cut < piece.count {
                let last = decodeScalar(piece, cut)
                let isLast = cut + last.length == piece.count
                let left = isFirst ? characters[decodeScalar(piece, 0).code] : symbol(piece[..<cut])
                if let left, let right = isLast ? characters[last.code] : symbol(piece[cut...]) {
                    merges.append(left, right, Merge(rank: ranks[id], result: UInt32(id)))
                }
                isFirst = false
                cut += last.length
            }
        }
    }

    /// The place of each score among all different ones, from the highest on.
    private static func ranks(_ entries: [PieceEntry]) -> [UInt32] {
        let scores = entries.map(\.score)
        var ranks = [UInt32](repeating: 0, count: scores.count)
        var (rank, last): (UInt32, Float?) = (0, nil)
        for id in scores.indices.sorted(by: { scores[$0] > scores[$1] }) {
            if let last, last != scores[id] { rank += 1 }
            last = scores[id]
            ranks[id] = rank
        }
        return ranks
    }

    /// The id of several characters of a piece as they can stand between merges; nil where they never do.
    private func symbol(_ bytes: Slice<UnsafeRawBufferPointer>) -> UInt32? {
        vocabulary.id(of: UnsafeRawBufferPointer(rebasing: bytes)).map { UInt32($0) }
    }
}

/// The byte that a piece such as <0x0A> stands for.
func byteValue(_ piece: some Collection<UInt8>) -> Int? {
    let text = Array(piece)
    guard text.count == 6, text.starts(with: Array("<0x".utf8)), text[5] == UInt8(ascii: ">") else { return nil }
    func digit(_ byte: UInt8) -> Int? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte) - 48
        case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(byte) - 55
        default: nil
        }
    }
    guard let high = digit(text[3]), let low = digit(text[4]) else { return nil }
    return 16 * high + low
}
