// The learning rate against worked values.
import Compute
import XCTest

final class LearningRateScheduleTests: XCTestCase {
    /// The 200M recipe of MiniPLM: peak 6e-4, a tenth at the end, 2,000 steps of warm-up, 100,000 in all.
    func testCosineOfAKnownRecipe() {
        let schedule = LearningRateSchedule(kind: .cosine, peak: 6e-4, finalFraction: 0.1, warmup: 2_000, total: 100_000)
        for (step, rate) in [(1_000, 3e-4), (2_000, 6e-4), (51_000, 3.3e-4), (100_000, 6e-5), (123_456, 6e-5)] {
            XCTAssertEqual(schedule.rate(step: step), rate, accuracy: 1e-15, "step \(step)")
        }
    }

    func testLinearFallsEvenly() {
        let schedule = LearningRateSchedule(kind: .linear, peak: 1, finalFraction: 0.2, warmup: 4, total: 12)
        let expected = [0.25, 0.5, 0.75, 1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.2]
        for (i, rate) in expected.enumerated() { XCTAssertEqual(schedule.rate(step: i + 1), rate, accuracy: 1e-15, "step \(i + 1)") }
    }

    func testConstantStaysAtItsPeak() {
        let schedule = LearningRateSchedule(kind: .constant, peak: 3e-4, warmup: 2, total: 10)
        XCTAssertEqual([1, 2, 3, 10, 11].map { schedule.rate(step: $0) }, [1.5e-4, 3e-4, 3e-4, 3e-4, 3e-4])
    }

    func testNoWarmUpAndNothingButWarmUp() {
        for kind in LearningRateSchedule.Kind.allCases {
            let last = kind == .constant ? 1 : 0.1
            XCTAssertEqual(LearningRateSchedule(kind: kind, peak: 1, warmup: 0, total: 1).rate(step: 1), last, accuracy: 1e-15)
            XCTAssertEqual(LearningRateSchedule(kind: kind, peak: 1, warmup: 10, total: 5).rate(step: 7), 0.7)
        }
    }
}
