// The options that say what to look at instead of writing aligned records.

import ArgumentParser

/// Reports.
struct LookOptions: ParsableArguments {
    @Flag(help: "Write statistics of the alignment, a line of NDJSON for each teacher, instead of the records.")
    var report = false

    @Flag(help: "Count what two vocabularies have in common, as written and by bytes; the arguments are files or folders of vocabularies.")
    var overlap = false

    @Option(
        help: ArgumentHelp(
            "With --overlap: file for the ids of byte-identical entries, a safetensors file (default: none).", valueName: "file"))
    var map: String?

    @Flag(help: "With --report or --overlap: a table to read instead of NDJSON.")
    var table = false

    enum Mode {
        case report, overlap
    }

    /// What is looked at; nil for records.
    var mode: Mode? { overlap ? .overlap : report ? .report : nil }

    func validate() throws {
        if overlap && report { throw ValidationError("--overlap and --report exclude each other") }
        if map != nil && !overlap { throw ValidationError("--map is for --overlap") }
        if table && !overlap { throw ValidationError("--table is for --overlap") }
    }
}
