// The options that say how records are aligned.

import ArgumentParser
import Text

/// How tokens are mapped, and what is brought over.
struct AlignmentOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("How the losses of several teacher tokens become one: max, mean, sum, min, first or last.", valueName: "name"))
    var aggregate = Aggregate.max

    @Flag(
        help: "Add the number of each token's group between boundaries that both sequences have, and the teacher's log-probability of it.")
    var groups = false

    @Flag(help: "Add the teacher's lists of probable tokens as they are to the tokens that begin where one of the teacher's does.")
    var lists = false

    @Option(
        help: ArgumentHelp(
            "Map by position instead of by bytes: both sequences are cut into so many chunks (default: by bytes).", valueName: "n"))
    var chunks: Int?

    @Option(
        help: ArgumentHelp(
            "Several teachers: min or mean of a token's losses, or document: for each document the teacher with the fewest nats per byte.",
            valueName: "how"))
    var teachers = TeacherChoice.min

    @Option(
        help: ArgumentHelp(
            "Vocabulary of the student, to carry the teacher's most probable tokens over (default: they are not).", valueName: "path"),
        completion: .file())
    var studentTokenizer: String?

    @Option(
        help: ArgumentHelp(
            "Vocabulary of the teacher, for the same; once for each teacher, in their order (default: none).", valueName: "path"),
        completion: .file())
    var teacherTokenizer: [String] = []

    func validate() throws {
        if let chunks, !(1..<1 << 31).contains(chunks) { throw ValidationError("--chunks must lie between 1 and 2147483647") }
        if studentTokenizer == nil && !teacherTokenizer.isEmpty { throw ValidationError("--teacher-tokenizer needs --student-tokenizer") }
        if studentTokenizer != nil && teacherTokenizer.isEmpty { throw ValidationError("--student-tokenizer needs --teacher-tokenizer") }
    }

    /// - teachers: how many there are.
    func check(teachers count: Int) throws {
        if lists && count > 1 && teachers != .document {
            throw ValidationError("the lists of several teachers can be added only with --teachers document")
        }
        guard !teacherTokenizer.isEmpty else { return }
        if count > 1 && teachers != .document {
            throw ValidationError("the tokens of several teachers can be carried over only with --teachers document")
        }
        if teacherTokenizer.count != count {
            throw ValidationError("--teacher-tokenizer is given \(teacherTokenizer.count) times for \(count) teachers")
        }
    }
}

/// What becomes of the losses of several teachers.
enum TeacherChoice: String, CaseIterable, ExpressibleByArgument {
    case min, mean, document
}

extension Aggregate: ExpressibleByArgument {}
