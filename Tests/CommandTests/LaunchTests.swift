// Exit statuses and messages of a tool, from arguments to status, with standard output and standard error caught.
import ArgumentParser
import Glibc
import Streams
import TestSupport
import XCTest

@testable import Command

/// Does what `--act` names.
private struct Probe: Tool {
    static let configuration = CommandConfiguration(commandName: "probe", abstract: "Tries the launcher.")
    static let versionDetails = ["library 1.2"]

    @Option var act = "nothing"
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var common: CommonOptions
    @Argument var files: [String] = []

    func run(_ context: Context) throws {
        switch act {
        case "write":
            let output = ByteOutput.standardOutput()
            try output.write("\(try context.inputs(files)) \(context.producer ?? "anonymous")\n")
            try output.close()
        case "note": context.note("two documents")
        case "refuse": throw Failure(.badData, "a.ndjson", .line(3), "expected a string", hint: "quote it")
        case "no": throw Failure(.answerIsNo, "a.ndjson", "2 records differ")
        case "misuse": throw ValidationError("Give --this or --that.")
        case "quiet": throw ExitCode(1)
        case "bug": throw Unforeseen()
        default: break
        }
    }
}

private struct Unforeseen: Error {}

private struct Group: Program {
    static let configuration = CommandConfiguration(commandName: "group", subcommands: [Probe.self])
}

final class LaunchTests: XCTestCase {
    func testDoneIsSilent() throws {
        let run = try launch(Probe.self, [])
        XCTAssertEqual(run, Run(status: 0, output: "", errors: ""))
    }

    func testFailureIsOneLineAndAHint() throws {
        let run = try launch(Probe.self, ["--act", "refuse"])
        XCTAssertEqual(run, Run(status: 65, output: "", errors: "probe: a.ndjson:3: expected a string\n  hint: quote it\n"))
        let answer = try launch(Probe.self, ["--act", "no"])
        XCTAssertEqual(answer, Run(status: 1, output: "", errors: "probe: a.ndjson: 2 records differ\n"))
    }

    func testWrongUsageIs64() throws {
        for (arguments, message) in [
            (["--act", "misuse"], "give --this or --that"), (["--threads", "0"], "--threads must lie between 1 and 1024"),
            (["--act"], "missing value for '--act <act>'"),
        ] {
            let run = try launch(Probe.self, arguments)
            XCTAssertEqual(run, Run(status: 64, output: "", errors: "probe: \(message)\n  hint: see 'probe --help'\n"))
        }
        let unknown = try launch(Probe.self, ["--nonsense"])
        XCTAssertEqual(unknown.status, 64)
        XCTAssertTrue(unknown.errors.hasPrefix("probe: unknown option '--nonsense'"), unknown.errors)
    }

    func testOtherErrorsAreBugs() throws {
        let run = try launch(Probe.self, ["--act", "bug"])
        XCTAssertEqual(run.status, 70)
        XCTAssertTrue(run.errors.hasPrefix("probe: bug: Unforeseen()\n"), run.errors)
        XCTAssertEqual(try launch(Probe.self, ["--act", "quiet"]), Run(status: 1, output: "", errors: ""))
    }

    func testHelpAndVersionGoToStandardOutput() throws {
        let help = try launch(Probe.self, ["--help"])
        XCTAssertEqual(help.status, 0)
        XCTAssertEqual(help.errors, "")
        XCTAssertTrue(help.output.contains("USAGE: probe"), help.output)
        // Also where a required option is missing or wrong.
        let version = try launch(Probe.self, ["--act", "--version"])
        XCTAssertEqual(version.status, 0)
        XCTAssertTrue(version.output.hasPrefix("probe (preceptor) \(Command.version)\ncommit "), version.output)
        XCTAssertTrue(version.output.hasSuffix("\nlibrary 1.2\n"), version.output)
        // After '--' it is a file's name.
        XCTAssertEqual(try launch(Probe.self, ["--", "--version"]).output, "")
    }

    func testFullOutputIs74() throws {
        for arguments in [["--help"], ["--version"], ["--act", "write", "x"]] {
            let run = try launch(Probe.self, arguments, output: "/dev/full")
            XCTAssertEqual(run.status, 74)
            XCTAssertEqual(run.errors, "probe: <stdout>: cannot write: No space left on device\n")
        }
    }

    func testGroups() throws {
        let none = try launch(Group.self, [])
        XCTAssertEqual(none.status, 64)
        XCTAssertEqual(none.errors, "group: a command is missing: expected probe\n  hint: see 'group --help'\n")
        let unknown = try launch(Group.self, ["prob", "--act", "x"])
        XCTAssertEqual(unknown.errors, "group: no command 'prob': expected probe\n  hint: see 'group --help'\n")
        let misspelt = try launch(Group.self, ["probe", "--threds", "0", "--act"])
        XCTAssertEqual(
            misspelt.errors, "group: unknown option '--threds'. Did you mean '--threads'?\n  hint: see 'group probe --help'\n")
        let wrong = try launch(Group.self, ["probe", "--act"])
        XCTAssertEqual(
            wrong, Run(status: 64, output: "", errors: "group: missing value for '--act <act>'\n  hint: see 'group probe --help'\n"))
        XCTAssertEqual(try launch(Group.self, ["probe", "--act", "no"]).errors, "group: a.ndjson: 2 records differ\n")
    }

    func testContext() throws {
        let run = try launch(Probe.self, ["--act", "write", "a b", "-"])
        XCTAssertEqual(run.output, "[\"a b\", \"-\"] preceptor probe \(Command.version) --act write 'a b' -\n")
        XCTAssertEqual(try launch(Probe.self, ["--act", "write", "--no-provenance", "a"]).output, "[\"a\"] anonymous\n")
        let twice = try launch(Probe.self, ["--act", "write", "-", "-"])
        XCTAssertEqual(twice.errors, "probe: standard input ('-') is named twice\n  hint: see 'probe --help'\n")
        XCTAssertEqual(try launch(Probe.self, ["--act", "note"]).errors, "")
        XCTAssertEqual(try launch(Probe.self, ["--act", "note", "--verbose"]).errors, "probe: two documents\n")
    }
}

private struct Run: Equatable {
    var status: Int32
    var output: String
    var errors: String
}

/// Runs a program in this process with descriptors 1 and 2 sent to files.
private func launch(_ program: any Program.Type, _ arguments: [String], output: String? = nil) throws -> Run {
    let scratch = ScratchFolder()
    let paths = [output ?? scratch("output"), scratch("errors")]
    fflush(nil)
    let kept = [dup(STDOUT_FILENO), dup(STDERR_FILENO)]
    for (descriptor, path) in paths.enumerated() {
        let file = open(path, O_WRONLY | O_CREAT, 0o600)
        dup2(file, Int32(descriptor) + 1)
        close(file)
    }
    let status = Launch.run(program, arguments: arguments)
    for (descriptor, copy) in kept.enumerated() {
        dup2(copy, Int32(descriptor) + 1)
        close(copy)
    }
    func text(_ path: String) throws -> String {
        String(decoding: try ByteInput.open(path).rest(limit: 1 << 20), as: UTF8.self)
    }
    return Run(status: status, output: output == nil ? try text(paths[0]) : "", errors: try text(paths[1]))
}
