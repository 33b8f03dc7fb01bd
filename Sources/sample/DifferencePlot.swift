// The drawing of --plot: the histogram of the differences, kept and left out, and their distribution below it.

import Command
import Glibc
import Selection

/// Two panels over one axis, as SVG: for a page on paper and, by its own style sheet, for a dark screen.
struct DifferencePlot {
    private static let (width, left, right, top) = (760.0, 70.0, 28.0, 84.0)
    private static let (upper, gap, lower, bottom) = (250.0, 30.0, 130.0, 58.0)
    private let diagnosis: Diagnosis
    private let bins: Bins
    private let range: ClosedRange<Double>

    init(_ diagnosis: Diagnosis) {
        self.diagnosis = diagnosis
        bins = diagnosis.histogram.bins
        range = bins.low(0)...bins.low(bins.count)
    }

    var svg: String {
        let (width, left, right) = (Self.width, Self.left, Self.right)
        let first = Panel(left: left, width: width - left - right, top: Self.top, height: Self.upper, range: range)
        let second = Panel(left: left, width: width - left - right, top: Self.top + Self.upper + Self.gap, height: Self.lower, range: range)
        let height = second.top + second.height + Self.bottom
        let parts = [
            heading, histogram(first), distribution(second), second.xAxis("reference's loss minus teacher's, nats per token"),
            cut(first, second),
        ]
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(width)) \(Int(height))" width="\(Int(width))" \
            height="\(Int(height))" role="img">
            <title>\(title)</title>
            <style>\(Self.style)</style>
            <rect class="paper" width="\(Int(width))" height="\(Int(height))"/>
            \(parts.joined(separator: "\n"))
            </svg>

            """
    }

    private var noun: String { diagnosis.unit.plural }

    private var title: String {
        let units = diagnosis.units
        let share = Double(diagnosis.kept) / Double(max(1, units.count))
        return "\(diagnosis.kept) of \(units.count) \(noun) kept (\(decimals(100 * share, 1)) %)"
    }

    private var heading: String {
        let units = diagnosis.units
        let tokens = Double(diagnosis.keptTokens) / Double(max(1, units.tokens))
        let mean = units.sketch.count > 0 ? units.sketch.mean : 0
        let sketch = units.sketch
        let beyond = sketch.count > 0 && (sketch.least < range.lowerBound || sketch.most >= range.upperBound)
        let words =
            "mean difference \(signed(mean, 3)) nats per token; kept are \(decimals(100 * tokens, 1)) % of the tokens"
            + (beyond ? "; the outer bars hold all that lies beyond" : "")
        return text(Self.left, 32, title, "title") + "\n" + text(Self.left, 54, words, "soft")
    }

    /// Bars from the bottom: kept, and on top of them what is left out.
    private func histogram(_ panel: Panel) -> String {
        let histogram = diagnosis.histogram
        // Room above the bars, for the label of the cut.
        let most = Double(max(1, histogram.all.max() ?? 0)) * 1.12
        var svg = [panel.yAxis(upTo: most, leastStep: 1, words: noun) { decimals($0, 0) }]
        for bin in 0..<bins.count where histogram.all[bin] > 0 {
            let (from, to) = (panel.x(bins.low(bin)) + 0.4, panel.x(bins.low(bin + 1)) - 0.4)
            let (kept, all) = (panel.y(Double(histogram.kept[bin]) / most), panel.y(Double(histogram.all[bin]) / most))
            svg.append(box(from, kept, to, panel.y(0), "kept"))
            svg.append(box(from, all, to, kept, "left"))
        }
        svg.append(panel.base)
        let at = panel.left + panel.width
        svg.append(text(at, Self.top - 12, "left out", "soft", "end") + box(at - 62, Self.top - 22, at - 52, Self.top - 12, "left"))
        svg.append(text(at - 74, Self.top - 12, "kept", "soft", "end") + box(at - 114, Self.top - 22, at - 104, Self.top - 12, "kept"))
        return svg.joined(separator: "\n")
    }

    /// The share of units below each difference.
    private func distribution(_ panel: Panel) -> String {
        let histogram = diagnosis.histogram
        let count = Double(max(1, diagnosis.units.sketch.count))
        var below = 0
        var points = ["\(number(panel.x(range.lowerBound))),\(number(panel.y(0)))"]
        for bin in 0..<bins.count {
            below += histogram.all[bin]
            points.append("\(number(panel.x(bins.low(bin + 1)))),\(number(panel.y(Double(below) / count)))")
        }
        let axis = panel.yAxis(upTo: 1, leastStep: 0.5, words: "share below") { $0 == 0 || $0 == 1 ? decimals($0, 0) : decimals($0, 1) }
        return axis + "\n" + panel.base + "\n" + "<polyline class=\"curve\" points=\"\(points.joined(separator: " "))\"/>"
    }

    /// A line through both panels at the smallest difference that is kept.
    private func cut(_ first: Panel, _ second: Panel) -> String {
        let value = diagnosis.leastKept
        guard diagnosis.selection.chosenMethod != .gumbel, range.contains(value) else { return "" }
        let x = first.x(value)
        let atEnd = x > first.left + 0.7 * first.width
        let label = text(x + (atEnd ? -6 : 6), first.top + 11, "kept from \(signed(value, 3))", "name", atEnd ? "end" : "start")
        return "<line class=\"cut\" x1=\"\(number(x))\" y1=\"\(number(first.top))\" x2=\"\(number(x))\" "
            + "y2=\"\(number(second.top + second.height))\"/>\n" + label
    }

    private func box(_ left: Double, _ top: Double, _ right: Double, _ bottom: Double, _ kind: String) -> String {
        guard bottom - top > 0.01 else { return "" }
        return "<rect class=\"\(kind)\" x=\"\(number(left))\" y=\"\(number(top))\" "
            + "width=\"\(number(max(right - left, 0.5)))\" height=\"\(number(bottom - top))\"/>"
    }

    private static let style: String = {
        func colours(_ paper: String, _ ink: String, _ soft: String, _ grid: String, _ kept: String, _ left: String, _ cut: String)
            -> String
        {
            ".paper{fill:\(paper)}.title,.name{fill:\(ink)}.soft,.tick{fill:\(soft)}.grid{stroke:\(grid)}.base{stroke:\(soft)}"
                + "rect.kept{fill:\(kept)}rect.left{fill:\(left)}.curve{stroke:\(kept)}.cut{stroke:\(cut)}"
        }
        return "text{font-family:'Helvetica Neue',Helvetica,Arial,'Liberation Sans',sans-serif;font-size:12px}"
            + ".title{font-size:17px;font-weight:600}.name{font-weight:600}.tick{font-variant-numeric:tabular-nums}"
            + ".curve{fill:none;stroke-width:2.2;stroke-linejoin:round}.cut{stroke-width:1.4;stroke-dasharray:5 4}"
            + colours("#ffffff", "#1f2328", "#656d76", "#e6e8eb", "#0072b2", "#c3c9d0", "#d1490c")
            + "@media (prefers-color-scheme:dark){"
            + colours("#0d1117", "#e6edf3", "#9198a1", "#262c34", "#58b0ee", "#484f58", "#f0883e") + "}"
    }()
}

/// A rectangle with axes: maps differences and shares of its height to places.
private struct Panel {
    let left: Double
    let width: Double
    let top: Double
    let height: Double
    let range: ClosedRange<Double>

    func x(_ value: Double) -> Double { left + (value - range.lowerBound) / (range.upperBound - range.lowerBound) * width }
    func y(_ share: Double) -> Double { top + (1 - share) * height }

    var base: String { rule(y(0), "base") }

    func rule(_ y: Double, _ kind: String) -> String {
        "<line class=\"\(kind)\" x1=\"\(number(left))\" y1=\"\(number(y))\" x2=\"\(number(left + width))\" y2=\"\(number(y))\"/>"
    }

    func yAxis(upTo most: Double, leastStep: Double = 0, words: String, _ label: (Double) -> String) -> String {
        var svg = ticks(0...most, about: 4, leastStep: leastStep).map { value in
            rule(y(value / most), "grid") + "\n" + text(left - 9, y(value / most) + 4, label(value), "tick", "end")
        }
        let place = "translate(\(number(left - 52)) \(number(top + height / 2))) rotate(-90)"
        svg.append(
            "<text class=\"soft\" text-anchor=\"middle\" transform=\"\(place)\">"
                + "\(words)</text>")
        return svg.joined(separator: "\n")
    }

    func xAxis(_ words: String) -> String {
        let bottom = top + height
        let places = ticks(range, about: 8)
        let digits = places.count > 1 ? max(0, Int(ceil(-log10(places[1] - places[0]) - 1e-9))) : 1
        var svg = places.map { value in
            let at = number(x(value))
            return "<line class=\"base\" x1=\"\(at)\" y1=\"\(number(bottom))\" x2=\"\(at)\" y2=\"\(number(bottom + 5))\"/>\n"
                + text(x(value), bottom + 19, abs(value) < 1e-12 ? "0" : signed(value, digits), "tick", "middle")
        }
        svg.append(text(left + width / 2, bottom + 42, words, "soft", "middle"))
        return svg.joined(separator: "\n")
    }
}

/// Round places in a range, about so many.
private func ticks(_ range: ClosedRange<Double>, about count: Int, leastStep: Double = 0) -> [Double] {
    let raw = max(leastStep, (range.upperBound - range.lowerBound) / Double(count))
    let power = pow(10, log10(raw).rounded(.down))
    let step = power * ([1, 2, 5, 10].first { $0 >= raw / power * 0.999 } ?? 10)
    let first = (range.lowerBound / step - 1e-9).rounded(.up)
    let last = (range.upperBound / step + 1e-9).rounded(.down)
    return first > last || abs(first) > 1e12 || abs(last) > 1e12 ? [] : (Int(first)...Int(last)).map { Double($0) * step }
}

private func text(_ x: Double, _ y: Double, _ words: String, _ kind: String, _ anchor: String = "start") -> String {
    "<text class=\"\(kind)\" x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\">\(words)</text>"
}

/// With a typographic minus.
private func signed(_ value: Double, _ places: Int) -> String {
    (value < 0 ? "\u{2212}" : "") + decimals(abs(value), places)
}

/// A coordinate with one decimal.
private func number(_ value: Double) -> String {
    (value < 0 ? "-" : "") + decimals(abs(value), 1)
}
