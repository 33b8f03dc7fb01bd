// Where scores go: a stream that appears whole, or a file that a later run goes on with.

import Command
import Streams

/// The destination of scored records, and which of the input's records it has already.
enum ScoreOutput {
    case stream(RecordWriter)
    case resumable(ResumableStream)

    /// Tokens of a record, counted in whole documents: the work that a killed run loses at most.
    static let usualTokens = 8_192

    func write(_ batch: RecordBatch) throws {
        switch self {
        case .stream(let writer): try writer.write(batch)
        case .resumable(let stream): try stream.write(batch)
        }
    }

    func finish() throws {
        switch self {
        case .stream(let writer): try writer.finish()
        case .resumable(let stream): try stream.finish()
        }
    }

    /// Takes from `tokens` the records that are scored already, each compared with what was scored. Returns what they hold.
    func skipScored(_ tokens: RecordRecutter) throws -> ScoreCounts {
        var skipped = ScoreCounts()
        guard case .resumable(let stream) = self else { return skipped }
        while let scored = try stream.next() {
            guard let batch = try tokens.next() else {
                throw ScoreOutput.changed(
                    stream, tokens, "ends, but \(stream.path) goes on with document '\(printable(scored.documentIDs[0]))'")
            }
            if let document = batch.firstOtherDocument(than: scored) {
                let id = batch.documentIDs.indices.contains(document) ? printable(batch.documentIDs[document]) : "none"
                throw ScoreOutput.changed(stream, tokens, "has another document '\(id)' than the one that was scored in its place")
            }
            skipped.add(batch)
        }
        if stream.isComplete, let more = try tokens.next() {
            throw ScoreOutput.changed(
                stream, tokens, "goes on with document '\(printable(more.documentIDs[0]))' behind all that was scored")
        }
        return skipped
    }

    private static func changed(_ stream: ResumableStream, _ tokens: RecordRecutter, _ what: String) -> Failure {
        Failure(
            .badData, tokens.reader.name, tokens.reader.lastPlace, what,
            hint: "the input, or --batch-tokens, has changed since \(stream.path) was begun: give the same, or another output")
    }
}

/// How much is scored.
struct ScoreCounts {
    private(set) var documents = 0
    private(set) var tokens = 0

    mutating func add(_ batch: RecordBatch) {
        documents += batch.documentCount
        tokens += batch.tokenCount
    }
}
