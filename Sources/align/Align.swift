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
            All streams hold the same documents in the same order. A student token is mapped to the shortest run of \
            teacher tokens that covers its bytes; its teacher loss is an aggregate of their negative log-probabilities \
            in nats. A token that covers no byte, or whose teacher tokens have no score, is unmapped. With a teacher \
            stream without scores only the ranges are added. One of the streams may be '-', standard input. With --overlap the \
            arguments are two vocabularies, which are compared.
            """)

    @OptionGroup var alignment: AlignmentOptions
    @OptionGroup var look: LookOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    @Argument(help: ArgumentHelp("Token records of the student; with --overlap its vocabulary.", valueName: "student"), completion: .file())
    var student: String

    @Argument(
        help: ArgumentHelp("Score (or token) records of the teacher, or of several; with --overlap its vocabulary.", valueName: "teacher"),
        completion: .file())
    var teacherPaths: [String]

    func validate() throws {
        if look.map == "-" && output.file.output == "-" { throw ValidationError("--map and the counts would both go to standard output") }
        if look.mode == .overlap {
            if teacherPaths.count > 1 { throw ValidationError("--overlap compares two vocabularies") }
            return
        }
        if ([student] + teacherPaths + [look.text ?? ""]).count(where: { $0 == "-" }) > 1 {
            throw ValidationError("only one of the streams can be standard input")
        }
        if teacherPaths.count > 1 && (look.show != nil || look.html != nil) { throw ValidationError("--show and --html draw one teacher") }
        try alignment.check(teachers: teacherPaths.count)
    }

    func run(_ context: Context) throws {
        switch look.mode {
        case .overlap: try compareVocabularies()
        case let mode?: try lookAtStreams(mode, context)
        case nil: try writeRecords(context)
        }
    }

    private func compareVocabularies() throws {
        let mapOutput = try look.map.map { try ByteOutput.file($0) }
        let destination = try output.open(text: true)
        let overlap = try OverlapReport(student: student, teacher: teacherPaths[0])
        if let mapOutput { try overlap.writeMap(mapOutput) }
        if look.table { try destination.write(overlap.table) } else { try destination.write(overlap.lines) }
        try destination.close()
    }

    private func openStreams() throws -> (student: RecordReader, teachers: [RecordReader]) {
        let students = try RecordReader(ByteInput.open(student), expecting: [.tokens, .scores, .aligned])
        return (students, try teacherPaths.map { try RecordReader(ByteInput.open($0), expecting: [.scores, .tokens]) })
    }

    private func lookAtStreams(_ mode: LookOptions.Mode, _ context: Context) throws {
        let streams = try openStreams()
        let aligned = try StreamAlignment(students: streams.student, teachers: streams.teachers, options: alignment)
        let looking = try Looking(aligned, look, context)
        switch mode {
        case .show(let id): try looking.show(id, to: output.open(text: true))
        case .html(let path): try looking.writePage(to: ByteOutput.file(path))
        default: try looking.report(to: output.open(text: true))
        }
    }

    private func writeRecords(_ context: Context) throws {
        let streams = try openStreams()
        let destination = try output.open()
        let progress = context.progress(unit: "tokens")
        var aligned = try StreamAlignment(students: streams.student, teachers: streams.teachers, options: alignment)
        let writer = try RecordWriter(destination, header: aligned.header(context), encoding: output.format)
        while let batch = try aligned.next() {
            try writer.write(batch)
            progress.advance(batch.tokenCount)
        }
        try writer.finish()
        progress.finish()
        for (name, teacher) in zip(teacherPaths, aligned.teachers) {
            let counts = teacher.statistics
            context.note("\(counts.mapped) of \(counts.tokens) tokens mapped to \(name), \(counts.insideOne) inside one teacher token")
        }
    }
}
