// The progress line with a clock and a terminal made of variables.
import XCTest

@testable import Command

final class ProgressTests: XCTestCase {
    private var now = 100.0
    private var width = 80
    private var shown: [String] = []

    private func makeProgress(total: Int?, enabled: Bool = true) -> Command.Progress {
        Command.Progress(
            tool: "score", unit: "tokens", total: total, enabled: enabled, clock: { self.now }, columns: { self.width },
            show: { self.shown.append($0) })
    }

    func testFirstAfterOneSecondThenTwiceASecond() {
        let progress = makeProgress(total: nil)
        for _ in 0..<40 {
            now += 0.0625
            progress.advance(1)
        }
        // 2.5 seconds: lines at 1, 1.5, 2 and 2.5.
        XCTAssertEqual(
            shown,
            ["16 tokens, 16 tokens/s", "24 tokens, 16 tokens/s", "32 tokens, 16 tokens/s", "40 tokens, 16 tokens/s"].map { "score: \($0)" })
        progress.finish()
        XCTAssertEqual(shown.last, "")
    }

    func testTotalRateAndTimeLeft() {
        let progress = makeProgress(total: 1_234_567)
        now += 2
        progress.advance(24_690)
        now += 100
        progress.advance(1_209_877)
        XCTAssertEqual(
            shown,
            [
                "score: 24,690 of 1,234,567 tokens (1%), 12,345 tokens/s, 1 min 38 s left",
                "score: 1,234,567 of 1,234,567 tokens (100%), 12,104 tokens/s",
            ])
    }

    func testWhatAnEarlierRunDidIsNotSpeed() {
        let progress = makeProgress(total: 100)
        progress.start(at: 90)
        now += 2
        progress.advance(2, detail: "loss 3.5")
        XCTAssertEqual(shown, ["score: 92 of 100 tokens (92%), 1.0 tokens/s, 8 s left, loss 3.5"])
    }

    func testFitsTheTerminal() {
        width = 20
        let progress = makeProgress(total: nil)
        now += 1
        progress.advance(1_000_000)
        XCTAssertEqual(shown, ["score: 1,000,000 to"])
    }

    func testSilentWhenOff() {
        let progress = makeProgress(total: 10, enabled: false)
        now += 5
        progress.advance(5)
        progress.finish()
        XCTAssertEqual(shown, [])
    }

    func testNumbers() {
        XCTAssertEqual([0, 999, 1000, -1_234_567].map(grouped), ["0", "999", "1,000", "-1,234,567"])
        XCTAssertEqual(
            [0.4, 59.4, 59.6, 3599, 3600, 7260, .infinity].map(duration),
            ["0 s", "59 s", "1 min 0 s", "59 min 59 s", "1 h 0 min", "2 h 1 min", "277777 h 46 min"])
    }
}
