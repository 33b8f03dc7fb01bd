// Merging against a naive twin, for words short enough to scan and long enough for the heap.
import TestSupport
import XCTest

@testable import Text

final class BytePairMergerTests: XCTestCase {
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

    private func merged(_ word: [UInt32], _ table: MergeTable, _ merger: inout BytePairMerger) -> [Symbol] {
        merger.symbols = word.enumerated().map { Symbol(id: $1, start: UInt32($0), end: UInt32($0 + 1)) }
        merger.merge(table)
        return merger.symbols
    }

    /// Ids 0 to 3 are letters; merges of random pairs, some with one rank, as sentencepiece's equal scores give.
    private func randomTable(_ random: inout TestRandom, sharedRanks: Bool) -> MergeTable {
        var table = MergeTable(capacity: 8)
        for result in 4..<24 {
            let pair = random.integers(2, below: result)
            table.insert(UInt32(pair[0]), UInt32(pair[1]), Merge(rank: UInt32(sharedRanks ? result / 4 : result), result: UInt32(result)))
        }
        return table
    }

    func testScanAndHeapAgreeWithTheTwin() {
        var random = TestRandom(5)
        var merger = BytePairMerger()
        for round in 0..<400 {
            let table = randomTable(&random, sharedRanks: round % 2 == 1)
            for length in [0, 1, 2, 3, 5, 23, 24, 25, 26, 40, 90] {
                let word = random.integers(length, below: 4).map { UInt32($0) }
                let (actual, expected) = (merged(word, table, &merger), twin(word, table))
                XCTAssertEqual(actual.map(\.id), expected.map(\.id), "seed 5, round \(round), word \(word)")
                XCTAssertEqual(actual.map(\.start), expected.map(\.start))
                XCTAssertEqual(actual.map(\.end), expected.map(\.end))
            }
        }
    }
}
