// Bad input or environment: the one error type that reaches a user.

/// What went wrong with a file, a stream or the machine, with its place and its cure.
///
/// `Command` prints it as one line, `tool: subject:place: message`, then the hint, and exits with `status`.
/// A bug is not a `Failure` (it traps), nor is wrong usage (a `ValidationError`).
public struct Failure: Error, Equatable, CustomStringConvertible {
    /// Exit statuses (sysexits.h where one fits).
    public enum Status: Int32, Sendable {
        case answerIsNo = 1
        case badData = 65
        case cannotOpen = 66
        case cannotCreate = 73
        case inputOutput = 74
        case stopped = 75
    }

    /// Where in the subject.
    public enum Place: Equatable, Sendable {
        case whole
        case line(Int)
        case lineByte(line: Int, byte: Int)
        case byte(Int)
        case record(Int, byte: Int)
    }

    public var status: Status
    /// The file as the user named it, "<stdin>", or a quoted name inside a file.
    public var subject: String
    public var place: Place
    public var message: String
    public var hint: String?

    /// The hint for a file that ends too early.
    public static let cutHint = "the download may not have finished"

    public init(_ status: Status, _ subject: String, _ place: Place, _ message: String, hint: String? = nil) {
        self.status = status
        self.subject = subject
        self.place = place
        self.message = message
        self.hint = hint
    }

    /// A failure of the subject as a whole.
    public init(_ status: Status, _ subject: String, _ message: String, hint: String? = nil) {
        self.init(status, subject, .whole, message, hint: hint)
    }

    /// `subject:place: message`, without the tool's name and the hint.
    public var description: String {
        switch place {
        case .whole: "\(subject): \(message)"
        case .line(let line): "\(subject):\(line): \(message)"
        case .lineByte(let line, let byte): "\(subject):\(line): byte \(byte): \(message)"
        case .byte(let byte): "\(subject): byte \(byte): \(message)"
        case .record(let record, let byte): "\(subject): record \(record) at byte \(byte): \(message)"
        }
    }
}
