// The progress line of a long job on standard error.
import ArgumentParser
import Glibc

/// When to show progress: `--progress`.
public enum ProgressMode: String, CaseIterable, Sendable, ExpressibleByArgument {
    /// When standard error is a terminal.
    case auto
    case always, never
}

/// One line on standard error that says how far a job is: done, total, rate, time left.
///
/// Shown after one second, rewritten at most twice a second, taken away by `finish()` or by a message. `advance` costs one look at
/// the clock; call it per batch, not per token. Not for use from two threads at once.
public final class Progress {
    private let tool: String
    private let unit: String
    private let total: Int?
    private let enabled: Bool
    private let clock: () -> Double
    private let columns: () -> Int
    private let show: (String) -> Void
    private let started: Double
    private var nextShow: Double
    private var doneBefore = 0
    private var done = 0

    public convenience init(tool: String, unit: String, total: Int? = nil, mode: ProgressMode) {
        let enabled = mode == .always || (mode == .auto && Descriptors.isTerminal(STDERR_FILENO))
        self.init(
            tool: tool, unit: unit, total: total, enabled: enabled, clock: monotonicSeconds, columns: terminalColumns,
            show: Diagnostics.progress)
    }

    init(
        tool: String, unit: String, total: Int?, enabled: Bool, clock: @escaping () -> Double,
        columns: @escaping () -> Int, show: @escaping (String) -> Void
    ) {
        self.tool = tool
        self.unit = unit
        self.total = total
        self.enabled = enabled
        self.clock = clock
        self.columns = columns
        self.show = show
        started = enabled ? clock() : 0
        nextShow = started + 1
    }

    deinit { finish() }

    /// What an earlier run did: counted as done, not as speed.
    public func start(at count: Int) {
        doneBefore = count
        done = count
    }

    /// Counts `count` more units as done; `detail` adds a few words, such as a loss.
    public func advance(_ count: Int, detail: @autoclosure () -> String = "") {
        done += count
        guard enabled else { return }
        let now = clock()
        guard now >= nextShow else { return }
        nextShow = now + 0.5
        let words = detail()
        let text = line(after: now - started) + (words.isEmpty ? "" : ", " + words)
        show(String(text.unicodeScalars.prefix(max(1, columns() - 1))))
    }

    /// Takes the line away.
    public func finish() {
        if enabled { show("") }
    }

    /// `tool: 12,345 of 100,000 tokens (12%), 1,234 tokens/s, 1 min 11 s left`
    private func line(after elapsed: Double) -> String {
        let rate = Double(done - doneBefore) / elapsed
        var text = "\(tool): \(grouped(done))"
        if let total { text += " of \(grouped(total))" }
        text += " \(unit)"
        if let total, total > 0 { text += " (\(Int(100 * Double(min(done, total)) / Double(total)))%)" }
        text += ", \(rate >= 10 ? grouped(Int(rate.rounded())) : decimals(rate, 1)) \(unit)/s"
        if let total, rate > 0, done < total { text += ", \(duration(Double(total - done) / rate)) left" }
        return text
    }
}

/// Width of the terminal behind standard error, 80 where it is none.
private func terminalColumns() -> Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
}
