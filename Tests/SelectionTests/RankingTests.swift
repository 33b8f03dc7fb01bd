// Rankings and their cuts, against sorting everything.
import TestSupport
import XCTest

@testable import Selection

final class RankingTests: XCTestCase {
    func testKeysHaveTheOrderOfTheirValues() {
        let values: [Double] = [
            -.infinity, -.greatestFiniteMagnitude, -1.5, -1, -.leastNormalMagnitude, -.leastNonzeroMagnitude, 0, .leastNonzeroMagnitude,
            .leastNormalMagnitude, 0.1, 0.1.nextUp, 2.94, 1e300, .infinity,
        ]
        let keys = values.map { RankKey($0) }
        for (left, right) in zip(keys, keys.dropFirst()) { XCTAssertLessThan(left, right) }
        XCTAssertEqual(keys.map(\.value), values)
        XCTAssertEqual(RankKey(-0.0), RankKey(0.0))
        XCTAssertLessThan(RankKey.unscored, keys[0])
        XCTAssertNil(RankKey.unscored.value)
    }

    /// METHOD's worked value: 0.5 of 5 chunks keeps 2, in the order of the corpus.
    func testHalfOfFive() throws {
        XCTAssertEqual(try kept([0.1, 2.94, -1, 0.5, 2.5], .share(0.5, of: 5)), [1, 4])
    }

    /// Teacher and reference alike: every difference is 0, and the first half is kept, in order.
    func testTiesGoToTheFirst() throws {
        XCTAssertEqual(try kept([Double](repeating: 0, count: 7), .share(0.5, of: 7)), [0, 1, 2])
        XCTAssertEqual(try kept([0, 0.0, -0.0, 0], .count(2)), [0, 1])
    }

    func testEveryCountAgainstSorting() throws {
        var random = TestRandom(3)
        for count in [0, 1, 2, 50, 400] {
            // Many ties, both signs, units without a score.
            let values: [Double?] = random.integers(count, below: 12).map { $0 == 0 ? nil : Double($0 - 6) / 3 }
            let order = ranked(values)
            for wanted in 0...count {
                for memory in [0, 1 << 20] {
                    XCTAssertEqual(try kept(values, .count(wanted), memory: memory), order.prefix(wanted).sorted(), "\(wanted) of \(count)")
                }
            }
        }
    }

    func testValuesThatDifferInTheLastBit() throws {
        let values = (0..<64).map { 1.0 + Double(63 - $0) * 0x1p-52 }
        for wanted in 0...64 { XCTAssertEqual(try kept(values, .count(wanted)), Array(0..<wanted)) }
    }

    func testTokenBudgetsAgainstSorting() throws {
        var random = TestRandom(5)
        for count in [1, 3, 60, 200] {
            let values: [Double?] = random.integers(count, below: 9).map { $0 == 0 ? nil : Double($0) - 4.5 }
            let tokens = random.integers(count, below: 6)
            let order = ranked(values)
            for budget in 0...tokens.reduce(0, +) + 1 {
                var expected: [Int] = []
                var left = budget
                for unit in order {
                    guard tokens[unit] <= left else { break }
                    left -= tokens[unit]
                    expected.append(unit)
                }
                XCTAssertEqual(try kept(values, .tokens(budget), tokens: tokens), expected.sorted(), "\(budget) tokens of \(count) units")
            }
        }
    }

    func testThresholds() throws {
        let values: [Double?] = [1, nil, 0.5, -2, 0.5.nextDown, 0]
        XCTAssertEqual(try kept(values, .atLeast(0.5)), [0, 2])
        XCTAssertEqual(try kept(values, .atLeast(-0.0)), [0, 2, 4, 5])
        XCTAssertEqual(try kept(values, .atLeast(-.infinity)), [0, 2, 3, 4, 5])
        XCTAssertEqual(try kept(values, .atLeast(.infinity)), [])
        XCTAssertEqual(try kept(values, .share(1, of: 6)), [0, 1, 2, 3, 4, 5])
    }

    /// floor(share x count) of the decimal that was written, not of its Double.
    func testSharesAreExact() {
        XCTAssertEqual(Goal.share(0.29, of: 100), .count(29))
        XCTAssertEqual(Goal.share(0.5, of: 0), .count(0))
        for count in 1...300 {
            for hundredths in 0...100 {
                XCTAssertEqual(
                    Goal.share(Double(hundredths) / 100, of: count), .count(hundredths * count / 100), "\(hundredths) % of \(count)")
            }
        }
        XCTAssertEqual(Goal.share(0.3, of: 3_000_000_000), .count(900_000_000))
    }

    /// From the best down, of equal ones the first first, those without a score last.
    private func ranked(_ values: [Double?]) -> [Int] {
        values.indices.sorted { left, right in
            let (a, b) = (values[left] ?? -.infinity, values[right] ?? -.infinity)
            return a != b ? a > b : left < right
        }
    }

    private func kept(_ values: [Double?], _ goal: Goal, tokens: [Int]? = nil, memory: Int = 1 << 20) throws -> [Int] {
        let ranking = Ranking(memory: memory)
        for (unit, value) in values.enumerated() { try ranking.append(value.map { RankKey($0) } ?? .unscored, tokens: tokens?[unit] ?? 1) }
        var cut = try ranking.cut(goal)
        var rows = try ranking.reader()
        var result: [Int] = []
        var unit = 0
        while let (key, tokens) = try rows.next() {
            if cut.keeps(key, tokens: tokens) { result.append(unit) }
            unit += 1
        }
        XCTAssertEqual(unit, values.count)
        return result
    }
}
