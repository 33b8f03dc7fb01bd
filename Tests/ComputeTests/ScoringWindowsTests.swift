import XCTest

@testable import Compute

final class ScoringWindowsTests: XCTestCase {
    func testEveryPositionIsScoredOnceWithItsContext() {
        for length in 0...40 {
            for window in 2...12 {
                for stride in 1...window {
                    let windows = scoringWindows(length: length, window: window, stride: stride)
                    var next = 0
                    for one in windows {
                        XCTAssertEqual(one.scoredFrom, next, "\(length) \(window) \(stride)")
                        XCTAssertLessThanOrEqual(one.read.count, window)
                        let context = one.scoredFrom - one.read.lowerBound
                        XCTAssertGreaterThanOrEqual(context, min(one.scoredFrom, max(1, window - stride)))
                        XCTAssertGreaterThan(one.read.upperBound, next)
                        next = one.read.upperBound
                    }
                    XCTAssertEqual(next, length)
                }
            }
        }
    }

    func testADocumentThatFitsIsOneWindow() {
        XCTAssertEqual(
            scoringWindows(length: 8, window: 8, stride: 1), [ScoringWindow(read: 0..<8, scoredFrom: 0)])
    }

    func testTwoWindowsByHand() {
        XCTAssertEqual(
            scoringWindows(length: 7, window: 4, stride: 2),
            [
                ScoringWindow(read: 0..<4, scoredFrom: 0),
                ScoringWindow(read: 2..<6, scoredFrom: 4),
                ScoringWindow(read: 4..<7, scoredFrom: 6),
            ])
    }
}
