// The score of a unit: which positions count, and METHOD's worked values.
import XCTest

@testable import Selection

final class PairScoreTests: XCTestCase {
    private let none = Float.nan

    private func score(
        _ ids: [UInt32], _ teacher: [Float], _ reference: [Float], _ rule: PairScore.Rule
    ) throws(PairScore.Missing) -> PairScore {
        try PairScore(ids: ids[...], teacher: teacher[...], reference: reference[...], rule: rule)
    }

    /// Teacher 1.26, reference 4.20: 2.94.
    func testWorkedValue() throws {
        let score = try score([7, 8, 9], [none, -1, -1.52], [none, -4.4, -4], .document)
        XCTAssertEqual(score.teacher, 1.26, accuracy: 1e-7)
        XCTAssertEqual(score.reference, 4.20, accuracy: 1e-7)
        XCTAssertEqual(score.difference, 2.94, accuracy: 1e-7)
        XCTAssertEqual(score.scored, 2)
    }

    func testSlicesKeepTheirPlaces() throws {
        let (ids, values) = ([UInt32](0..<10), (0..<10).map { -Float($0) })
        let score = try PairScore(ids: ids[4..<7], teacher: values[4..<7], reference: values[1..<4], rule: .document)
        XCTAssertEqual(score, PairScore(teacher: 5, reference: 2, scored: 3))
        XCTAssertEqual(score.difference, -3)
    }

    /// A position whose input token is the separator is masked; to predict the separator counts; the first token is nobody's prediction.
    func testChunkMask() throws {
        let ids: [UInt32] = [5, 6, 2, 7, 2, 2, 8]
        //      counts:      -  y  y  -  y  -  -
        let losses: [Float] = [-100, -1, -2, -100, -4, -100, none]
        let zeros = [Float](repeating: 0, count: 7)
        let score = try score(ids, losses, zeros, .chunk(separator: 2))
        XCTAssertEqual(score, PairScore(teacher: 7.0 / 3, reference: 0, scored: 3))
        XCTAssertEqual(try self.score(ids, [none, -1, -1, -1, -1, -1, -1], zeros, .chunk(separator: nil)).scored, 6)
    }

    /// With a beginning-of-sequence token on one side only, the first token does not count on the other either.
    func testFirstTokenOfADocument() throws {
        XCTAssertEqual(try score([1, 2], [-3, -1], [none, -2], .document), PairScore(teacher: 1, reference: 2, scored: 1))
        XCTAssertEqual(try score([1, 2], [-3, -1], [-4, -2], .document), PairScore(teacher: 2, reference: 3, scored: 2))
    }

    func testNothingToScore() throws {
        for (ids, values) in [([UInt32](), [Float]()), ([9], [none])] {
            let score = try score(ids, values, values, .document)
            XCTAssertEqual(score.scored, 0)
            XCTAssertEqual(score.key, .unscored)
            XCTAssertTrue(score.difference.isNaN)
        }
        XCTAssertEqual(try score([2, 2], [none, none], [none, none], .chunk(separator: 2)).scored, 0)
    }

    func testMissingScores() {
        XCTAssertThrowsError(try score([1, 2, 3], [none, -1, none], [none, -1, -1], .document)) {
            XCTAssertEqual($0 as? PairScore.Missing, PairScore.Missing(token: 2, ofTeacher: true))
        }
        XCTAssertThrowsError(try score([1, 2, 3], [none, -1, -1], [none, none, -1], .chunk(separator: 9))) {
            XCTAssertEqual($0 as? PairScore.Missing, PairScore.Missing(token: 1, ofTeacher: false))
        }
    }

    func testTheSameModelGivesZero() throws {
        let losses: [Float] = [none, -0.1, -3.7, -1e-6, -12]
        let score = try score([1, 2, 3, 4, 5], losses, losses, .document)
        XCTAssertEqual(score.difference.bitPattern, 0)
    }
}
