// Groups and chunks against their definitions.
import TestSupport
import Text
import XCTest

final class TokenGroupsTests: XCTestCase {
    private func groups(_ student: [UInt32], _ teacher: [UInt32]) -> [TokenGroup] {
        student.withUnsafeBufferPointer { student in
            teacher.withUnsafeBufferPointer { teacher in
                var walk = TokenGroups(student: student, teacher: teacher)
                var all: [TokenGroup] = []
                while let group = walk.next() { all.append(group) }
                return all
            }
        }
    }

    private func numbers(_ student: [UInt32], _ teacher: [UInt32], _ logProbs: [Float]?) -> (groups: [UInt32], sums: [Float]) {
        var groups: [UInt32] = []
        var sums: [Float] = []
        student.withUnsafeBufferPointer { student in
            teacher.withUnsafeBufferPointer { teacher in
                guard let logProbs else {
                    return appendGroups(student: student, teacher: teacher, logProbs: nil, into: &groups, &sums)
                }
                logProbs.withUnsafeBufferPointer {
                    appendGroups(student: student, teacher: teacher, logProbs: $0, into: &groups, &sums)
                }
            }
        }
        return (groups, sums)
    }

    /// A byte begins a group when some token begins or ends there and none reaches over it: the bytes between two such make one group.
    private func bruteForce(_ student: [UInt32], _ teacher: [UInt32], _ length: Int) -> [Range<UInt32>] {
        let spans = [student, teacher].flatMap { side in stride(from: 0, to: side.count, by: 2).map { (side[$0], side[$0 + 1]) } }
        let cuts = (0...UInt32(length)).filter { byte in !spans.contains { $0.0 < byte && byte < $0.1 } }
        return zip(cuts, cuts.dropFirst()).map { $0..<$1 }.filter { bytes in spans.contains { $0.0 < $0.1 && bytes.contains($0.0) } }
    }

    func testGroupsEqualTheDefinition() {
        for seed in 0..<400 as Range<UInt64> {
            var random = TestRandom(seed)
            let length = Int(random.next() % 60)
            let student = AlignmentTests.tiling(length, gaps: seed % 2 == 0, &random)
            let teacher = AlignmentTests.tiling(length, gaps: seed % 3 == 0, &random)
            let found = groups(student, teacher)
            XCTAssertEqual(found.map(\.bytes), bruteForce(student, teacher, length), "seed \(seed)")
            for group in found {
                for (spans, tokens) in [(student, group.student), (teacher, group.teacher)] {
                    let inside = (0..<spans.count / 2).filter { spans[2 * $0] < spans[2 * $0 + 1] && group.bytes.contains(spans[2 * $0]) }
                    XCTAssertEqual(tokens.isEmpty ? nil : tokens.lowerBound..<tokens.upperBound - 1, inside.first.map { $0..<inside.last! })
                }
            }
        }
    }

    func testNumbersAndSums() {
        // "abcdef": the student cuts a|bc|def, the teacher ab|c|de|f, with BOS in front and EOS behind.
        let student: [UInt32] = [0, 0, 0, 1, 1, 3, 3, 6, 6, 6]
        let teacher: [UInt32] = [0, 0, 0, 2, 2, 3, 3, 5, 5, 6]
        let (groups, sums) = numbers(student, teacher, [-9, -1, -2, -4, -8])
        XCTAssertEqual(groups, [noGroup, 0, 0, 1, noGroup])
        XCTAssertEqual(sums.map(\.description), [Float.nan, .nan, -3, -12, .nan].map(\.description))
        XCTAssertEqual(numbers(student, teacher, nil).groups, groups)
        XCTAssertEqual(numbers(student, teacher, nil).sums, [])
        // One log-probability that is unknown leaves its group without.
        XCTAssertEqual(numbers(student, teacher, [-9, .nan, -2, -4, -8]).sums.map(\.isNaN), [true, true, true, false, true])
        // Bytes without a token of the teacher are a group without a sum.
        let gap = numbers([0, 1, 1, 2], [1, 2], [-5])
        XCTAssertEqual(gap.groups, [0, 1])
        XCTAssertEqual(gap.sums.map(\.description), [Float.nan, -5].map(\.description))
        // Bytes without a token of the student take no number.
        XCTAssertEqual(numbers([0, 1, 2, 3], [0, 1, 1, 2, 2, 3], nil).groups, [0, 1])
    }

    func testChunksEqualTheDefinition() {
        for seed in 0..<300 as Range<UInt64> {
            var random = TestRandom(seed)
            let length = Int(random.next() % 60)
            let student = AlignmentTests.tiling(length, gaps: seed % 2 == 0, &random)
            let teacher = AlignmentTests.tiling(length, gaps: seed % 3 == 0, &random)
            let chunks = 1 + Int(random.next() % 12)
            let expected = self.chunks(student, teacher, chunks)
            var ranges: [UInt32] = []
            var statistics = AlignmentStatistics()
            student.withUnsafeBufferPointer { student in
                teacher.withUnsafeBufferPointer {
                    alignChunks(student: student, teacher: $0, chunks: chunks, into: &ranges, counting: &statistics)
                }
            }
            XCTAssertEqual(ranges, expected, "seed \(seed), \(chunks) chunks")
            XCTAssertEqual(statistics.tokens, student.count / 2)
            XCTAssertEqual(statistics.mapped, stride(from: 0, to: ranges.count, by: 2).count { ranges[$0] < ranges[$0 + 1] })
        }
    }

    /// Chunk by chunk: its tokens with bytes of either side.
    private func chunks(_ student: [UInt32], _ teacher: [UInt32], _ count: Int) -> [UInt32] {
        func real(_ spans: [UInt32]) -> [Int] { (0..<spans.count / 2).filter { spans[2 * $0] < spans[2 * $0 + 1] } }
        let (mine, its) = (real(student), real(teacher))
        var ranges = [UInt32](repeating: 0, count: student.count)
        for chunk in 0..<count {
            let theirs = its[chunk * its.count / count..<(chunk + 1) * its.count / count]
            for token in mine[chunk * mine.count / count..<(chunk + 1) * mine.count / count] where !theirs.isEmpty {
                ranges[2 * token] = UInt32(theirs.first!)
                ranges[2 * token + 1] = UInt32(theirs.last! + 1)
            }
        }
        return ranges
    }

    func testManyChunksOfOneVocabularyAreTheIdentity() {
        var random = TestRandom(3)
        let spans = AlignmentTests.tiling(300, gaps: false, &random)
        var ranges: [UInt32] = []
        var statistics = AlignmentStatistics()
        spans.withUnsafeBufferPointer {
            alignChunks(student: $0, teacher: $0, chunks: spans.count, into: &ranges, counting: &statistics)
        }
        XCTAssertEqual(ranges, alignRanges(student: spans, teacher: spans))
        XCTAssertEqual(statistics.identical, statistics.mapped)
    }

    func testIntersectionOverUnion() {
        XCTAssertEqual(intersectionOverUnion(0..<4, 0..<4), 1)
        XCTAssertEqual(intersectionOverUnion(0..<2, 1..<4), 0.25)
        XCTAssertEqual(intersectionOverUnion(0..<2, 2..<4), 0)
        XCTAssertEqual(intersectionOverUnion(2..<3, 0..<4), 0.25)
    }
}
