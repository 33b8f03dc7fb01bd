// Options of sample in groups: what is kept, what is reported, whom to trust, where to remember.

import ArgumentParser
import Command
import Selection
import Streams

/// What is ranked: `--unit`.
enum Unit: String, CaseIterable, ExpressibleByArgument {
    case document, chunk

    var plural: String { rawValue + "s" }
}

/// How units are chosen: `--method`.
enum Method: String, CaseIterable, ExpressibleByArgument {
    case top, gumbel, threshold
}

/// What is kept.
struct SelectionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Share of the units to keep, 0 to 1, rounded down. (default: 0.5, without --tokens and --threshold)", valueName: "share"))
    var ratio: Double?

    @Option(
        help: ArgumentHelp("Keep the best units as long as they have at most so many tokens together (default: no budget).", valueName: "n")
    )
    var tokens: Int?

    @Option(help: ArgumentHelp("Keep every unit whose difference is at least x, in nats per token (default: none).", valueName: "x"))
    var threshold: Double?

    @Option(
        help: ArgumentHelp(
            "What is ranked: document or chunk. (default: chunk where the scores' header says packed, else document)", valueName: "name"))
    var unit: Unit?

    @Option(
        help: ArgumentHelp(
            """
            top: the largest differences; gumbel: a draw without replacement that favours them; threshold: see --threshold. \
            (default: top, or threshold with --threshold)
            """,
            valueName: "name"))
    var method: Method?

    @Option(help: ArgumentHelp("Of --method gumbel: weights are exp(difference / x).", valueName: "x"))
    var temperature = 1.0

    @Option(help: ArgumentHelp("Seed of --method gumbel and of the extracts at random.", valueName: "n"))
    var seed: UInt64 = 1

    var chosenMethod: Method { method ?? (threshold == nil ? .top : .threshold) }

    mutating func validate() throws {
        if let ratio, !(0...1).contains(ratio) { throw ValidationError("--ratio must lie between 0 and 1") }
        if let tokens, tokens < 0 { throw ValidationError("--tokens must not be negative") }
        if let threshold, threshold.isNaN { throw ValidationError("--threshold must be a number") }
        guard [ratio != nil, tokens != nil, threshold != nil].count(where: { $0 }) <= 1 else {
            throw ValidationError("choose one of --ratio, --tokens and --threshold")
        }
        if (chosenMethod == .threshold) != (threshold != nil) {
            throw ValidationError(
                threshold == nil
                    ? "--method threshold needs --threshold" : "--threshold and --method \(chosenMethod.rawValue) exclude each other")
        }
        guard temperature > 0, temperature.isFinite else { throw ValidationError("--temperature must lie above 0") }
    }

    func goal(_ units: RankedUnits) -> Goal {
        if let threshold { return .atLeast(threshold) }
        if let tokens { return .tokens(tokens) }
        return .share(ratio ?? 0.5, of: units.count)
    }
}

/// What is told of the differences.
struct ReportOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Write counts, a histogram, extracts and sources as NDJSON (default: no report).", valueName: "file"), completion: .file())
    var report: String?

    @Option(
        help: ArgumentHelp("Draw the histogram and the distribution of the differences as SVG (default: no drawing).", valueName: "file"),
        completion: .file())
    var plot: String?

    @Option(help: ArgumentHelp("In the report: units from the top, the bottom and at random, so many of each.", valueName: "n"))
    var extracts = 3

    @Option(help: ArgumentHelp("In the report: counts by the value of this key of the corpus (default: none).", valueName: "key"))
    var sourceKey: String?

    @Option(
        help: ArgumentHelp(
            "In the report: vocabulary that makes text of the extracts of a corpus of records (default: they have none).", valueName: "path"
        ), completion: .file())
    var tokenizer: String?

    var paths: [String] { [report, plot].compactMap { $0 } }

    mutating func validate() throws {
        try checkNamedOnce(report, option: "--report")
        try checkNamedOnce(plot, option: "--plot")
        guard (0...1000).contains(extracts) else { throw ValidationError("--extracts must lie between 0 and 1000") }
        if sourceKey != nil && report == nil { throw ValidationError("--source-key is for --report") }
        if tokenizer != nil && report == nil { throw ValidationError("--tokenizer is for --report") }
        if report == "-" && plot == "-" { throw ValidationError("--report and --plot cannot both go to standard output") }
    }
}

/// Which scores are believed.
struct TrustOptions: ParsableArguments {
    @Option(help: ArgumentHelp("SHA-256 that the teacher's header must name as its model's (default: any).", valueName: "hex"))
    var teacherSha256: String?

    @Option(help: ArgumentHelp("SHA-256 that the reference's header must name as its model's (default: any).", valueName: "hex"))
    var referenceSha256: String?

    @Flag(help: "Accept teacher and reference scores of one and the same model.")
    var allowSameModel = false

    mutating func validate() throws {
        for hash in [teacherSha256, referenceSha256] {
            guard let hash else { continue }
            guard hash.utf8.count == 64, hash.utf8.allSatisfy({ "0123456789abcdef".utf8.contains($0) }) else {
                throw ValidationError("a SHA-256 is 64 hexadecimal digits in lower case")
            }
        }
    }
}

/// Where units are remembered between reading the scores and reading the corpus.
struct StoreOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Memory for what is remembered of the units; a temporary file holds what does not fit.", valueName: "size"))
    var memory = ByteSize(bytes: 256 << 20)

    @Option(help: ArgumentHelp("Folder for temporary files (default: $TMPDIR, or /tmp).", valueName: "folder"), completion: .directory)
    var temporary: String?

    mutating func validate() throws {
        guard memory.bytes >= 1 << 20 else { throw ValidationError("--memory must be at least 1M") }
    }
}
