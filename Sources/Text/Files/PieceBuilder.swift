// Builds the tables of a vocabulary of pieces that lists its merges (Llama-2 as tokenizer.json, Gemma 4 as GGUF).

import Streams

/// Collects the pieces in the order of their ids.
struct PieceBuilder {
    private let name: String
    private let vocabulary: Vocabulary
    /// The ids of single characters.
    private var characters: [UInt32: UInt32] = [:]

    init(name: String, capacity: Int) {
        self.name = name
        vocabulary = Vocabulary(capacity: capacity)
    }

    /// The next id: a piece, valid UTF-8. Throws 65 where it is there twice.
    mutating func append(_ piece: UnsafeRawBufferPointer) throws {
        let id = UInt32(vocabulary.count)
        if vocabulary.appendNew(piece) != nil { throw refuse("token '\(printable(Array(piece)))' is there twice") }
        guard !piece.isEmpty else { return }
        let (code, length) = decodeScalar(piece, 0)
        if length == piece.count { characters[code] = id }
    }

    /// The next id is a gap.
    mutating func skip() { vocabulary.appendUnnamed() }

    func id(of piece: [UInt8]) -> UInt32? { vocabulary.id(of: piece).map { UInt32($0) } }

    /// Throws 65 for a merge that names or makes what is no token.
    func tables(
        _ merges: WrittenMerges, byteIDs: [UInt32]?, unknownID: UInt32?, fusesUnknown: Bool, spacesAreBoundaries: Bool = true,
        ignoresMerges: Bool = false
    ) throws -> PieceTables {
        let list = try merges.list(vocabulary, inAlphabet: false) { rank, _ in
            let (left, right) = (printable(merges.left(rank)), printable(merges.right(rank)))
            return refuse("merge \(rank) ('\(left)' and '\(right)') names or makes what is no token")
        }
        return try PieceTables(
            vocabulary: vocabulary, merges: MergeTable(list, name: name), characters: characters, byteIDs: byteIDs, unknownID: unknownID,
            fusesUnknown: fusesUnknown, spacesAreBoundaries: spacesAreBoundaries, ignoresMerges: ignoresMerges)
    }

    private func refuse(_ what: String) -> Failure { Failure(.badData, name, .whole, what) }
}
