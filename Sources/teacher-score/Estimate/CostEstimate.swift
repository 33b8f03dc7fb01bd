// What scoring a corpus will cost, as a sample of it tells: time, bytes, memory, and whether the disk has room.

import Command
import Streams

/// The cost of a sample, and of the corpus that it was taken from.
struct CostEstimate {
    /// Whether the sample is spread over the corpus; otherwise it is its beginning.
    var isSpread: Bool
    var sampleDocuments = 0
    var sampleTokens = 0
    var sampleSeconds = 0.0
    /// Of the records, without the stream's header and end.
    var sampleBytes = 0
    /// Of header and end.
    var fixedBytes = 0
    /// Documents and tokens in all; nil where the input cannot be read twice.
    var whole: (documents: Int, tokens: Int)?
    var memoryBytes: Int?
    /// Where the output is to be.
    var output: String
    var freeBytes: Int?
    /// What an interrupted run has left there, which counts as written.
    var presentBytes = 0

    var tokensPerSecond: Double { sampleSeconds > 0 ? Double(sampleTokens) / sampleSeconds : 0 }
    var secondsPerToken: Double { sampleSeconds / Double(max(1, sampleTokens)) }
    var bytesPerToken: Double { Double(sampleBytes) / Double(max(1, sampleTokens)) }
    var seconds: Double? { whole.map { secondsPerToken * Double($0.tokens) } }
    var bytes: Int? { whole.map { fixedBytes + Int((bytesPerToken * Double($0.tokens)).rounded(.up)) } }
    private var missing: Int? { bytes.map { max(0, $0 - presentBytes) } }
    var fits: Bool? {
        guard let missing, let freeBytes else { return nil }
        return missing <= freeBytes
    }

    /// One line of JSON.
    var json: [UInt8] {
        var line = JSONText()
        line.beginObject()
        line.member("sample", isSpread ? "spread" : "first")
        line.member("sample_documents", sampleDocuments)
        line.member("sample_tokens", sampleTokens)
        line.member("sample_seconds", sampleSeconds)
        line.member("tokens_per_second", tokensPerSecond)
        line.member("bytes_per_token", bytesPerToken)
        if let whole {
            line.member("documents", whole.documents)
            line.member("tokens", whole.tokens)
        }
        if let seconds { line.member("seconds", seconds) }
        if let bytes { line.member("bytes", bytes) }
        if let memoryBytes { line.member("memory_bytes", memoryBytes) }
        if let freeBytes { line.member("free_bytes", freeBytes) }
        if let fits { line.member("fits", fits) }
        line.endObject()
        line.newline()
        return line.bytes
    }

    /// The same for people.
    var text: [String] {
        let sample = isSpread ? "documents spread over the corpus" : "first documents of the corpus"
        var lines = [
            "scored \(grouped(sampleDocuments)) \(sample), \(grouped(sampleTokens)) tokens, in \(decimals(sampleSeconds, 1)) s: "
                + "\(decimals(tokensPerSecond, 1)) tokens/s, \(decimals(bytesPerToken, 1)) bytes a token"
        ]
        if let whole, let seconds, let bytes {
            lines.append(
                "the whole corpus, \(grouped(whole.documents)) documents, \(grouped(whole.tokens)) tokens: "
                    + "about \(duration(seconds)), \(amount(bytes))")
        } else {
            lines.append("how long the corpus is cannot be known of a pipe: name the file")
        }
        if let memoryBytes { lines.append("memory: about \(amount(memoryBytes))") }
        if let freeBytes { lines.append("free for \(output == "-" ? "<stdout>" : output): \(amount(freeBytes))") }
        return lines
    }

    /// Throws 74 where the corpus does not fit.
    func checkRoom() throws {
        guard fits == false, let missing, let freeBytes else { return }
        throw CostEstimate.tooSmall(output, needs: missing, about: true, free: freeBytes)
    }

    static func tooSmall(_ output: String, needs: Int, about: Bool, free: Int) -> Failure {
        Failure(
            .inputOutput, output == "-" ? "<stdout>" : output,
            "needs \(about ? "about" : "at least") \(grouped(needs)) bytes, and \(grouped(free)) are free on its file system",
            hint: "choose another place for the output, keep fewer entries (--top-k, --top-p), or score the corpus in shards")
    }
}

/// 1234567 as "1.2 MB".
private func amount(_ bytes: Int) -> String {
    var (value, unit) = (Double(bytes), 0)
    let units = ["bytes", "kB", "MB", "GB", "TB", "PB"]
    while value >= 1000, unit < units.count - 1 {
        value /= 1000
        unit += 1
    }
    return unit == 0 ? "\(bytes) bytes" : "\(decimals(value, 1)) \(units[unit])"
}
