// What a vocabulary of pieces (SentencePiece BPE, or its like in a tokenizer.json) knows.

import Glibc
import Streams

/// Pieces, their merges and what becomes of characters outside them; shared by the encoders of all threads.
final class PieceTables: @unchecked Sendable {
    /// Entries as written, with ▁.
    let vocabulary: Vocabulary
    let merges: MergeTable
    /// The id of each byte's fallback token; nil without byte fallback.
    let byteIDs: [UInt32]?
    let unknownID: UInt32?
    /// Neighbouring unknown characters make one unknown token.
    let fusesUnknown: Bool
    /// Pieces that merge on, but are no tokens.
    let unused: Set<UInt32>
    /// A space in the text is written ▁.
    let spacesAreBoundaries: Bool
    /// A word that is a piece as a whole is taken without merging.
    let ignoresMerges: Bool
    /// Where text may be cut into words.
    let joined: JoinedCharacters
    /// The id of ▁, or `unknown`.
    let boundaryID: UInt32

    /// The id of a character, plus one, or 0: one entry for each code point. Pages that nothing touches cost nothing.
    private let characters: UnsafeMutablePointer<UInt32>
    private let byteOfID: [UInt32: UInt8]

    static let boundary: [UInt8] = [0xE2, 0x96, 0x81]
    private static let boundaryCode: UInt32 = 0x2581
    /// Stands for a character without an id between merges.
    static let unknown = UInt32.max - 1

    /// - characters: ids of single characters, pseudo-ids from the vocabulary's size on for those that only occur inside pieces.
    init(
        vocabulary: Vocabulary, merges: MergeTable, characters ids: [UInt32: UInt32], byteIDs: [UInt32]?, unknownID: UInt32?,
        fusesUnknown: Bool, unused: Set<UInt32> = [], spacesAreBoundaries: Bool = true, ignoresMerges: Bool = false
    ) {
        self.vocabulary = vocabulary
        self.merges = merges
        self.byteIDs = byteIDs
        self.unknownID = unknownID
        self.fusesUnknown = fusesUnknown
        self.unused = unused
        self.spacesAreBoundaries = spacesAreBoundaries
        self.ignoresMerges = ignoresMerges
        characters = allocateZeroed(0x11_0000 * MemoryLayout<UInt32>.stride).assumingMemoryBound(to: UInt32.self)
        for (code, id) in ids { characters[Int(code)] = id + 1 }
        boundaryID = ids[Self.boundaryCode] ?? Self.unknown
        if spacesAreBoundaries { characters[0x20] = characters[Int(Self.boundaryCode)] }
        // Unused pieces are cut again as they were met last, anywhere in the text, and characters that fall out let their neighbours
        // merge: the text must stay whole for both.
        let cutsNothing = ignoresMerges || !unused.isEmpty || byteIDs == nil && unknownID == nil
        let joined = JoinedCharacters(joinsAll: cutsNothing)
        if !cutsNothing {
            for id in 0..<vocabulary.count { joined.insert(vocabulary.view(id)) }
        }
        self.joined = joined
        byteOfID = Dictionary((byteIDs ?? []).enumerated().map { ($1, UInt8($0)) }) { first, _ in first }
    }

    deinit { free(characters) }

    /// The token that neighbouring unknown characters share, where they do.
    var fusingUnknownID: UInt32? { byteIDs == nil && fusesUnknown ? unknownID : nil }

    /// The id of a character between merges, or `unknown`.
    @inline(__always)
    func id(of code: UInt32) -> UInt32 {
        let known = characters[Int(code)]
        return known == 0 ? Self.unknown : known - 1
    }

    /// The bytes of text that a token stands for.
    func textBytes(of id: Int) -> [UInt8] {
        if let byte = byteOfID[UInt32(id)] { return [byte] }
        return spacesAreBoundaries ? Self.textBytes(vocabulary.bytes(id)[...]) : vocabulary.bytes(id)
    }

    /// A piece as the file writes it; that of a byte is <0xNN>.
    func spelling(of id: Int) -> [UInt8] {
        guard let byte = byteOfID[UInt32(id)] else { return vocabulary.bytes(id) }
        let digits = Array("0123456789ABCDEF".utf8)
        return Array("<0x".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]] + Array(">".utf8)
    }

    /// A piece as it stands in the text: ▁ is a space.
    static func textBytes(_ piece: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        var rest = piece
        while let first = rest.first {
            let isSpace = rest.starts(with: boundary)
            result.append(isSpace ? 0x20 : first)
            rest = rest.dropFirst(isSpace ? 3 : 1)
        }
        return result
    }
}
