// The one main of all tools: parse, run, and turn what went wrong into one line and an exit status.

import ArgumentParser
import Glibc
import Streams

/// A program of the suite, or one of its subcommands.
public protocol Tool: ParsableCommand {
    var common: CommonOptions { get }

    /// Whether a first SIGTERM, SIGINT, SIGHUP or SIGUSR1 only raises `Signals.stopRequested`, for tools that save their state.
    static var savesStateWhenStopped: Bool { get }

    /// Lines that `--version` adds, such as the BLAS library in use.
    static var versionDetails: [String] { get }

    /// Does the work. Throws a `Failure` for bad input or environment, a `ValidationError` for wrong usage.
    func run(_ context: Context) throws
}

extension Tool {
    public static var savesStateWhenStopped: Bool { false }
    public static var versionDetails: [String] { [] }

    public static func main() {
        toolMain(Self.self)
    }
}

/// Runs the program whose root command this is, and ends the process with its status.
///
/// 0 done, 1 the answer is no, 64 usage, 65 bad data, 66 cannot open, 70 bug, 73 cannot create, 74 input/output error,
/// 75 stopped with the state saved. SIGPIPE ends the process silently, as it does `cat`.
public func toolMain<Root: ParsableCommand>(_ root: Root.Type) -> Never {
    Signals.prepareProcess()
    let name = Root.configuration.commandName ?? Root._commandName
    let arguments = Array(CommandLine.arguments.dropFirst())
    do {
        if arguments.prefix(while: { $0 != "--" }).contains("--version") {
            try printToStandardOutput(versionText(name, details: (root as? any Tool.Type)?.versionDetails ?? []))
            exit(0)
        }
        var command = try Root.parseAsRoot(arguments)
        guard let tool = command as? any Tool else {
            try command.run()
            exit(0)
        }
        Signals.install(savingState: type(of: tool).savesStateWhenStopped)
        try tool.run(Context(tool: name, options: tool.common, arguments: arguments))
        exit(0)
    } catch {
        exit(report(error, tool: name, root: root))
    }
}

/// Prints what went wrong and returns the exit status.
private func report<Root: ParsableCommand>(_ error: any Error, tool: String, root: Root.Type) -> Int32 {
    if let failure = error as? Failure {
        Diagnostics.write("\(tool): \(failure)", hint: failure.hint)
        return failure.status.rawValue
    }
    let code = Root.exitCode(for: error)
    if code == .success {
        do {
            try printToStandardOutput(Root.fullMessage(for: error) + "\n")
            return 0
        } catch {
            return report(error, tool: tool, root: root)
        }
    }
    if code == .validationFailure {
        Diagnostics.write("\(tool): \(Root.message(for: error))", hint: "'\(tool) --help' lists the options")
        return code.rawValue
    }
    Diagnostics.write("\(tool): bug: \(error)")
    return 70
}

private func printToStandardOutput(_ text: String) throws {
    let output = ByteOutput.standardOutput()
    try output.write(text)
    try output.close()
}
