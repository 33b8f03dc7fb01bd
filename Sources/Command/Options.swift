// Options that several tools share, in groups: a tool takes those that mean something to it.
import ArgumentParser
import Glibc
import Streams

/// What every tool takes.
public struct CommonOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Progress line on standard error: auto (on a terminal), always or never.", valueName: "when"))
    public var progress = ProgressMode.auto

    @Flag(help: "Say on standard error what was done.")
    public var verbose = false

    @Flag(help: "Leave out of the output what varies between runs: names, arguments and times.")
    public var noProvenance = false

    /// For `--help` only: `Launch` answers it before it parses, so that it works where a required option is missing.
    @Flag(help: "Show the version, what it was built from and what it runs on.")
    var version = false

    public init() {}
}

/// How many threads compute.
public struct ThreadOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Threads; results do not depend on it. (default: the processors available)", valueName: "n"))
    var threads: Int?

    /// Threads to compute with.
    public var count: Int { count(of: availableProcessors()) }

    /// The same where this process has only `processors` for itself.
    public func count(of processors: Int) -> Int { threads ?? min(processors, ThreadOptions.limit) }

    private static let limit = 1024

    public init() {}

    public mutating func validate() throws {
        if let threads, !(1...ThreadOptions.limit).contains(threads) {
            throw ValidationError("--threads must lie between 1 and \(ThreadOptions.limit)")
        }
    }
}

/// What to do with a record that is refused.
public enum OnError: String, CaseIterable, Sendable, ExpressibleByArgument {
    case fail, skip
}

/// How bad records of a corpus are met.
public struct RejectOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A bad record: fail, or skip it, go on, and end with status 1.", valueName: "what"))
    public var onError = OnError.fail

    @Option(
        help: ArgumentHelp("File for the lines that are skipped, unchanged (default: none; needed by --on-error skip).", valueName: "file"),
        completion: .file())
    public var rejects: String?

    @Option(help: ArgumentHelp("Longest line of the input.", valueName: "n"))
    public var maxLineBytes = CorpusReader.longestLine

    public init() {}

    public mutating func validate() throws {
        if onError == .skip && rejects == nil { throw ValidationError("--on-error skip needs --rejects FILE for the lines that it skips") }
        try checkNamedOnce(rejects, option: "--rejects")
        if onError == .fail && rejects != nil { throw ValidationError("--rejects is for --on-error skip") }
        guard (1...(1 << 31)).contains(maxLineBytes) else { throw ValidationError("--max-line-bytes must lie between 1 and 2147483648") }
    }
}

/// Where a report goes.
public struct FileOptions: ParsableArguments {
    @Option(
        name: [.customShort("o"), .long],
        help: ArgumentHelp("Output file, written whole or not at all; '-' is standard output.", valueName: "file"), completion: .file())
    public var output = "-"

    public init() {}

    public func validate() throws { try checkNamedOnce(output, option: "--output") }

    /// Throws `Failure.cannotCreate` (73).
    public func open() throws -> ByteOutput {
        try output == "-" ? .standardOutput() : .file(output)
    }
}

/// Where records go, and in which encoding.
public struct OutputOptions: ParsableArguments {
    @OptionGroup public var file: FileOptions

    @Option(help: ArgumentHelp("Encoding of the records: tensor or ndjson.", valueName: "name"))
    public var format = RecordEncoding.tensor

    @Flag(help: "Write binary records to a terminal.")
    public var force = false

    public init() {}

    /// Throws a usage error where binary records would go to a terminal; `text` says that text goes there, whatever `format` is.
    public func open(text: Bool = false) throws -> ByteOutput {
        if file.output == "-" && format == .tensor && !text && !force && Descriptors.isTerminal(STDOUT_FILENO) {
            throw ValidationError("binary records would go to the terminal: redirect them, or use --format ndjson, -o or --force")
        }
        return try file.open()
    }
}

/// What a scoring model sees of a document.
public struct WindowOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Beginning-of-sequence token before each document: auto (as the model's files say), always or never.", valueName: "when"))
    public var bos = SpecialTokenPolicy.auto

    @Option(help: ArgumentHelp("Tokens that the model reads at once (default: its own limit).", valueName: "n"))
    public var window: Int?

    @Option(help: ArgumentHelp("New tokens in each further window of a longer document (default: half the window).", valueName: "n"))
    public var stride: Int?

    public init() {}

    public mutating func validate() throws {
        if let window, window < 2 { throw ValidationError("--window must be at least 2") }
        if let stride, stride < 1 { throw ValidationError("--stride must be at least 1") }
        if let window, let stride, stride > window { throw ValidationError("--stride must not exceed --window") }
    }
}

extension RecordEncoding: ExpressibleByArgument {}
extension SpecialTokenPolicy: ExpressibleByArgument {}
