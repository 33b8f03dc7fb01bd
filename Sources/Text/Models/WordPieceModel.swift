// WordPiece: from the left, always the longest piece; a word that cannot be cut so is unknown as a whole.

import Streams

/// BERT's model, as HF tokenizers has it.
struct WordPieceModel: WordModel {
    /// What a word may begin with: any entry, as it is written.
    private let beginnings: ByteTrie
    /// What it may go on with: entries with the prefix, without it.
    private let continuations: ByteTrie
    private let vocabulary: Vocabulary
    private let unknownID: UInt32
    private let longestWord: Int

    /// - entries: by id, nil for gaps. - prefix: what marks an entry inside a word ("##").
    /// - longestWord: a word of more characters is unknown.
    /// Throws `Failure.badData` for entries that are there twice.
    init(entries: [[UInt8]?], unknownID: Int, prefix: [UInt8], longestWord: Int, name: String) throws {
        func refuse(_ what: String) -> Failure { Failure(.badData, name, .whole, what) }
        guard entries.indices.contains(unknownID) else { throw refuse("the unknown token is \(unknownID) of \(entries.count)") }
        let vocabulary = Vocabulary(capacity: entries.count)
        for entry in entries {
            if let entry, !entry.isEmpty { vocabulary.append(entry) } else { vocabulary.appendUnnamed() }
        }
        self.vocabulary = vocabulary
        self.unknownID = UInt32(unknownID)
        self.longestWord = longestWord
        var keys = SortedKeys(keys: entries.count)
        for (id, entry) in entries.enumerated() {
            if let entry, !entry.isEmpty { keys.append(entry, UInt32(id)) }
        }
        keys.sort()
        if let twice = keys.firstTwice { throw refuse("token '\(printable(Array(keys.bytes(twice))))' is there twice") }
        guard let beginnings = ByteTrie(keys), let continuations = ByteTrie(keys.dropping(prefix)) else {
            throw refuse("the tokens need more than \(ByteTrie.mostUnits) units of a trie")
        }
        (self.beginnings, self.continuations) = (beginnings, continuations)
    }

    func encode(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, into tokens: inout TokenSequence) {
        let first = tokens.ids.count
        guard range.count <= longestWord || text[range].count(where: { $0 & 0xC0 != 0x80 }) <= longestWord else {
            return tokens.append(unknownID, range.lowerBound, range.upperBound)
        }
        var at = range.lowerBound
        while at < range.upperBound {
            let trie = at == range.lowerBound ? beginnings : continuations
            guard let (end, id) = trie.longestPrefix(text, at..<range.upperBound) else {
                tokens.ids.removeLast(tokens.ids.count - first)
                tokens.offsets.removeLast(tokens.offsets.count - 2 * first)
                return tokens.append(unknownID, range.lowerBound, range.upperBound)
            }
            tokens.append(id, at, end)
            at = end
        }
    }

    func bytes(of id: Int) -> [UInt8] { Array(vocabulary.bytes(id)) }

    func spelling(of id: Int) -> [UInt8] { bytes(of: id) }
}
