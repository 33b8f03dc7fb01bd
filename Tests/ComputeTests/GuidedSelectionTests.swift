// The choice of tokens that carry loss, against worked values and its invariants.
import TestSupport
import XCTest

@testable import Compute

final class GuidedSelectionTests: XCTestCase {
    private func select(_ student: [Float], _ teacher: [Float], targets: [Int32]? = nil, _ share: Double) -> GuidedSelection {
        guidedSelection(
            studentLosses: student, teacherLosses: teacher, targets: targets ?? [Int32](repeating: 0, count: student.count), select: share)
    }

    /// l_S 2.0 .5 3.0 1.0 4.0, l_T 1.5 .2 .5 none 3.9: d .5 .3 2.5 – .1; 40 % of four is one, the third; the fourth is unmapped.
    func testWorkedValue() {
        let chosen = select([2, 0.5, 3, 1, 4], [1.5, 0.2, 0.5, .nan, 3.9], 0.4)
        XCTAssertEqual(chosen, GuidedSelection(carriesLoss: [false, false, true, true, false], mapped: 4, selected: 2))
    }

    func testTiesGoToTheLowerIndex() {
        let chosen = select([1, 2, 2, 2, 1], [0, 1, 1, 1, 0], 0.4)
        XCTAssertEqual(chosen.carriesLoss, [true, true, false, false, false])
    }

    func testAtLeastOneMappedToken() {
        XCTAssertEqual(select([1, 3, 2], [0, 0, 0], 0.01).carriesLoss, [false, true, false])
        XCTAssertEqual(select([1, 3], [.nan, .nan], 0.4), GuidedSelection(carriesLoss: [true, true], mapped: 0, selected: 2))
    }

    func testRowsWithoutTargetTakeNoPart() {
        let chosen = select([.nan, 1, 5, .nan], [9, 0, 9, .nan], targets: [-1, 7, 7, -1], 0.5)
        XCTAssertEqual(chosen, GuidedSelection(carriesLoss: [false, true, false, false], mapped: 2, selected: 1))
    }

    func testInfiniteTeacherLossesAreRankedLast() {
        let chosen = select([1, 1, 1], [.infinity, 0, 2], 0.34)
        XCTAssertEqual(chosen.carriesLoss, [false, true, false])
    }

    /// 0.29 · 100 is 28.999999999999996 in binary; 29 tokens are meant.
    func testShareIsMeantInDecimal() {
        for percent in 1...100 {
            let chosen = select((0..<100).map(Float.init), [Float](repeating: 0, count: 100), Double(percent) / 100)
            XCTAssertEqual(chosen.selected, percent)
            XCTAssertEqual(chosen.carriesLoss, (0..<100).map { $0 >= 100 - percent })
        }
    }

    func testEverythingAtOne() {
        XCTAssertEqual(select([1, 2, 3], [3, 2, .nan], 1).carriesLoss, [true, true, true])
    }
}
