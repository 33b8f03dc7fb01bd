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

    /// Program, version and arguments for a stream's header; nil without provenance.
    public var producer: String? {
        provenance ? ([tool, version] + arguments).joined(separator: " ") : nil
    }

    /// The inputs that were named, or standard input where none was.
    ///
    /// Throws a usage error where none was and standard input is a terminal: nobody meant to type records.
    public func inputs(_ named: [String]) throws -> [String] {
        if !named.isEmpty { return named }
        guard isatty(0) == 0 else {
            throw ValidationError("nothing to read: name a file, or pipe something in")
        }
        return ["-"]
    }

    public func input(_ named: String?) throws -> String {
        try inputs(named.map { [$0] } ?? [])[0]
    }

    /// A line for those who asked for them with `--verbose`.
    public func note(_ text: @autoclosure () -> String) {
        if verbose { Diagnostics.write("\(tool): \(text())") }
    }

    /// Progress in a unit such as "tokens", shown as `--progress` asks.
    public func progress(unit: String, total: Int? = nil) -> Progress {
        let shown = progressMode == .always || (progressMode == .auto && isatty(2) == 1)
        return Progress(tool: tool, unit: unit, total: total, shown: shown)
    }
}
