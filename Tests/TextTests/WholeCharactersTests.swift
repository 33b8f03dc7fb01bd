// Words that begin as characters, against merging their bytes.
import TestSupport
import XCTest

@testable import Text

final class WholeCharactersTests: XCTestCase {
    private static let characters = ["a", " ", "é", "è", "п", "р", "中", "丮", "文", "😀"].map { Array($0.utf8) }

    /// Merges of random pairs of what is there: bytes of the characters above first, then what they became. `inOrder`: none before what it
    /// merges is made.
    private func randomTables(_ random: inout TestRandom, inOrder: Bool) throws -> (ByteLevelTables, MergeTable) {
        let vocabulary = Vocabulary(capacity: 400)
        for byte in 0..<256 { vocabulary.append([UInt8(byte)]) }
        var list = MergeList(capacity: 150)
        var parts = Set(Self.characters.joined()).map { Int($0) }.sorted()
        let ranks = inOrder ? Array(0..<150) : random.integers(150, below: 150)
        var merges = 0
        while merges < 150 {
            // Mostly pairs that occur in text: neighbours in two characters.
            let text = random.integers(2, below: Self.characters.count).flatMap { Self.characters[$0] }
            let at = random.integers(1, below: max(1, text.count - 1))[0]
            var (left, right) = (parts[random.integers(1, below: parts.count)[0]], parts[random.integers(1, below: parts.count)[0]])
            if text.count > 1, merges % 4 != 0 {
                func longest(_ bytes: ArraySlice<UInt8>) -> [Int] {
                    parts.filter { vocabulary.bytes($0).count <= bytes.count }.filter {
                        Array(bytes.prefix(vocabulary.bytes($0).count)) == vocabulary.bytes($0)
                    }
                }
                let lefts = parts.filter { Array(text[...at].suffix(vocabulary.bytes($0).count)) == vocabulary.bytes($0) }
                let rights = longest(text[min(at + 1, text.count)...])
                guard !lefts.isEmpty, !rights.isEmpty else { continue }
                left = lefts[random.integers(1, below: lefts.count)[0]]
                right = rights[random.integers(1, below: rights.count)[0]]
            }
            let joined = vocabulary.bytes(left) + vocabulary.bytes(right)
            guard joined.count <= 12 else { continue }
            let result = vocabulary.id(of: joined) ?? vocabulary.append(joined)
            if !parts.contains(result) { parts.append(result) }
            list.append(UInt32(left), UInt32(right), Merge(rank: UInt32(ranks[merges]), result: UInt32(result)))
            merges += 1
        }
        let tables = try ByteLevelTables(vocabulary: vocabulary, merges: list, name: "random", ignoresMerges: false)
        return (tables, tables.merges)
    }

    private func twin(_ word: [UInt8], _ table: MergeTable) -> [UInt32] {
        var symbols = word.map { UInt32($0) }
        while true {
            var best: (at: Int, merge: Merge)?
            for at in symbols.indices.dropLast() {
                if let merge = table.merge(symbols[at], symbols[at + 1]), merge.rank < best?.merge.rank ?? .max { best = (at, merge) }
            }
            guard let (at, merge) = best else { return symbols }
            symbols[at] = merge.result
            symbols.remove(at: at + 1)
        }
    }

    func testWordsOfCharactersAgreeWithTheirBytes() throws {
        var random = TestRandom(11)
        var whole = 0
        for round in 0..<300 {
            let (tables, merges) = try randomTables(&random, inOrder: round % 3 != 0)
            let known = WholeCharacters(tables.characters, tables.bytes, merges)
            for character in Self.characters where (2...3).contains(character.count) {
                whole += known.token(character, 0, character.count, 0, character.count) == nil ? 0 : 1
            }
            let encoder = ByteLevelEncoder(tables, splitter: .whole, addsPrefixSpace: false)
            for _ in 0..<20 {
                let word = random.integers(1 + random.integers(1, below: 40)[0], below: Self.characters.count).flatMap {
                    Self.characters[$0]
                }
                var tokens = TokenSequence()
                word.withUnsafeBytes { encoder.encode($0, 0..<word.count, startsText: true, recognising: false, into: &tokens) }
                guard tokens.ids == twin(word, merges) else {
                    return XCTFail(
                        "seed 11, round \(round), '\(String(decoding: word, as: UTF8.self))': \(tokens.ids), expected \(twin(word, merges))"
                    )
                }
            }
        }
        XCTAssertGreaterThan(whole, 40, "the characters of random vocabularies are to be whole now and then")
    }
}
