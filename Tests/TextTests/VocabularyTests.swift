// The two tables: entries by their bytes, merges by their pairs.
import TestSupport
import XCTest

@testable import Text

final class VocabularyTests: XCTestCase {
    /// Swift calls "é" and "e" + U+0301 equal; a vocabulary must not.
    func testCanonicallyEquivalentEntriesStayApart() {
        let vocabulary = Vocabulary(capacity: 0)
        let spellings = ["\u{e9}", "e\u{301}", "\u{212b}", "\u{c5}", "A\u{30a}"]
        for spelling in spellings { vocabulary.append(Array(spelling.utf8)) }
        XCTAssertEqual(vocabulary.count, 5)
        for (id, spelling) in spellings.enumerated() {
            XCTAssertEqual(vocabulary.id(of: Array(spelling.utf8)), id)
            XCTAssertEqual(Array(vocabulary.bytes(id)), Array(spelling.utf8))
        }
    }

    func testEntriesAreFoundAfterGrowth() {
        var random = TestRandom(3)
        let vocabulary = Vocabulary(capacity: 1)
        var first: [[UInt8]: Int] = [:]
        for id in 0..<20_000 {
            let entry = random.integers(1 + Int(random.next() % 5), below: 256).map { UInt8($0) }
            XCTAssertEqual(vocabulary.append(entry), id)
            if first[entry] == nil { first[entry] = id }
        }
        XCTAssertLessThan(first.count, 20_000, "no entry twice: the test is empty")
        for (entry, id) in first { XCTAssertEqual(vocabulary.id(of: entry), id) }
        XCTAssertNil(vocabulary.id(of: [1, 2, 3, 4, 5, 6]))
    }

    func testUnnamedEntriesTakeAnIDAndAreNeverFound() {
        let vocabulary = Vocabulary(capacity: 4)
        vocabulary.append([1])
        XCTAssertEqual(vocabulary.appendUnnamed(), 1)
        XCTAssertEqual(vocabulary.append([2]), 2)
        XCTAssertTrue(vocabulary.bytes(1).isEmpty)
        XCTAssertNil(vocabulary.id(of: [UInt8]()))
        XCTAssertEqual(vocabulary.id(of: [2]), 2)
    }

    func testMergesAreFound() throws {
        var random = TestRandom(4)
        var list = MergeList(capacity: 1)
        var twin: [[Int]: UInt32] = [:]
        for rank in 0..<30_000 {
            let pair = random.integers(2, below: 200)
            list.append(UInt32(pair[0]), UInt32(pair[1]), Merge(rank: UInt32(rank), result: UInt32(rank + 7)))
            twin[pair] = UInt32(rank)
        }
        let table = try MergeTable(list)
        for left in 0..<201 {
            for right in 0..<201 {
                let merge = table.merge(UInt32(left), UInt32(right))
                XCTAssertEqual(merge?.rank, twin[[left, right]])
                XCTAssertEqual(merge?.result, twin[[left, right]].map { $0 + 7 })
            }
        }
    }

    func testALaterMergeOfAPairReplacesTheEarlier() throws {
        var list = MergeList(capacity: 4)
        list.append(0, 0, Merge(rank: 5, result: 50))
        list.append(0, 0, Merge(rank: 9, result: 90))
        let table = try MergeTable(list)
        XCTAssertEqual(table.merge(0, 0)?.result, 90)
        XCTAssertEqual(table.merge(0, 0)?.rank, 9)
    }
}
