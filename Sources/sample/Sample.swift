// sample: scores of a teacher and of a reference model in, the part of the corpus that the teacher predicts much better out.

import ArgumentParser
import Command
import Selection
import Streams
import Text

@main
struct Sample: Tool {
    static let configuration = CommandConfiguration(
        commandName: "sample",
        abstract: "Keep the part of a corpus that a teacher predicts much better than a small reference model does.",
        discussion: """
            Difference sampling: each document or packed chunk is ranked by r, the reference's mean loss minus the teacher's, in \
            nats per token, and the best are kept in the order of the corpus, byte for byte. Both streams of scores hold the \
            same texts in the same order and one vocabulary. The corpus is the text that was scored, or any stream of records \
            over it. What is remembered of each unit goes to a temporary file where --memory is too small for it.
            """)

    @Option(help: ArgumentHelp("Score records of the teacher.", valueName: "stream"), completion: .file())
    var teacher: String

    @Option(help: ArgumentHelp("Score records of the reference model, over the same tokens.", valueName: "stream"), completion: .file())
    var reference: String

    @OptionGroup var selection: SelectionOptions

    @Flag(help: "Write a line of NDJSON for every unit, kept or not, instead of the corpus; none needs to be named then.")
    var scoresOnly = false

    @OptionGroup var report: ReportOptions
    @OptionGroup var trust: TrustOptions
    @OptionGroup var store: StoreOptions

    @Option(help: ArgumentHelp("Key of a record's text in the corpus.", valueName: "key"))
    var textKey = "text"

    @Option(help: ArgumentHelp("Key of a record's id in the corpus; the record's number where it is absent.", valueName: "key"))
    var idKey = "id"

    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    @Argument(
        help: ArgumentHelp("The corpus, text or records, in the order that was scored; '-' or none is standard input.", valueName: "file"),
        completion: .file())
    var files: [String] = []

    func validate() throws {
        guard ([teacher, reference] + files).count(where: { $0 == "-" }) <= 1 else {
            throw ValidationError("standard input ('-') can be only one of the teacher, the reference and the corpus")
        }
        if files.isEmpty, !scoresOnly, teacher == "-" || reference == "-" {
            throw ValidationError("standard input is the scores: name the corpus, or use --scores-only")
        }
        for (name, value) in [("--source-key", report.sourceKey), ("--tokenizer", report.tokenizer)] {
            if value != nil, files.isEmpty, scoresOnly { throw ValidationError("\(name) needs the corpus") }
        }
        if report.paths.contains("-"), output.file.output == "-" {
            throw ValidationError("--report and the kept records cannot both go to standard output: use -o")
        }
    }

    func run(_ context: Context) throws {
        var pairs = try ScorePairs(teacher: teacher, reference: reference, unit: selection.unit, trust: trust)
        let corpus = try openCorpus(context, pairs)
        let lines = try scoresOnly ? UnitLines(output.open(text: true)) : nil
        let reports = try ReportFiles(report)
        let units = try RankedUnits(&pairs, selection, store, context.progress(unit: "tokens scored"))
        if let warning = units.warning { Diagnostics.write("sample: \(warning)") }
        var kept = try units.selected(selection.goal(units))
        let diagnosis = Diagnosis(report, selection, pairs, units)
        let progress = context.progress(unit: pairs.unit.plural, total: units.count)
        while let unit = try kept.next() {
            if let corpus { try corpus.take(unit) }
            try lines?.write(unit)
            if reports.areWanted { try diagnosis.add(unit, corpus) }
            progress.advance(1)
        }
        try corpus?.expectEnd()
        try reports.write(diagnosis)
        try lines?.finish()
        try corpus?.finish()
        try reports.close()
        progress.finish()
        context.note(kept.summary(pairs.unit))
    }

    /// The corpus with its output opened, before the scores are read; nil where none is wanted.
    private func openCorpus(_ context: Context, _ pairs: ScorePairs) throws -> (any Corpus)? {
        if scoresOnly && files.isEmpty { return nil }
        let inputs = try context.inputs(files)
        let first = try ByteInput.open(inputs[0])
        switch try CorpusKind(first, textKey: textKey) {
        case .text:
            guard pairs.unit == .document else {
                throw Failure(
                    .badData, first.name, "text, but the scores are of packed chunks",
                    hint: "give the packed tokens that were scored; 'tokenize --decode' makes text of those that are kept")
            }
            if report.tokenizer != nil { throw ValidationError("--tokenizer is for a corpus of records: \(first.name) holds text") }
            let options = TextCorpus.Options(textKey: textKey, idKey: idKey, sourceKey: report.sourceKey)
            return try TextCorpus(inputs, first, options, output: scoresOnly ? nil : output.open(text: true))
        case .records:
            if report.sourceKey != nil { throw ValidationError("--source-key is for a corpus of text: \(first.name) holds records") }
            let corpus = try RecordCorpus(inputs, first, pairs, tokenizer: report.tokenizer.map { try Tokenizer.load($0) })
            if !scoresOnly { try corpus.open(output, producer: context.producer) }
            return corpus
        }
    }
}
