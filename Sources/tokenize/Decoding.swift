// Tokens back to text: token records in, {"id","text"} lines out.

import ArgumentParser
import Command
import Streams
import Text

/// One run of `tokenize --decode`.
final class Decoding {
    /// - hasSpecials: the vocabulary's special tokens stand around each text.
    private typealias Piece = (batch: RecordBatch, name: String, places: [Failure.Place], hasSpecials: Bool)

    private let options: Tokenize
    private let tokenizer: Tokenizer
    private let context: Context
    private let output: ByteOutput
    private let progress: Progress
    private var documents = 0
    private var tokens = 0
    private var bytes = 0

    init(_ options: Tokenize, _ tokenizer: Tokenizer, _ context: Context) throws {
        self.options = options
        self.tokenizer = tokenizer
        self.context = context
        output = try options.output.open(text: true)
        progress = context.progress(unit: "tokens")
    }

    func run(_ inputs: [String]) throws {
        var rest = inputs[...]
        var reader: RecordReader?
        let work = OrderedWork(
            threads: options.threads.count,
            next: { () throws -> Piece? in
                while true {
                    if reader == nil {
                        guard let path = rest.popFirst() else { return nil }
                        reader = try self.open(path)
                    }
                    guard let present = reader, let batch = try present.next() else {
                        reader = nil
                        continue
                    }
                    let places = (0..<batch.documentCount).map { present.place(ofDocument: $0) }
                    return (batch, present.name, places, present.header["special_tokens"] == "added")
                }
            },
            worker: {
                let tokenizer = self.tokenizer.duplicate()
                return { piece in (try self.decoded(piece, tokenizer), piece.batch) }
            },
            write: { (product: ([UInt8], RecordBatch)) in
                try self.output.write(product.0)
                self.documents += product.1.documentCount
                self.tokens += product.1.tokenCount
                self.bytes += product.0.count
                self.progress.advance(product.1.tokenCount)
            })
        do { try work.run() } catch let failure as Failure where failure.status == .badData {
            try output.flush()
            throw failure
        }
        try output.close()
        progress.finish()
        context.note("\(documents) documents, \(tokens) tokens, \(bytes) bytes of records")
    }

    /// Refuses records of another vocabulary.
    private func open(_ path: String) throws -> RecordReader {
        let reader = try RecordReader(ByteInput.open(path), expecting: [.tokens, .scores])
        if let hash = reader.header["vocabulary_sha256"], hash != tokenizer.vocabularySHA256 {
            throw Failure(
                .badData, reader.name,
                "these tokens belong to another vocabulary: its sha256 is \(printable(hash)), not \(tokenizer.vocabularySHA256)")
        }
        return reader
    }

    private func decoded(_ piece: Piece, _ tokenizer: Tokenizer) throws -> [UInt8] {
        var line = JSONText()
        for document in 0..<piece.batch.documentCount {
            var ids = piece.batch.inputIDs[piece.batch.tokens(of: document)]
            if piece.hasSpecials {
                // All of them or none: a chunk of a packed stream may be cut among them.
                if ids.starts(with: tokenizer.prefix) { ids.removeFirst(tokenizer.prefix.count) }
                if ids.reversed().starts(with: tokenizer.suffix.reversed()) { ids.removeLast(tokenizer.suffix.count) }
            }
            let text = try text(Array(ids), tokenizer, piece, document)
            line.beginObject()
            line.key(options.idKey)
            line.string(piece.batch.documentIDs[document])
            line.key(options.textKey)
            line.string(text)
            line.endObject()
            line.newline()
        }
        return line.bytes
    }

    private func text(_ ids: [UInt32], _ tokenizer: Tokenizer, _ piece: Piece, _ document: Int) throws -> [UInt8] {
        let name = "document '\(printable(piece.batch.documentIDs[document]))'"
        let text: [UInt8]
        do { text = try tokenizer.decode(ids) } catch let failure as Failure {
            throw Failure(.badData, piece.name, piece.places[document], "\(name): \(failure.message)")
        }
        guard let bad = text.withUnsafeBytes({ firstInvalidUTF8($0) }) else { return text }
        guard options.lossy else {
            throw Failure(
                .badData, piece.name, piece.places[document], "\(name): its tokens make no valid UTF-8, from byte \(bad) of the text on",
                hint: "--lossy writes U+FFFD for such bytes; tokens cut in the middle of a character have them")
        }
        return Array(String(decoding: text, as: UTF8.self).utf8)
    }
}
