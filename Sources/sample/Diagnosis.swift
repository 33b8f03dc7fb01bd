// What is told of the differences: how they are distributed, what stands at the ends, which sources are kept.

import Selection
import Streams

/// A unit to look at.
struct Extract {
    let unit: SelectedUnit
    /// The beginning of its text.
    let text: [UInt8]?
    let textBytes: Int
}

/// What one source contributed.
struct SourceTally {
    var units = 0
    var kept = 0
    var tokens = 0
    var keptTokens = 0
    var scored = 0
    var differences = 0.0
}

/// Gathered while the units pass by once more, in memory that does not depend on their number.
final class Diagnosis {
    static let extractBytes = 600
    private static let mostSources = 100_000

    let selection: SelectionOptions
    let unit: Unit
    let units: RankedUnits
    private(set) var histogram: Histogram
    private(set) var kept = 0
    private(set) var keptTokens = 0
    /// Of the kept units.
    private(set) var leastKept = Double.infinity
    private(set) var sources: [[UInt8]?: SourceTally] = [:]
    private(set) var top: Extremes<Extract>
    private(set) var bottom: Extremes<Extract>
    private(set) var random: Extremes<Extract>
    private let countsSources: Bool
    private let noise: GumbelNoise

    init(_ report: ReportOptions, _ selection: SelectionOptions, _ pairs: ScorePairs, _ units: RankedUnits) {
        self.selection = selection
        self.units = units
        unit = pairs.unit
        histogram = Histogram(units.sketch.bins())
        countsSources = report.sourceKey != nil
        let count = report.report == nil ? 0 : report.extracts
        (top, bottom, random) = (Extremes(limit: count), Extremes(limit: count), Extremes(limit: count))
        // Another seed than that of the draw, whose best would else be taken for the extracts at random.
        noise = GumbelNoise(seed: selection.seed ^ 0x6578_7472_6163_7473)
    }

    func add(_ selected: SelectedUnit, _ corpus: (any Corpus)?) throws {
        let unit = selected.unit
        if selected.isKept {
            kept += 1
            keptTokens += unit.tokens
        }
        if countsSources { try count(selected, corpus?.source()) }
        guard unit.score.scored > 0 else { return }
        let difference = unit.score.difference
        histogram.add(difference, kept: selected.isKept)
        if selected.isKept { leastKept = min(leastKept, difference) }
        try top.add(RankKey(difference)) { try Diagnosis.extract(selected, corpus) }
        try bottom.add(RankKey(-difference)) { try Diagnosis.extract(selected, corpus) }
        try random.add(RankKey(noise.uniform(id: unit.id, content: unit.content))) { try Diagnosis.extract(selected, corpus) }
    }

    private func count(_ selected: SelectedUnit, _ source: [UInt8]?) throws {
        if sources.count == Diagnosis.mostSources, sources[source] == nil {
            throw Failure(
                .badData, "--source-key", "more than \(Diagnosis.mostSources) different values", hint: "name a key with one value a source")
        }
        let unit = selected.unit
        var tally = sources[source] ?? SourceTally()
        tally.units += 1
        tally.tokens += unit.tokens
        if selected.isKept {
            tally.kept += 1
            tally.keptTokens += unit.tokens
        }
        if unit.score.scored > 0 {
            tally.scored += 1
            tally.differences += unit.score.difference
        }
        sources[source] = tally
    }

    private static func extract(_ selected: SelectedUnit, _ corpus: (any Corpus)?) throws -> Extract {
        let text = try corpus?.text()
        return Extract(unit: selected, text: text.map { Array(wholeCharacters($0.prefix(extractBytes))) }, textBytes: text?.count ?? 0)
    }

    /// Without a character that is cut at the end.
    private static func wholeCharacters(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard let lead = text.lastIndex(where: { $0 & 0xC0 != 0x80 }) else { return [] }
        let length = text[lead] < 0x80 ? 1 : text[lead] < 0xE0 ? 2 : text[lead] < 0xF0 ? 3 : 4
        return lead + length <= text.endIndex ? text : text[..<lead]
    }
}
