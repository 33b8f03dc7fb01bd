// The progress line of a long job: done, total where known, rate, time left.

import Glibc

/// Seconds of a clock that never goes back.
public func monotonicSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// One line on standard error, rewritten at most twice a second, from the second second on.
public final class Progress {
    private let tool: String
    private let unit: String
    private let total: Int?
    private let shown: Bool
    private let clock: () -> Double
    private let write: (String) -> Void
    private let began: Double
    private var alreadyDone = 0
    private var done = 0
    private var nextLine: Double

    /// Whether a line stands on the terminal now.
    nonisolated(unsafe) private static var lineIsUp = false

    init(
        tool: String, unit: String, total: Int?, shown: Bool, clock: @escaping () -> Double = monotonicSeconds,
        write: @escaping (String) -> Void = writeToStandardError
    ) {
        self.tool = tool
        self.unit = unit
        self.total = total
        self.shown = shown
        self.clock = clock
        self.write = write
        began = clock()
        nextLine = began + 1
    }

    /// What an earlier run did: counted as done, not as speed.
    public func start(at count: Int) {
        alreadyDone = count
        done = count
    }

    /// - detail: a few words after the rate, such as a loss.
    public func advance(_ count: Int, detail: @autoclosure () -> String = "") {
        done += count
        guard shown else { return }
        let now = clock()
        guard now >= nextLine else { return }
        nextLine = now + 0.5
        let words = detail()
        write("\r\u{1B}[K" + line(after: now - began) + (words.isEmpty ? "" : "  " + words))
        Self.lineIsUp = true
    }

    /// Takes the line away.
    public func finish() {
        Self.eraseCurrentLine()
    }

    static func eraseCurrentLine() {
        guard lineIsUp else { return }
        lineIsUp = false
        writeToStandardError("\r\u{1B}[K")
    }

    /// `tool: 12,345 of 99,999 tokens, 1,234 tokens/s, 1:23 left`
    func line(after seconds: Double) -> String {
        var text = "\(tool): \(grouped(done))"
        if let total { text += " of \(grouped(total))" }
        let rate = Double(done - alreadyDone) / max(seconds, 1e-9)
        text += " \(unit), \(rate < 10 ? "\((rate * 10).rounded() / 10)" : grouped(Int(rate))) \(unit)/s"
        if let total, rate > 0, total >= done { text += ", \(minutes(Double(total - done) / rate)) left" }
        return text
    }
}

/// Digits in groups of three.
func grouped(_ number: Int) -> String {
    var text = ""
    for (place, digit) in String(number.magnitude).reversed().enumerated() {
        if place > 0 && place % 3 == 0 { text.append(",") }
        text.append(digit)
    }
    return (number < 0 ? "-" : "") + String(text.reversed())
}

/// Seconds as h:mm:ss or m:ss.
func minutes(_ seconds: Double) -> String {
    let whole = Int(min(seconds.rounded(), 3_599_999))
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return whole >= 3600
        ? "\(whole / 3600):\(two(whole / 60 % 60)):\(two(whole % 60))" : "\(whole / 60):\(two(whole % 60))"
}
