// Text to tokens: chunks of the corpus read, taken apart by several threads, and written in order.

import ArgumentParser
import Command
import Streams
import Text

/// One run of `tokenize` without `--decode`.
final class Encoding {
    private let options: Tokenize
    private let tokenizer: Tokenizer
    private let context: Context
    private let writer: RecordWriter
    private let sink: any DocumentSink
    private let rejects: Rejects?
    private let progress: Progress
    private let started = monotonicSeconds()

    // Of the input that is being written.
    private var input = 0
    private var lines = 0
    private var records = 0
    // Of all.
    private var documents = 0
    private var bytes = 0
    private var tokens = 0
    private var droppedBytes = 0

    init(_ options: Tokenize, _ tokenizer: Tokenizer, _ context: Context) throws {
        self.options = options
        self.tokenizer = tokenizer
        self.context = context
        let separator = try Encoding.separatorID(options, tokenizer)
        let header = Encoding.header(options, tokenizer, context, separator: separator)
        rejects = try options.reject.rejects.map(Rejects.init)
        writer = try RecordWriter(options.output.open(), header: header, encoding: options.output.format)
        if let length = options.pack {
            sink = DocumentPacker(writer, length: length, separator: separator, tokens: options.batchTokens)
        } else {
            sink = RecordCutter(writer, tokens: options.batchTokens)
        }
        progress = context.progress(unit: "tokens")
    }

    func run(_ inputs: [String]) throws {
        let reader = CorpusChunkReader(inputs, lineLimit: options.reject.maxLineBytes)
        let work = OrderedWork(
            threads: options.threads.count, next: reader.next,
            worker: {
                let worker = ChunkTokenizer(self.options, self.tokenizer.duplicate())
                return { worker.tokenize($0) }
            },
            write: write)
        if options.threads.count > 1 { reader.isAbandoned = { [unowned work] in work.isStopping } }
        do {
            try work.run()
            try sink.flush()
        } catch let failure as Failure where failure.status == .badData {
            // What stands before the bad record is whole: hand it on.
            try sink.flush()
            if writer.documentCount > 0 { try writer.flush() }
            throw failure
        }
        try writer.finish()
        progress.finish()
        context.note(summary)
        try rejects?.finish(records: documents)
    }

    /// Takes chunks in order.
    private func write(_ part: Tokenized) throws {
        if part.chunk.input != input { (input, lines, records) = (part.chunk.input, 0, 0) }
        var batch = part.batch
        for (document, record) in part.unnamed { batch.documentIDs[document] = Array(String(records + record).utf8) }
        try sink.add(batch)
        documents += batch.documentCount
        bytes += part.bytes
        tokens += batch.tokenCount
        droppedBytes += part.droppedBytes
        progress.advance(batch.tokenCount)
        if var failure = part.failure {
            if case .lineByte(let line, let byte) = failure.place { failure.place = .lineByte(line: lines + line, byte: byte) }
            guard let rejects else { throw failure }
            rejects.add(part.refused, failure)
        }
        if case .tooLongPart(let bytes) = part.chunk.content { try rejects?.write(bytes) }
        try rejects?.write(part.rejects)
        lines += part.counts.lines
        records += part.counts.records
    }

    private var summary: String {
        let seconds = max(monotonicSeconds() - started, 1e-9)
        var text = "\(documents) documents, \(bytes) bytes, \(tokens) tokens"
        if tokens > 0 { text += ", \(decimals(Double(bytes) / Double(tokens), 3)) bytes per token" }
        text += ", \(decimals(Double(bytes) / seconds / 1e6, 1)) MB/s"
        if let packer = sink as? DocumentPacker {
            text += ", \(packer.chunks) chunks"
            if options.separator != .none { text += ", \(packer.dividingChunks) of which end within a document" }
        }
        if droppedBytes > 0 { text += ", \(droppedBytes) bytes that the vocabulary cannot express" }
        return text
    }

    private static func separatorID(_ options: Tokenize, _ tokenizer: Tokenizer) throws -> UInt32? {
        guard options.pack != nil else { return nil }
        switch options.separator {
        case .none: return nil
        case .id(let id):
            guard Int(id) < tokenizer.vocabularySize else {
                throw ValidationError("--separator \(id) lies outside the vocabulary of \(tokenizer.vocabularySize)")
            }
            return id
        case .eos:
            guard let id = tokenizer.eosID else {
                throw ValidationError("the vocabulary names no end-of-text token: give --separator an id, or none")
            }
            return id
        }
    }

    private static func header(_ options: Tokenize, _ tokenizer: Tokenizer, _ context: Context, separator: UInt32?) -> StreamHeader {
        var header = StreamHeader(.tokens)
        header["producer"] = context.producer
        header["tokenizer"] = context.provenance ? tokenizer.name : nil
        header["vocabulary_sha256"] = tokenizer.vocabularySHA256
        header["vocabulary_size"] = String(tokenizer.vocabularySize)
        header["special_tokens"] = options.addSpecialTokens ? "added" : "none"
        header["bos_id"] = tokenizer.bosID.map { String($0) }
        header["eos_id"] = tokenizer.eosID.map { String($0) }
        header["add_bos"] = String(tokenizer.addsBOS)
        header["add_eos"] = String(tokenizer.addsEOS)
        header["packed"] = options.pack.map { String($0) }
        header["separator_id"] = separator.map { String($0) }
        return header
    }
}
