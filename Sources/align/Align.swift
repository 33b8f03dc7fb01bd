// align: the student's tokens and the teacher's scores in, the student's tokens with the teacher's losses out.

import ArgumentParser
import Command
import Streams
import Text

@main
struct Align: Tool {
    static let configuration = CommandConfiguration(
        commandName: "align",
        abstract: "Map each student token to the teacher tokens that cover its bytes, and bring the teacher's losses over.",
        discussion: """
            Both streams hold the same documents in the same order. A student token is mapped to the shortest run of \
            teacher tokens that covers its bytes; its teacher loss is an aggregate of their negative log-probabilities \
            in nats. A token that covers no byte, or whose teacher tokens have no score, is unmapped. With a teacher \
            stream without scores only the ranges are added. One of the two may be '-', standard input. With --overlap the \
            arguments are two vocabularies, which are compared.
            """)

    @Option(
        help: ArgumentHelp("How the losses of several teacher tokens become one: max, mean, sum, min, first or last.", valueName: "name"))
    var aggregate = Aggregate.max

    @Flag(help: "Write statistics of the alignment, one line of NDJSON, instead of the records.")
    var report = false

    @Flag(help: "Count what two vocabularies have in common, as written and by bytes; the arguments are files or folders of vocabularies.")
    var overlap = false

    @Option(
        help: ArgumentHelp(
            "With --overlap: file for the ids of byte-identical entries, a safetensors file (default: none).", valueName: "file"))
    var map: String?

    @Flag(help: "With --overlap: a table to read instead of NDJSON.")
    var table = false

    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    @Argument(help: ArgumentHelp("Token records of the student; with --overlap its vocabulary.", valueName: "student"))
    var student: String

    @Argument(help: ArgumentHelp("Score (or token) records of the teacher; with --overlap its vocabulary.", valueName: "teacher"))
    var teacher: String

    func validate() throws {
        if overlap && report { throw ValidationError("--overlap and --report exclude each other") }
        if map != nil && !overlap { throw ValidationError("--map is for --overlap") }
        if map == "-" && output.file.output == "-" { throw ValidationError("--map and the counts would both go to standard output") }
        if table && !overlap { throw ValidationError("--table is for --overlap") }
        if overlap { return }
        if student == "-" && teacher == "-" { throw ValidationError("only one of the two streams can be standard input") }
    }

    func run(_ context: Context) throws {
        if overlap { try compareVocabularies(context) } else { try alignStreams(context) }
    }

    private func compareVocabularies(_ context: Context) throws {
        let mapOutput = try map.map { try ByteOutput.file($0) }
        let destination = try output.open(text: true)
        let overlap = try OverlapReport(student: student, teacher: teacher)
        if let mapOutput { try overlap.writeMap(mapOutput) }
        if table { try destination.write(overlap.table) } else { try destination.write(overlap.lines) }
        try destination.close()
    }

    private func alignStreams(_ context: Context) throws {
        let students = try RecordReader(ByteInput.open(student), expecting: [.tokens, .scores, .aligned])
        let teachers = try RecordReader(ByteInput.open(teacher), expecting: [.scores, .tokens])
        let destination = try output.open(text: report)
        let progress = context.progress(unit: "tokens")
        var statistics = AlignmentStatistics()
        var alignment = StreamAlignment(students: students, teachers: teachers, aggregate: aggregate)
        if report {
            while let batch = try alignment.next(counting: &statistics) { progress.advance(batch.tokenCount) }
            try destination.write(reportLine(statistics, alignment))
            try destination.close()
        } else {
            let writer = try RecordWriter(destination, header: alignment.header(context), encoding: output.format)
            while let batch = try alignment.next(counting: &statistics) {
                try writer.write(batch)
                progress.advance(batch.tokenCount)
            }
            try writer.finish()
        }
        progress.finish()
        context.note("\(statistics.mapped) of \(statistics.tokens) tokens mapped, \(statistics.insideOne) inside one teacher token")
    }

    private func reportLine(_ statistics: AlignmentStatistics, _ alignment: StreamAlignment) -> [UInt8] {
        var line = JSONText()
        line.beginObject()
        line.member("documents", alignment.documents)
        line.member("student_tokens", statistics.tokens)
        line.member("teacher_tokens", alignment.teacherTokens)
        line.member("mapped_tokens", statistics.mapped)
        line.member("unmapped_tokens", statistics.unmapped)
        line.member("straddling_tokens", statistics.straddling)
        line.member("share_inside_one_teacher_token", statistics.shareInsideOne)
        line.member("share_identical_span", statistics.shareIdentical)
        line.member("mean_intersection_over_union", statistics.meanIntersectionOverUnion)
        line.endObject()
        line.newline()
        return line.bytes
    }
}

extension Aggregate: ExpressibleByArgument {}
