// The report of 'evaluate perplexity': lines of NDJSON, or a table.

import Checkpoints
import Command
import Streams

/// Gathers the lines or rows of a report.
final class PerplexityReport {
    private let asTable: Bool
    private let provenance: Bool
    private let several: Bool
    private var lines: [UInt8] = []
    private var rows = TextTable(flushLeft: [0, 1])
    private var hasRows = false

    /// - provenance: names and rates are left out without it, as they vary between runs. - several: lines of documents name their model.
    init(asTable: Bool, provenance: Bool, several: Bool) {
        (self.asTable, self.provenance, self.several) = (asTable, provenance, several)
    }

    /// A document's line.
    func add(_ sums: PerplexitySums, document id: [UInt8], _ model: ScoringModel) {
        if asTable { return addRow(sums, model, document: printable(id, limit: 40)) }
        var line = JSONText()
        line.beginObject()
        line.key("id")
        line.string(id)
        if several { writeModel(model, &line) }
        sums.write(into: &line)
        end(&line)
    }

    /// A model's line.
    func add(_ sums: PerplexitySums, _ model: ScoringModel, seconds: Double) {
        if asTable { return addRow(sums, model, document: "total") }
        var line = JSONText()
        line.beginObject()
        writeModel(model, &line)
        line.member("bos", model.bosID.map { String($0) } ?? "none")
        line.member("windows", model.isRolling ? WindowKind.rolling.rawValue : WindowKind.stride.rawValue)
        line.member("window", model.window)
        if !model.isRolling { line.member("stride", model.stride) }
        line.member("precision", model.precision.rawValue)
        sums.write(into: &line)
        if provenance {
            line.member("elapsed_s", seconds)
            line.member("tokens_per_s", seconds > 0 ? Double(sums.tokens) / seconds : .nan)
        }
        end(&line)
    }

    /// The lines since the last call.
    func takeLines() -> [UInt8] {
        defer { lines = [] }
        return lines
    }

    /// The table; empty for lines.
    var table: String { rows.text }

    private func writeModel(_ model: ScoringModel, _ line: inout JSONText) {
        if provenance { line.member("model", model.loaded.name) }
        line.member("model_sha256", model.loaded.sha256)
    }

    private func end(_ line: inout JSONText) {
        line.endObject()
        line.newline()
        lines += line.bytes
    }

    private func addRow(_ sums: PerplexitySums, _ model: ScoringModel, document: String) {
        if !hasRows {
            hasRows = true
            rows.add([
                "model", "document", "bytes", "scored bytes", "tokens", "nats/token", "bits/byte", "ppl/token", "ppl/word", "ppl/byte",
            ])
        }
        func cell(_ value: Double, _ places: Int) -> String { value.isNaN ? "-" : value > 1e9 ? "> 1e9" : decimals(max(value, 0), places) }
        rows.add([
            provenance ? model.loaded.name : String(model.loaded.sha256.prefix(12)), document,
            grouped(sums.bytes), grouped(sums.scoredBytes), grouped(sums.tokens),
            cell(sums.natsPerToken, 4), cell(sums.bitsPerByte, 4), cell(sums.tokenPerplexity, 2), cell(sums.wordPerplexity, 2),
            cell(sums.bytePerplexity, 3),
        ])
    }
}
