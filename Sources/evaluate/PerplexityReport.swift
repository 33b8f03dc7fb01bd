// Sums of log-probabilities over documents, and the lines that report them.

import Checkpoints
import Streams

/// Counts and nats of some documents; sums in Double, in the order of the documents.
struct PerplexitySums {
    var documents = 0
    var bytes = 0
    var scoredBytes = 0
    var tokens = 0
    var scoredTokens = 0
    var nats = 0.0

    init() {}

    /// One document of a batch, `textBytes` long, with the scores of the batch's tokens.
    init(_ batch: RecordBatch, _ scores: [Float], document: Int, textBytes: Int) {
        documents = 1
        bytes = textBytes
        tokens = batch.tokens(of: document).count
        for token in batch.tokens(of: document) where !scores[token].isNaN {
            scoredTokens += 1
            nats -= Double(scores[token])
            if let offsets = batch.offsets { scoredBytes += Int(offsets[2 * token + 1] - offsets[2 * token]) }
        }
    }

    static func += (total: inout PerplexitySums, part: PerplexitySums) {
        total.documents += part.documents
        total.bytes += part.bytes
        total.scoredBytes += part.scoredBytes
        total.tokens += part.tokens
        total.scoredTokens += part.scoredTokens
        total.nats += part.nats
    }

    /// Bits per byte = nats / (ln 2 × scored bytes). What has nothing to divide by is null.
    func write(into line: inout JSONText) {
        line.member("documents", documents)
        line.member("bytes", bytes)
        line.member("scored_bytes", scoredBytes)
        line.member("tokens", tokens)
        line.member("scored_tokens", scoredTokens)
        line.member("nats", nats)
        line.member("nats_per_token", scoredTokens > 0 ? nats / Double(scoredTokens) : .nan)
        line.member("bits_per_byte", scoredBytes > 0 ? nats / (0.693_147_180_559_945_3 * Double(scoredBytes)) : .nan)
    }
}

/// One document's line.
func documentLine(id: [UInt8], _ sums: PerplexitySums) -> [UInt8] {
    var line = JSONText()
    line.beginObject()
    line.key("id")
    line.string(id)
    sums.write(into: &line)
    line.endObject()
    line.newline()
    return line.bytes
}

/// The line of all documents. Rates and names are left out of reports without provenance: they vary between runs.
func totalLine(_ sums: PerplexitySums, model: ScoringModel, seconds: Double?) -> [UInt8] {
    var line = JSONText()
    line.beginObject()
    if seconds != nil { line.member("model", model.loaded.name) }
    line.member("model_sha256", model.loaded.sha256)
    line.member("bos", model.bosID.map { String($0) } ?? "none")
    line.member("window", model.window)
    line.member("stride", model.stride)
    line.member("precision", model.precision.rawValue)
    sums.write(into: &line)
    if let seconds {
        line.member("elapsed_s", seconds)
        line.member("tokens_per_s", seconds > 0 ? Double(sums.tokens) / seconds : .nan)
    }
    line.endObject()
    line.newline()
    return line.bytes
}
