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

    func testWarmUpStableDecay() {
        let schedule = LearningRateSchedule(kind: .wsd, peak: 1, finalFraction: 0.2, warmup: 2, total: 12, decay: 4)
        let expected = [0.5, 1, 1, 1, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2, 0.2]
        for (i, rate) in expected.enumerated() { XCTAssertEqual(schedule.rate(step: i + 1), rate, accuracy: 1e-15, "step \(i + 1)") }
        XCTAssertEqual(LearningRateSchedule(kind: .wsd, peak: 1, warmup: 0, total: 300).decay, 30)
    }

    /// alpha = .9 over 12 steps, the learning rate's break points at 2 and 8.
    func testAlpha() {
        let rate = LearningRateSchedule(kind: .wsd, peak: 1, warmup: 2, total: 12, decay: 4)
        for (kind, expected) in [
            (.constant, [Double](repeating: 1, count: 13)), (.linearUp, (1...13).map { min(1, Double($0) / 12) }),
            (.linearDown, (1...13).map { max(0, 1 - Double($0) / 12) }), (.period, [1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 1]),
            (.wsd, [0.5, 1, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25, 0, 0]),
        ] as [(AlphaSchedule.Kind, [Double])] {
            let schedule = AlphaSchedule(kind: kind, peak: 0.9, period: 6, rate: rate)
            for (i, share) in expected.enumerated() {
                XCTAssertEqual(schedule.alpha(step: i + 1), 0.9 * share, accuracy: 1e-15, "\(kind) at step \(i + 1)")
            }
        }
        let beta = AlphaSchedule(kind: .wsdBeta, peak: 0.9, period: 6, rate: rate)
        for (step, expected) in [(1, 0.55), (2, 0.1), (8, 0.1), (10, 0.55), (12, 1)] {
            XCTAssertEqual(beta.alpha(step: step), expected, accuracy: 1e-15, "1 - .9 s at step \(step)")
        }
        XCTAssertEqual(
            AlphaSchedule(kind: .wsd, peak: 1, period: 2, rate: .init(kind: .cosine, peak: 1, warmup: 0, total: 5)).alpha(step: 1), 1)
    }

    func testNoWarmUpAndNothingButWarmUp() {
        for kind in LearningRateSchedule.Kind.allCases {
            let last = kind == .constant ? 1 : 0.1
            XCTAssertEqual(LearningRateSchedule(kind: kind, peak: 1, warmup: 0, total: 1).rate(step: 1), last, accuracy: 1e-15)
            XCTAssertEqual(LearningRateSchedule(kind: kind, peak: 1, warmup: 10, total: 5).rate(step: 7), 0.7)
        }
    }
}
