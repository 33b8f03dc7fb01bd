// Vocabularies of ranks, as tiktoken and tekken write them: tokens in the order in which merging makes them, and no list of merges.

import Streams

/// Tokens as bytes, in the order of their ranks.
///
/// Two neighbours merge when their joined bytes are a token, the lowest rank first. Listing, for every token, its cuts into two tokens
/// gives the same merges as pairs.
struct RankedTokens {
    /// Ids are places here: special tokens in front of the ranks have unnamed places.
    let vocabulary: Vocabulary
    private let name: String
    private var merges: MergeList

    /// Longer tokens are refused: the longest known are a hundredth of it, and all cuts are tried.
    static let longestToken = 1 << 16

    /// - vocabulary: tokens in the order of their ranks, perhaps behind unnamed entries. Throws 65 where one of the 256 bytes is no token.
    init(_ vocabulary: Vocabulary, name: String) throws {
        (self.vocabulary, self.name) = (vocabulary, name)
        for byte in 0...255 where vocabulary.id(of: [UInt8(byte)]) == nil {
            throw Failure(
                .badData, name, .whole, "byte \(byte) is no token: expected all 256 bytes among \(vocabulary.count) tokens",
                hint: "the file may be cut")
        }
        merges = MergeList(capacity: vocabulary.count + vocabulary.count / 2)
        // Only cuts into lengths that occur: else a few tokens of 64 KiB would be hashed for a minute.
        var occurs = [Bool](repeating: false, count: Self.longestToken + 1)
        for id in 0..<vocabulary.count { occurs[vocabulary.view(id).count] = true }
        for id in 0..<vocabulary.count {
            let token = vocabulary.view(id)
            for cut in 1..<max(1, token.count) where occurs[cut] && occurs[token.count - cut] {
                guard let left = vocabulary.id(of: UnsafeRawBufferPointer(rebasing: token[..<cut])),
                    let right = vocabulary.id(of: UnsafeRawBufferPointer(rebasing: token[cut...]))
                else { continue }
                merges.append(UInt32(left), UInt32(right), Merge(rank: UInt32(id), result: UInt32(id)))
            }
        }
    }

    func tables() throws -> ByteLevelTables {
        // tiktoken looks a whole word up before it merges.
        try ByteLevelTables(vocabulary: vocabulary, merges: MergeTable(merges, name: name), ignoresMerges: true)
    }
}
