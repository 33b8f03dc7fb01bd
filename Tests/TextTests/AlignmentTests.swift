// Alignment against its brute-force twin, and its invariants.
import TestSupport
import Text
import XCTest

final class AlignmentTests: XCTestCase {
    /// The definition, token by token.
    private func bruteForce(_ student: [UInt32], _ teacher: [UInt32]) -> [UInt32] {
        let teachers = stride(from: 0, to: teacher.count, by: 2).map { (teacher[$0], teacher[$0 + 1]) }
        return stride(from: 0, to: student.count, by: 2).flatMap { i -> [UInt32] in
            let (s, e) = (student[i], student[i + 1])
            let lo = teachers.indices.last { teachers[$0].0 <= s && teachers[$0].0 < teachers[$0].1 }
            let hi = teachers.indices.first { teachers[$0].1 >= e && teachers[$0].0 < teachers[$0].1 }
            guard s < e, let lo, let hi else { return [0, 0] }
            return [UInt32(min(lo, hi)), UInt32(max(lo, hi) + 1)]
        }
    }

    /// Spans that tile 0..<length, some empty, some left out when `gaps`.
    static func tiling(_ length: Int, gaps: Bool, _ random: inout TestRandom) -> [UInt32] {
        var spans: [UInt32] = []
        var at = 0
        while at < length {
            let width = 1 + Int(random.next() % 5)
            let end = min(length, at + width)
            if random.next() % 7 == 0 { spans += [UInt32(at), UInt32(at)] }
            if !gaps || random.next() % 6 != 0 { spans += [UInt32(at), UInt32(end)] }
            at = end
        }
        if random.next() % 3 == 0 { spans += [UInt32(length), UInt32(length)] }
        return spans
    }

    func testSweepEqualsDefinition() {
        for seed in 0..<400 as Range<UInt64> {
            var random = TestRandom(seed)
            let length = Int(random.next() % 60)
            let student = Self.tiling(length, gaps: seed % 2 == 0, &random)
            let teacher = Self.tiling(length, gaps: seed % 3 == 0, &random)
            let ranges = alignRanges(student: student, teacher: teacher)
            XCTAssertEqual(ranges, bruteForce(student, teacher), "seed \(seed)")
            checkInvariants(student, teacher, ranges, "seed \(seed)")
        }
    }

    private func checkInvariants(_ student: [UInt32], _ teacher: [UInt32], _ ranges: [UInt32], _ title: String) {
        var last: (UInt32, UInt32) = (0, 0)
        for i in stride(from: 0, to: ranges.count, by: 2) where ranges[i] < ranges[i + 1] {
            let (lo, end) = (ranges[i], ranges[i + 1])
            XCTAssertLessThanOrEqual(teacher[2 * Int(lo)], student[i], title)
            XCTAssertGreaterThanOrEqual(teacher[2 * Int(end) - 1], student[i + 1], title)
            XCTAssertGreaterThanOrEqual(lo, last.0, title)
            XCTAssertGreaterThanOrEqual(end, last.1, title)
            last = (lo, end)
        }
    }

    func testIdentity() {
        var random = TestRandom(7)
        let spans = Self.tiling(500, gaps: false, &random)
        var statistics = AlignmentStatistics()
        var ranges: [UInt32] = []
        spans.withUnsafeBufferPointer { alignRanges(student: $0, teacher: $0, into: &ranges, counting: &statistics) }
        for i in 0..<spans.count / 2 {
            let expected = spans[2 * i] < spans[2 * i + 1] ? [UInt32(i), UInt32(i + 1)] : [0, 0]
            XCTAssertEqual(Array(ranges[2 * i..<2 * i + 2]), expected)
        }
        XCTAssertEqual(statistics.identical, statistics.mapped)
        XCTAssertEqual(statistics.meanIntersectionOverUnion, 1)
        XCTAssertGreaterThan(statistics.unmapped, 0)
    }

    func testSpecialTokensChangeNoMap() {
        for seed in 0..<50 as Range<UInt64> {
            var random = TestRandom(seed)
            let student = Self.tiling(40, gaps: false, &random)
            let teacher = Self.tiling(40, gaps: false, &random)
            let plain = alignRanges(student: student, teacher: teacher)
            let led = alignRanges(student: [0, 0] + student + [40, 40], teacher: teacher)
            XCTAssertEqual(Array(led.dropFirst(2).dropLast(2)), plain, "seed \(seed)")
            XCTAssertEqual(led.prefix(2) + led.suffix(2), [0, 0, 0, 0])
            let shifted = alignRanges(student: student, teacher: [0, 0] + teacher + [40, 40])
            for i in stride(from: 0, to: plain.count, by: 2) {
                let step: UInt32 = plain[i] < plain[i + 1] ? 1 : 0
                XCTAssertEqual([shifted[i], shifted[i + 1]], [plain[i] + step, plain[i + 1] + step], "seed \(seed)")
            }
        }
    }

    func testGaps() {
        // The teacher dropped bytes 2 and 3: a token in the gap takes both neighbours, one that touches it the neighbour on its side.
        XCTAssertEqual(alignRanges(student: [0, 2, 2, 4, 4, 6], teacher: [0, 2, 4, 6]), [0, 1, 0, 2, 1, 2])
        XCTAssertEqual(alignRanges(student: [0, 3, 3, 6], teacher: [0, 2, 4, 6]), [0, 2, 0, 2])
        // Before the teacher's first byte and after its last nothing covers.
        XCTAssertEqual(alignRanges(student: [0, 1, 1, 3, 3, 5], teacher: [1, 3]), [0, 0, 0, 1, 0, 0])
        XCTAssertEqual(alignRanges(student: [0, 1], teacher: []), [0, 0])
        XCTAssertEqual(alignRanges(student: [], teacher: [0, 1]), [])
    }

    func testOverlappingTeacherSpans() {
        // Three byte pieces that stand for one character, as other tools report them.
        XCTAssertEqual(alignRanges(student: [0, 1, 1, 4, 4, 5], teacher: [0, 1, 1, 4, 1, 4, 1, 4, 4, 5]), [0, 1, 1, 4, 4, 5])
    }

    func testStatistics() {
        var statistics = AlignmentStatistics()
        var ranges: [UInt32] = []
        let student: [UInt32] = [0, 0, 0, 2, 2, 3, 3, 6]
        let teacher: [UInt32] = [0, 2, 2, 4, 4, 6]
        student.withUnsafeBufferPointer { student in
            teacher.withUnsafeBufferPointer { alignRanges(student: student, teacher: $0, into: &ranges, counting: &statistics) }
        }
        XCTAssertEqual(ranges, [0, 0, 0, 1, 1, 2, 1, 3])
        XCTAssertEqual([statistics.tokens, statistics.mapped, statistics.unmapped], [4, 3, 1])
        XCTAssertEqual([statistics.insideOne, statistics.identical, statistics.straddling], [2, 1, 1])
        XCTAssertEqual(statistics.meanIntersectionOverUnion, (1 + 0.5 + 0.75) / 3, accuracy: 1e-15)
        var twice = statistics
        twice.add(statistics)
        XCTAssertEqual(twice.tokens, 8)
        XCTAssertEqual(twice.shareInsideOne, 2.0 / 3, accuracy: 1e-15)
        XCTAssertEqual(AlignmentStatistics().shareIdentical, 0)
    }

    func testAggregates() {
        let logProbs: [Float] = [.nan, -1, -4, -2, .nan]
        let ranges: [UInt32] = [0, 5, 0, 1, 2, 2, 1, 3, 3, 5]
        let expected: [Aggregate: [Float]] = [
            .max: [4, .nan, .nan, 4, 2], .mean: [7.0 / 3, .nan, .nan, 2.5, 2], .sum: [7, .nan, .nan, 5, 2],
            .min: [1, .nan, .nan, 1, 2], .first: [1, .nan, .nan, 1, 2], .last: [2, .nan, .nan, 4, 2],
        ]
        for aggregate in Aggregate.allCases {
            var losses: [Float] = []
            ranges.withUnsafeBufferPointer { ranges in
                logProbs.withUnsafeBufferPointer { aggregateLosses(ranges: ranges, logProbs: $0, by: aggregate, into: &losses) }
            }
            XCTAssertEqual(losses.map(\.description), expected[aggregate]?.map(\.description), aggregate.rawValue)
        }
    }
}
