// What a running tool knows of its surroundings: its name, its inputs, where notes and progress go.
import ArgumentParser
import Glibc
import Streams

/// The surroundings of one run.
public struct Context {
    public let tool: String
    /// Whether what varies between runs (names, arguments, times) may go into the output.
    public let provenance: Bool
    private let verbose: Bool
    private let progressMode: ProgressMode
    private let arguments: [String]

    public init(tool: String, options: CommonOptions, arguments: [String]) {
        self.tool = tool
        provenance = !options.noProvenance
        verbose = options.verbose
        progressMode = options.progress
        self.arguments = arguments
    }

    /// Who makes an output, "preceptor tokenize 0.1.0 --tokenizer folder corpus.ndjson"; nil without provenance.
    public var producer: String? {
        guard provenance else { return nil }
        return (["preceptor", tool, version] + arguments.map(shellQuoted)).joined(separator: " ")
    }

    /// The inputs that were named, or standard input where none was.
    ///
    /// Throws a usage error where none was and standard input is a terminal: nobody meant to type records; and where
    /// standard input ("-") is named twice: it can be read once.
    public func inputs(_ named: [String]) throws -> [String] {
        if named.count(where: { $0 == "-" }) > 1 { throw ValidationError("standard input ('-') is named twice") }
        if !named.isEmpty { return named }
        guard !Descriptors.isTerminal(STDIN_FILENO) else {
            throw ValidationError("nothing to read: name a file, pipe something in, or give '-' to type it")
        }
        return ["-"]
    }

    /// The one input that was named, or standard input; see `inputs`.
    public func input(_ named: String?) throws -> String {
        try inputs(named.map { [$0] } ?? [])[0]
    }

    /// A line for those who asked for them with `--verbose`.
    public func note(_ text: @autoclosure () -> String) {
        if verbose { Diagnostics.write("\(tool): \(text())") }
    }

    /// Progress in a unit such as "tokens", shown as `--progress` asks.
    public func progress(unit: String, total: Int? = nil) -> Progress {
        Progress(tool: tool, unit: unit, total: total, mode: progressMode)
    }
}

/// A word as one would type it in a shell.
func shellQuoted(_ word: String) -> String {
    let plain = word.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case 0x80...0xFF: true
        default: "-_./=,:+@%".utf8.contains(byte)
        }
    }
    if plain, !word.isEmpty { return word }
    return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
}
