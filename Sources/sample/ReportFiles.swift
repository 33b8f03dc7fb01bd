// --report and --plot: opened before the work, closed after it.

import Command
import Selection
import Streams

/// The files of a diagnosis, none, one or both.
struct ReportFiles {
    private let lines: ByteOutput?
    private let drawing: ByteOutput?

    var areWanted: Bool { lines != nil || drawing != nil }

    init(_ options: ReportOptions) throws {
        lines = try options.report.map(ByteOutput.file)
        drawing = try options.plot.map(ByteOutput.file)
    }

    func write(_ diagnosis: Diagnosis) throws {
        try lines?.write(reportLines(diagnosis))
        try drawing?.write(DifferencePlot(diagnosis).svg)
    }

    func close() throws {
        try lines?.close()
        try drawing?.close()
    }
}

/// The report: a summary, the bins from low to high, the extracts, the sources from the largest down; `kind` tells them apart.
private func reportLines(_ diagnosis: Diagnosis) -> [UInt8] {
    var text = JSONText()
    func line(_ kind: String, _ members: (inout JSONText) -> Void) {
        text.beginObject()
        text.member("kind", kind)
        members(&text)
        text.endObject()
        text.newline()
    }
    line("summary") { summary(diagnosis, &$0) }
    bins(diagnosis) { bin in line("bin", bin) }
    for (name, extracts) in [("top", diagnosis.top), ("bottom", diagnosis.bottom), ("random", diagnosis.random)] {
        for item in extracts.items { line("extract") { extract(name, item, &$0) } }
    }
    let order = diagnosis.sources.sorted { left, right in
        if left.value.tokens != right.value.tokens { return left.value.tokens > right.value.tokens }
        return (left.key ?? []).lexicographicallyPrecedes(right.key ?? [])
    }
    for (name, tally) in order { line("source") { source(name, tally, &$0) } }
    return text.bytes
}

private func summary(_ diagnosis: Diagnosis, _ line: inout JSONText) {
    let (units, selection) = (diagnosis.units, diagnosis.selection)
    let sketch = units.sketch
    line.member("unit", diagnosis.unit.rawValue)
    line.member("method", selection.chosenMethod.rawValue)
    if let threshold = selection.threshold {
        line.member("threshold", threshold)
    } else if let tokens = selection.tokens {
        line.member("token_budget", tokens)
    } else {
        line.member("ratio", selection.ratio ?? 0.5)
    }
    if selection.chosenMethod == .gumbel {
        line.member("temperature", selection.temperature)
        line.key("seed")
        line.integer(selection.seed)
    }
    line.member("units", units.count)
    line.member("kept", diagnosis.kept)
    line.member("tokens", units.tokens)
    line.member("kept_tokens", diagnosis.keptTokens)
    line.member("unscored_units", units.unscored)
    line.member("scored_tokens", units.scoredTokens)
    line.member("teacher_nats_per_token", units.teacherNats / Double(units.scoredTokens))
    line.member("reference_nats_per_token", units.referenceNats / Double(units.scoredTokens))
    line.member("least_difference", sketch.least)
    line.member("mean_difference", sketch.count > 0 ? sketch.mean : .nan)
    line.member("largest_difference", sketch.most)
    line.member("standard_deviation", sketch.deviation)
    line.member("least_kept_difference", diagnosis.leastKept)
}

/// `cumulative_share`: of the units with a difference, those below `high`.
private func bins(_ diagnosis: Diagnosis, _ write: ((inout JSONText) -> Void) -> Void) {
    let histogram = diagnosis.histogram
    let sketch = diagnosis.units.sketch
    guard sketch.count > 0 else { return }
    let bins = histogram.bins
    var below = 0
    for bin in 0..<bins.count {
        below += histogram.all[bin]
        write { line in
            line.member("low", bin == 0 ? min(bins.low(0), sketch.least) : bins.low(bin))
            line.member("high", bin == bins.count - 1 ? max(bins.low(bin + 1), sketch.most) : bins.low(bin + 1))
            line.member("units", histogram.all[bin])
            line.member("kept", histogram.kept[bin])
            line.member("cumulative_share", Double(below) / Double(sketch.count))
        }
    }
}

private func extract(_ name: String, _ extract: Extract, _ line: inout JSONText) {
    let unit = extract.unit.unit
    line.member("from", name)
    line.key("id")
    line.string(unit.id)
    line.member("difference", unit.score.difference)
    line.member("tokens", unit.tokens)
    line.member("kept", extract.unit.isKept)
    guard let text = extract.text else { return }
    line.member("text_bytes", extract.textBytes)
    line.key("text")
    line.string(text)
}

private func source(_ name: [UInt8]?, _ tally: SourceTally, _ line: inout JSONText) {
    line.key("source")
    if let name { line.string(name) } else { line.null() }
    line.member("units", tally.units)
    line.member("kept", tally.kept)
    line.member("tokens", tally.tokens)
    line.member("kept_tokens", tally.keptTokens)
    line.member("kept_share_of_tokens", Double(tally.keptTokens) / Double(tally.tokens))
    line.member("mean_difference", tally.differences / Double(tally.scored))
}
