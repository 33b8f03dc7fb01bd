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
    private let merges: MergeList

    /// Longer tokens are refused: the longest known are a hundredth of it, and all cuts are tried.
    static let longestToken = 1 << 16

    /// Tokens cut by one thread at a time.
    private static let pieceCount = 1 << 13

    /// - vocabulary: tokens in the order of their ranks, perhaps behind unnamed entries. Throws 65 where one of the 256 bytes is no token.
    init(_ vocabulary: Vocabulary, name: String) throws {
        (self.vocabulary, self.name) = (vocabulary, name)
        for byte in 0...255 where vocabulary.id(of: [UInt8(byte)]) == nil {
            throw Failure(
                .badData, name, .whole, "byte \(byte) is no token: expected all 256 bytes among \(vocabulary.count) tokens",
                hint: "the file may be cut")
        }
        var merges = MergeList(capacity: 2 * vocabulary.count + vocabulary.count / 4)
        let cuts = TokenCuts(vocabulary)
        var next = 0
        let work = OrderedWork<Range<Int>, [UInt32]>(
            threads: vocabulary.count > 2 * Self.pieceCount ? 2 : 1,
            next: {
                guard next < vocabulary.count else { return nil }
                defer { next = min(vocabulary.count, next + Self.pieceCount) }
                return next..<min(vocabulary.count, next + Self.pieceCount)
            },
            worker: { { cuts.cuts($0) } },
            write: { cuts in
                for at in stride(from: 0, to: cuts.count, by: 3) {
                    merges.append(cuts[at], cuts[at + 1], Merge(rank: cuts[at + 2], result: cuts[at + 2]))
                }
            })
        try work.run()
        self.merges = merges
    }

    func tables() throws -> ByteLevelTables {
        // tiktoken looks a whole word up before it merges.
        try ByteLevelTables(vocabulary: vocabulary, merges: merges, name: name, ignoresMerges: true)
    }
}

/// Finds the cuts of tokens into two tokens. Only read, once made.
private final class TokenCuts: @unchecked Sendable {
    private let vocabulary: Vocabulary
    /// Lengths that occur: else a few tokens of 64 KiB would be hashed for a minute.
    private var occurs = [Bool](repeating: false, count: RankedTokens.longestToken + 1)
    /// One bit for each hash of a token: most parts are no tokens, and this fits a near cache where the vocabulary does not.
    private var filter = [UInt64](repeating: 0, count: 1 << (filterBits - 6))
    private static let filterBits: UInt64 = 21
    private static let batch = 64

    init(_ vocabulary: Vocabulary) {
        self.vocabulary = vocabulary
        for id in 0..<vocabulary.count {
            let token = vocabulary.view(id)
            occurs[token.count] = true
            guard let base = token.baseAddress, token.count > 0 else { continue }
            let bit = hashBytes(base, token.count) >> (64 - Self.filterBits)
            filter[Int(bit >> 6)] |= 1 << (bit & 63)
        }
    }

    /// A cut whose parts may both be tokens.
    private struct Candidate {
        let id, cut: Int
        let left, right: UInt64
    }

    /// The ids of both parts and of the token, in turn, by the length of the left part.
    func cuts(_ ids: Range<Int>) -> [UInt32] {
        var result: [UInt32] = []
        result.reserveCapacity(8 * ids.count)
        // Looked up some at a time: memory that one waits for comes while others are hashed.
        var candidates: [Candidate] = []
        candidates.reserveCapacity(Self.batch)
        filter.withUnsafeBufferPointer { filter in
            occurs.withUnsafeBufferPointer { occurs in
                for id in ids {
                    let token = vocabulary.view(id)
                    for cut in 1..<max(1, token.count) where occurs[cut] && occurs[token.count - cut] {
                        let base = token.baseAddress!
                        let (left, right) = (hashBytes(base, cut), hashBytes(base + cut, token.count - cut))
                        guard Self.mayBe(filter, left) && Self.mayBe(filter, right) else { continue }
                        vocabulary.prefetch(left)
                        vocabulary.prefetch(right)
                        candidates.append(Candidate(id: id, cut: cut, left: left, right: right))
                        if candidates.count == Self.batch { check(&candidates, &result) }
                    }
                }
            }
        }
        check(&candidates, &result)
        return result
    }

    private func check(_ candidates: inout [Candidate], _ result: inout [UInt32]) {
        for candidate in candidates {
            let token = vocabulary.view(candidate.id)
            guard let left = vocabulary.id(of: UnsafeRawBufferPointer(rebasing: token[..<candidate.cut]), hash: candidate.left),
                let right = vocabulary.id(of: UnsafeRawBufferPointer(rebasing: token[candidate.cut...]), hash: candidate.right)
            else { continue }
            result.append(UInt32(left))
            result.append(UInt32(right))
            result.append(UInt32(candidate.id))
        }
        candidates.removeAll(keepingCapacity: true)
    }

    @inline(__always)
    private static func mayBe(_ filter: UnsafeBufferPointer<UInt64>, _ hash: UInt64) -> Bool {
        let bit = hash &>> (64 - filterBits)
        return filter[Int(truncatingIfNeeded: bit &>> 6)] &>> (bit & 63) & 1 != 0
    }
}
