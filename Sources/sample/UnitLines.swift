// The lines of --scores-only.

import Streams

/// One line of NDJSON a unit.
struct UnitLines {
    private let output: ByteOutput

    init(_ output: ByteOutput) { self.output = output }

    func write(_ selected: SelectedUnit) throws {
        let unit = selected.unit
        var line = JSONText()
        line.beginObject()
        line.key("id")
        line.string(unit.id)
        line.member("teacher_nats_per_token", unit.score.teacher)
        line.member("reference_nats_per_token", unit.score.reference)
        line.member("difference", unit.score.difference)
        line.member("tokens", unit.tokens)
        line.member("scored_tokens", unit.score.scored)
        line.member("kept", selected.isKept)
        line.endObject()
        line.newline()
        try output.write(line.bytes)
    }

    func finish() throws { try output.close() }
}
