// stream-cat: shows, checks, counts and compares streams.

import ArgumentParser
import Command
import Streams

@main
struct StreamCat: Tool {
    static let configuration = CommandConfiguration(
        commandName: "stream-cat",
        abstract: "Show any stream of records as NDJSON, or check, count, hash or compare streams.",
        discussion: """
            Without an option the records are written as NDJSON, one document a line after a line with the header; \
            --format tensor writes NDJSON records as a tensor stream. A damaged or truncated stream ends with status 65 \
            and its place, after the records before it. Token shards of Megatron-LM and MiniPLM are read as streams by the \
            name of their index, PREFIX.idx, and written by --to-megatron.
            """)

    @Flag(help: "Read everything and write nothing: status 0 if the streams are whole.")
    var check = false

    @Flag(help: "Write the headers only, one NDJSON line a stream.")
    var header = false

    @Flag(help: "Write counts, columns and means, one NDJSON line a stream.")
    var stat = false

    @Flag(help: "Write the XXH64 of the records' content, the same for either encoding and any batching, and the name.")
    var checksum = false

    @Flag(help: "Compare two streams: status 1 and the first difference if their records differ.")
    var diff = false

    @Option(
        help: ArgumentHelp(
            "Write the tokens as a Megatron token shard, PREFIX.bin and PREFIX.idx, without ids, offsets and scores (default: records).",
            valueName: "prefix"), completion: .file())
    var toMegatron: String?

    @Option(help: ArgumentHelp("Encoding of the records: tensor or ndjson.", valueName: "name"))
    var format = RecordEncoding.ndjson

    @OptionGroup var output: FileOptions
    @OptionGroup var common: CommonOptions

    @Argument(help: ArgumentHelp("Streams; '-' or none is standard input.", valueName: "stream"), completion: .file())
    var streams: [String] = []

    func validate() throws {
        guard [check, header, stat, checksum, diff].filter({ $0 }).count <= 1 else {
            throw ValidationError("choose one of --check, --header, --stat, --checksum and --diff")
        }
        if let toMegatron {
            guard ![check, header, stat, checksum, diff].contains(true), output.output == "-" else {
                throw ValidationError("--to-megatron writes its two files and nothing else")
            }
            guard !toMegatron.isEmpty, toMegatron != "-" else {
                throw ValidationError("--to-megatron needs the beginning of two file names")
            }
        }
        if diff && streams.count != 2 { throw ValidationError("--diff compares two streams") }
    }

    func run(_ context: Context) throws {
        let inputs = try context.inputs(streams)
        if diff { return try compare(inputs[0], inputs[1]) }
        if check || header || stat || checksum { return try report(inputs) }
        let first = try open(inputs[0])
        if let toMegatron {
            let shard = try MegatronWriter(prefix: toMegatron, vocabularySize: first.header.integer("vocabulary_size"))
            try copy(inputs, first, shard.write)
            try shard.finish()
            context.note("\(shard.documentCount) documents, \(shard.tokenCount) tokens")
        } else {
            let writer = try RecordWriter(output.open(), header: first.header, encoding: format)
            do { try copy(inputs, first, writer.write) } catch {
                // What was whole in front of it is shown.
                try writer.flush()
                throw error
            }
            try writer.finish()
        }
    }

    /// All streams as one.
    private func copy(_ inputs: [String], _ first: RecordReader, _ write: (RecordBatch) throws -> Void) throws {
        for (place, path) in inputs.enumerated() {
            let reader = try place == 0 ? first : open(path)
            if let key = first.header.disagreement(with: reader.header) {
                throw Failure(.badData, reader.name, "its header disagrees with the first stream's in '\(key)'")
            }
            while let batch = try reader.next() { try write(batch) }
        }
    }

    /// One line a stream, or nothing with `--check`.
    private func report(_ inputs: [String]) throws {
        let destination = try output.open()
        for path in inputs {
            let reader = try open(path)
            if header {
                _ = try RecordWriter(destination, header: reader.header, encoding: .ndjson)
                continue
            }
            var summary = RecordSummary()
            while let batch = try reader.next() { summary.add(batch) }
            if stat { try destination.write(statistics(summary, of: reader)) }
            if checksum { try destination.write("\(summary.checksum)  \(reader.name)\n") }
        }
        try destination.close()
    }

    private func statistics(_ summary: RecordSummary, of reader: RecordReader) -> [UInt8] {
        var line = JSONText()
        line.beginObject()
        line.member("name", reader.name)
        line.member("stream", reader.header.stream.rawValue)
        line.member("documents", summary.documents)
        line.member("empty_documents", summary.emptyDocuments)
        line.member("tokens", summary.tokens)
        line.member("longest_document_tokens", summary.longestDocument)
        line.key("columns")
        line.beginArray()
        for column in summary.columns { line.string(column) }
        line.endArray()
        if summary.columns.contains("log_probs") {
            line.member("scored_tokens", summary.scored)
            line.member("nats_per_token", summary.scored > 0 ? summary.nats / Double(summary.scored) : .nan)
        }
        if summary.columns.contains("teacher_losses") { line.member("mapped_tokens", summary.mapped) }
        let perToken = 1 / Double(max(summary.tokens, 1))
        if summary.columns.contains("top_log_probs") { line.member("top_entries_per_token", Double(summary.topEntries) * perToken) }
        if summary.columns.contains("kept_masses") {
            line.member("mean_kept_mass", summary.keptTokens > 0 ? summary.keptMass / Double(summary.keptTokens) : .nan)
        }
        if summary.columns.contains("sampled_weights") {
            line.member("sampled_entries_per_token", Double(summary.sampledEntries) * perToken)
        }
        line.member("column_bytes_per_token", Double(summary.columnBytes) * perToken)
        line.endObject()
        line.newline()
        return line.bytes
    }

    private func open(_ path: String) throws -> RecordReader {
        try RecordReader(ByteInput.open(path), expecting: StreamHeader.Kind.allCases)
    }

    /// Document by document, whatever the encodings and the batches.
    private func compare(_ left: String, _ right: String) throws {
        var comparison = try StreamComparison(open(left), open(right))
        if let difference = try comparison.first() {
            throw Failure(.answerIsNo, "\(left) \(right)", difference)
        }
    }
}
