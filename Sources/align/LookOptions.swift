// The options that say what to look at instead of writing aligned records.

import ArgumentParser
import Command

/// Reports and drawings.
struct LookOptions: ParsableArguments {
    @Flag(help: "Write statistics of the alignment and its worst places, a line of NDJSON for each teacher, instead of the records.")
    var report = false

    @Option(
        help: ArgumentHelp("Draw the two segmentations of the document with this id above each other (default: none).", valueName: "id"))
    var show: String?

    @Option(
        help: ArgumentHelp(
            "Draw the segmentations of the first documents on an HTML page that needs no other file (default: none).", valueName: "file"),
        completion: .file())
    var html: String?

    @Option(
        help: ArgumentHelp(
            "Corpus of the streams, needed by --show and --html; with --report, for words and numerals (default: none).", valueName: "file"),
        completion: .file())
    var text: String?

    @Option(help: ArgumentHelp("With --report: how many of the worst places to list.", valueName: "n"))
    var examples = 10

    @Option(help: ArgumentHelp("With --html: how many documents to draw.", valueName: "n"))
    var documents = 100

    @Flag(help: "Count what two vocabularies have in common, as written and by bytes; the arguments are files or folders of vocabularies.")
    var overlap = false

    @Option(
        help: ArgumentHelp(
            "With --overlap: file for the ids of byte-identical entries, a safetensors file (default: none).", valueName: "file"),
        completion: .file())
    var map: String?

    @Flag(help: "With --report or --overlap: a table to read instead of NDJSON.")
    var table = false

    enum Mode: Equatable {
        case report, overlap
        case show(String)
        case html(String)

        fileprivate var name: String {
            switch self {
            case .report: "--report"
            case .overlap: "--overlap"
            case .show: "--show"
            case .html: "--html"
            }
        }
    }

    private var modes: [Mode] {
        (overlap ? [.overlap] : []) + (report ? [.report] : []) + (show.map { [.show($0)] } ?? []) + (html.map { [.html($0)] } ?? [])
    }

    /// What is looked at; nil for records.
    var mode: Mode? { modes.first }

    func validate() throws {
        try checkNamedOnce(html, option: "--html")
        try checkNamedOnce(map, option: "--map")
        if modes.count > 1 { throw ValidationError("\(modes[0].name) and \(modes[1].name) exclude each other") }
        if map != nil && !overlap { throw ValidationError("--map is for --overlap") }
        if table && !overlap && !report { throw ValidationError("--table is for --report and --overlap") }
        if (show != nil || html != nil) && text == nil { throw ValidationError("\(modes[0].name) needs --text, the corpus of the streams") }
        if text != nil && (mode == nil || overlap) { throw ValidationError("--text is for --report, --show and --html") }
        if !(0...10_000).contains(examples) { throw ValidationError("--examples must lie between 0 and 10000") }
        if documents < 1 { throw ValidationError("--documents must be at least 1") }
    }
}
