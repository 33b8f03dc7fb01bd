// Merging against a naive twin, for words short enough to scan and long enough for the queue and the heap.
import TestSupport
import XCTest

@testable import Text

final class BytePairMergerTests: XCTestCase {
    private struct Symbol: Equatable {
        var id: UInt32
        var start: UInt32
        var end: UInt32
    }

    /// As the definition reads: the lowest rank first, the leftmost among equals.
    private func twin(_ word: [UInt32], _ table: MergeTable) -> [Symbol] {
        var symbols = word.enumerated().map { Symbol(id: $1, start: UInt32($0), end: UInt32($0 + 1)) }
        while true {
            var best: (at: Int, merge: Merge)?
            for at in symbols.indices.dropLast() {
                if let merge = table.merge(symbols[at].id, symbols[at + 1].id), merge.rank < best?.merge.rank ?? .max { best = (at, merge) }
            }
            guard let (at, merge) = best else { return symbols }
            symbols[at] = Symbol(id: merge.result, start: symbols[at].start, end: symbols[at + 1].end)
            symbols.remove(at: at + 1)
        }
    }

    private func merged(_ word: [UInt32], _ merger: BytePairMerger) -> [Symbol] {
        merger.begin(most: word.count)
        for (at, id) in word.enumerated() { merger.append(id, at: at) }
        merger.merge(end: word.count)
        return (0..<merger.count).map { Symbol(id: merger.ids[$0], start: merger.starts[$0], end: merger.starts[$0 + 1]) }
    }

    /// Ids 0 to 3 are letters; merges of random pairs. `ties`: some with one rank, as sentencepiece's equal scores give. `shuffles`: a
    /// merge may bring up an earlier one.
    private func randomTable(_ random: inout TestRandom, ties: Bool, shuffles: Bool) throws -> MergeTable {
        var list = MergeList(capacity: 8)
        let ranks = shuffles ? random.integers(24, below: 1000) : Array(0..<24)
        for result in 4..<24 {
            let pair = random.integers(2, below: result)
            let rank = ties ? ranks[result] / 4 : 24 * ranks[result] + result
            list.append(UInt32(pair[0]), UInt32(pair[1]), Merge(rank: UInt32(rank), result: UInt32(result)))
        }
        return try MergeTable(list)
    }

    /// Words of many chunks, among them those of one letter: against the heap, which the test above holds to the twin.
    func testLongWordsAgreeWithTheHeap() throws {
        var random = TestRandom(6)
        for round in 0..<60 {
            let table = try randomTable(&random, ties: round % 2 == 1, shuffles: round % 3 == 1)
            let (merger, heap) = (BytePairMerger(table), PairHeap(table, unused: []))
            for length in [65, 129 + round, 1025, 1100 + round, 5000] {
                for letters in [1, 2, 4, 0] {
                    // Without letters of its own, the first few again and again, and something else now and then.
                    var word = random.integers(length, below: max(2, letters)).map { letters == 1 ? 0 : UInt32($0) }
                    for at in 0..<length where letters == 0 && at > 8 && at % 1500 != 0 { word[at] = word[at % (1 << (round % 4))] }
                    var ids = word
                    var starts = (0...length).map { UInt32($0) }
                    let count = heap.merge(&ids, &starts, length)
                    let actual = merged(word, merger)
                    guard actual.map(\.id) == Array(ids.prefix(count)), actual.map(\.start) == Array(starts.prefix(count)) else {
                        return XCTFail("seed 6, round \(round), \(length) of \(letters) letters")
                    }
                }
            }
        }
    }

    /// Words of all lengths side by side, in every order, against the twin.
    func testWordsSideBySideAgreeWithTheTwin() throws {
        var random = TestRandom(7)
        for round in 0..<400 {
            let table = try randomTable(&random, ties: round % 2 == 1, shuffles: round % 3 == 1)
            let merger = ShortWordMerger(table)
            var words: [[UInt32]] = []
            for _ in 0...random.integers(1, below: ShortWordMerger.lanes)[0] {
                let length = 1 + random.integers(1, below: ShortWordMerger.most)[0]
                words.append(random.integers(length, below: 4).map { UInt32($0) })
            }
            for word in words {
                let lane = merger.nextLane()
                for (at, id) in word.enumerated() {
                    lane.ids[at] = id
                    lane.starts[at] = UInt32(at)
                }
                lane.starts[word.count] = UInt32(word.count)
                merger.stageLookingUp(word.count)
            }
            merger.merge()
            for (place, word) in words.enumerated() {
                var ids = [UInt32](repeating: 0, count: word.count)
                var spans = [UInt64](repeating: 0, count: word.count)
                let count = merger.write(place, &ids, &spans)
                let actual = (0..<count).map { Symbol(id: ids[$0], start: UInt32(spans[$0] & 0xFFFF_FFFF), end: UInt32(spans[$0] >> 32)) }
                guard actual == twin(word, table) else { return XCTFail("seed 7, round \(round), word \(word)") }
            }
        }
    }

    func testAllWaysAgreeWithTheTwin() throws {
        var random = TestRandom(5)
        for round in 0..<600 {
            let table = try randomTable(&random, ties: round % 2 == 1, shuffles: round % 3 == 1)
            let merger = BytePairMerger(table)
            for length in [0, 1, 2, 3, 5, 23, 24, 25, 26, 40, 90] {
                for letters in [1, 2, 4] {
                    let word = random.integers(length, below: letters).map { UInt32($0) }
                    let (actual, expected) = (merged(word, merger), twin(word, table))
                    guard actual == expected else {
                        let ids = (actual.map(\.id), expected.map(\.id))
                        return XCTFail("seed 5, round \(round), word \(word): ids \(ids.0), expected \(ids.1)")
                    }
                }
            }
        }
    }
}
