// Options: what is kept of the teacher's distributions beside the log-probability of each token.

import ArgumentParser
import Compute
import Streams

/// Which lists and statistics the records get.
struct DistributionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Keep the n most probable ids in each token's place, with their log-probabilities (default: none; 100 with --top-p).",
            valueName: "n"))
    var topK: Int?

    @Option(
        help: ArgumentHelp(
            "Keep the fewest ids whose probabilities add up to p, of them at most --top-k (default: --top-k alone decides).", valueName: "p"
        ))
    var topP: Double?

    @Option(
        help: ArgumentHelp(
            "Draw n ids from the teacher's distribution for each token, with importance weights (default: none).", valueName: "n"))
    var sampled: Int?

    @Option(help: ArgumentHelp("Seed of the draws, which depend on it, the document's id and the token's place alone.", valueName: "n"))
    var seed: UInt64 = 0

    @Flag(help: "Add the entropy, the standard deviation of the logits, and the sum of p^(1/temperature) for each token.")
    var statistics = false

    @Option(help: ArgumentHelp("Temperature of that sum.", valueName: "t"))
    var temperature = 1.0

    /// Ids kept under --top-p alone: the papers' k.
    private static let topPLimit = 100
    private static let mostDraws = 65_536

    init() {}

    mutating func validate() throws {
        if let topK, topK < 1 { throw ValidationError("--top-k must be at least 1") }
        if let topP, !(topP > 0 && topP <= 1) { throw ValidationError("--top-p must lie above 0 and not above 1") }
        if let sampled, !(1...DistributionOptions.mostDraws).contains(sampled) {
            throw ValidationError("--sampled must lie between 1 and \(DistributionOptions.mostDraws)")
        }
        guard temperature > 0, temperature.isFinite else { throw ValidationError("--temperature must be above 0") }
        guard statistics || temperature == 1 else {
            throw ValidationError("--temperature is for --statistics: lists are kept at temperature 1")
        }
    }

    private var top: DistributionRequest.Top? {
        topK == nil && topP == nil ? nil : .init(count: topK ?? DistributionOptions.topPLimit, mass: topP ?? 1)
    }

    var request: DistributionRequest {
        DistributionRequest(top: top, draws: sampled ?? 0, statistics: statistics, temperature: temperature)
    }

    /// Bytes that a token's lists and statistics take at least, in a tensor stream.
    var leastBytesPerToken: Int {
        // Splits of 8, kept masses of 4; entries of 4 + 2 and 4 + 4.
        let entries = topP == nil || topP == 1 ? top?.count ?? 0 : 1
        return (top == nil ? 0 : 8 + 4 + 6 * entries) + (sampled == nil ? 0 : 8 + 8) + (statistics ? 3 * 4 : 0)
    }

    /// The options that decide the facts of a header of scores, for messages.
    static let optionsOfFacts = [
        "model_sha256": "--model of sha256", "endpoint": "--dialect", "window": "--window", "stride": "--stride",
        "precision": "--precision", "top_k": "--top-k", "top_p": "--top-p", "sampled": "--sampled", "seed": "--seed",
        "temperature": "--statistics at --temperature",
    ]

    /// For the header of the scores.
    var facts: [(key: String, value: String?)] {
        [
            ("top_k", top.map { String($0.count) }), ("top_p", topP.map { String($0) }), ("sampled", sampled.map { String($0) }),
            ("seed", sampled.map { _ in String(seed) }), ("temperature", statistics ? String(temperature) : nil),
        ]
    }
}
