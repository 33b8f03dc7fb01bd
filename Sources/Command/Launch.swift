// From arguments to an exit status: parsing, running, and the one voice in which tools fail.
import ArgumentParser
import Glibc
import Streams

/// Exit statuses beyond those of `Failure`.
enum ExitStatus {
    static let usage: Int32 = 64
    static let bug: Int32 = 70
}

enum Launch {
    /// Parses, runs, reports on standard error, and returns the exit status.
    static func run(_ program: any Program.Type, arguments: [String]) -> Int32 {
        do {
            if asksForVersion(arguments) { return printed(versionText(of: program), program) }
            var command = try parsed(program, program.expanded(arguments))
            guard var tool = command as? any Tool else {
                try command.run()
                return 0
            }
            if tool.savesStateWhenStopped { Signals.stopOnRequest() }
            try tool.run(Context(tool: program._commandName, options: tool.common, arguments: arguments))
            return 0
        } catch {
            return report(error, program)
        }
    }

    /// The program or its subcommand with its options. Throws `Misuse` where that says more than ArgumentParser's own error.
    private static func parsed(_ program: any Program.Type, _ arguments: [String]) throws -> any ParsableCommand {
        do {
            let command = try program.parseAsRoot(arguments)
            // A group without a subcommand would print its help and succeed; nothing was done, so that is no success.
            if !(command is any Tool), type(of: command) == program, let misuse = Misuse.found(in: arguments, of: program) { throw misuse }
            return command
        } catch {
            guard program.exitCode(for: error).rawValue == ExitStatus.usage else { throw error }
            throw Misuse.found(in: arguments, of: program) ?? error
        }
    }

    /// `--version` counts wherever an option may stand, as `--help` does, also where a required option is missing.
    private static func asksForVersion(_ arguments: [String]) -> Bool {
        arguments.prefix { $0 != "--" }.contains("--version")
    }

    /// Prints what an error has to say where it belongs, and returns its exit status.
    static func report(_ error: any Error, _ program: any Program.Type) -> Int32 {
        let tool = program._commandName
        if let failure = error as? Failure {
            Diagnostics.write("\(tool): \(failure)", hint: failure.hint)
            return failure.status.rawValue
        }
        if let misuse = error as? Misuse {
            Diagnostics.write("\(tool): \(misuse.message)", hint: "see '\(misuse.command) --help'")
            return ExitStatus.usage
        }
        let status = program.exitCode(for: error).rawValue
        if status == 0 { return printed(program.message(for: error), program) }
        if status == ExitStatus.usage {
            let (line, hint) = usage(program.message(for: error), full: program.fullMessage(for: error), tool: tool)
            Diagnostics.write(line, hint: hint)
            return status
        }
        if error is ExitCode { return status }
        Diagnostics.write("\(tool): bug: \(error)", hint: "please report this line with the command that led to it")
        return ExitStatus.bug
    }

    /// Help, version and the like, on standard output with every write checked.
    private static func printed(_ text: String, _ program: any Program.Type) -> Int32 {
        do {
            let output = ByteOutput.standardOutput()
            try output.write(text.hasSuffix("\n") ? text : text + "\n")
            try output.close()
            return 0
        } catch {
            return report(error, program)
        }
    }

    /// Wrong usage in the voice of all messages: one line in lower case without a full stop, then where to read more.
    ///
    /// `full` is ArgumentParser's text with "See 'tool sub --help' for more information." at its end, which knows the subcommand.
    static func usage(_ message: String, full: String, tool: String) -> (line: String, hint: String) {
        var line = message.split(separator: "\n").joined(separator: " ")
        while line.hasSuffix(".") { line.removeLast() }
        if let first = line.first, let second = line.dropFirst().first, second.isLowercase || second == " " {
            line.replaceSubrange(line.startIndex...line.startIndex, with: first.lowercased())
        }
        var help = "\(tool) --help"
        if let last = full.split(separator: "\n").last?.drop(while: { $0 == " " }), last.hasPrefix("See '"),
            let close = last.lastIndex(of: "'")
        {
            help = String(last.dropFirst(5).prefix(upTo: close))
        }
        return ("\(tool): \(line)", "see '\(help)'")
    }
}
