// A tool: options parsed by ArgumentParser, and the one way in which all tools start and end.
import ArgumentParser
import CSystem
import Glibc
import Streams

/// A program of the suite: a tool, or a group of subcommands each of which is a `Tool`.
public protocol Program: ParsableCommand {
    /// Lines that `--version` adds, such as the BLAS library in use.
    static var versionDetails: [String] { get }

    /// The arguments to parse, from those that were typed: a tool may put in what a file says. Throws as `Tool.run` does.
    static func expanded(_ arguments: [String]) throws -> [String]
}

/// A program, or one of its subcommands, that does work: options, open, loop, summary.
public protocol Tool: Program {
    var common: CommonOptions { get }

    /// Whether a first SIGTERM, SIGINT, SIGHUP or SIGUSR1 only raises `Signals.stopRequested`, for tools that save their state.
    var savesStateWhenStopped: Bool { get }

    /// Does the work and closes its outputs, so that a failure of the last write is the tool's failure.
    ///
    /// Throws a `Failure` for bad input or environment, a `ValidationError` for wrong usage.
    mutating func run(_ context: Context) throws
}

extension Program {
    /// Prints an error as the end of the program does, and returns its exit status: for a tool that must end in another way.
    public static func report(_ error: any Error) -> Int32 { Launch.report(error, Self.self) }

    public static var versionDetails: [String] { [] }

    public static func expanded(_ arguments: [String]) throws -> [String] { arguments }

    /// Runs the program with this process's arguments and ends the process with its status.
    ///
    /// 0 done, 1 the answer is no, 64 usage, 65 bad data, 66 cannot open, 70 bug, 73 cannot create, 74 input/output error,
    /// 75 stopped with the state saved. SIGPIPE ends the process silently, as it does `cat`.
    public static func main() {
        Descriptors.fillClosed()
        Signals.install()
        CutFiles.install(tool: _commandName)
        preceptor_watch_stack()
        let status = Launch.run(Self.self, arguments: Array(CommandLine.arguments.dropFirst()))
        TemporaryFiles.removeAll()
        Glibc.exit(status)
    }
}

extension Tool {
    public var savesStateWhenStopped: Bool { false }
}
