// Tokens back to text: token records in, {"id","text"} lines out.

import ArgumentParser
import Command
import Streams
import Text

/// One run of `tokenize --decode`.
final class Decoding {
    private struct Piece {
        let name: String
        /// The vocabulary's special tokens stand around each text.
        let hasSpecials: Bool
        let texts: [TokenText]
    }

    /// What a thread makes of a piece.
    private struct Decoded {
        var lines: [UInt8]
        var documents = 0
        var tokens = 0
        var droppedBytes = 0
    }

    private let options: Tokenize
    private let tokenizer: Tokenizer
    private let context: Context
    private let output: ByteOutput
    private let progress: Progress
    private var documents = 0
    private var tokens = 0
    private var bytes = 0
    private var droppedBytes = 0

    init(_ options: Tokenize, _ tokenizer: Tokenizer, _ context: Context) throws {
        self.options = options
        self.tokenizer = tokenizer
        self.context = context
        output = try options.output.open(text: true)
        progress = context.progress(unit: "tokens")
    }

    func run(_ inputs: [String]) throws {
        var pieces = Pieces(inputs, open)
        let work = OrderedWork(
            threads: options.threads.count,
            next: { try pieces.next() },
            worker: {
                let tokenizer = self.tokenizer.duplicate()
                return { piece in try self.decoded(piece, tokenizer) }
            },
            write: { (product: Decoded) in
                try self.output.write(product.lines)
                self.documents += product.documents
                self.tokens += product.tokens
                self.bytes += product.lines.count
                self.droppedBytes += product.droppedBytes
                self.progress.advance(product.tokens)
            })
        do { try work.run() } catch let failure as Failure where failure.status == .badData {
            try output.flush()
            throw failure
        }
        try output.close()
        progress.finish()
        let halves = droppedBytes > 0 ? ", without \(droppedBytes) bytes of characters that missing chunks cut" : ""
        context.note("\(documents) documents, \(tokens) tokens, \(bytes) bytes of records\(halves)")
    }

    /// The texts of all inputs, some at a time: documents as they are, packed chunks joined to documents.
    private struct Pieces {
        private var rest: ArraySlice<String>
        private let open: (String) throws -> RecordReader
        private var reader: RecordReader?
        private var joining: ChunkJoining?

        init(_ inputs: [String], _ open: @escaping (String) throws -> RecordReader) {
            rest = inputs[...]
            self.open = open
        }

        mutating func next() throws -> Piece? {
            while true {
                if reader == nil {
                    guard let path = rest.popFirst() else { return nil }
                    let opened = try open(path)
                    let separator = opened.header["packed"] == nil ? nil : opened.header.tokenID("separator_id")
                    joining = separator.map { ChunkJoining(separator: $0) }
                    reader = opened
                }
                guard let present = reader else { continue }
                let batch = try present.next()
                if batch == nil { reader = nil }
                let texts = batch.map { self.texts($0, present) } ?? joining?.finish() ?? []
                if texts.isEmpty { continue }
                return Piece(name: present.name, hasSpecials: present.header["special_tokens"] == "added", texts: texts)
            }
        }

        private mutating func texts(_ batch: RecordBatch, _ reader: RecordReader) -> [TokenText] {
            (0..<batch.documentCount).flatMap { document in
                let (id, ids) = (batch.documentIDs[document], batch.inputIDs[batch.tokens(of: document)])
                let place = reader.place(ofDocument: document)
                return joining?.add(id: id, ids: ids, place: place) ?? [TokenText(id: id, ids: Array(ids), place: place)]
            }
        }
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

    private func decoded(_ piece: Piece, _ tokenizer: Tokenizer) throws -> Decoded {
        var line = JSONText()
        var result = Decoded(lines: [], documents: piece.texts.count)
        for document in piece.texts {
            result.tokens += document.ids.count
            let all = try bytes(document, tokenizer, piece)
            let whole = withoutHalves(all, beginning: document.lacksBeginning, end: document.lacksEnd)
            result.droppedBytes += all.count - whole.count
            let text = try characters(Array(whole), document, piece)
            line.beginObject()
            line.key(options.idKey)
            line.string(document.id)
            line.key(options.textKey)
            line.string(text)
            line.endObject()
            line.newline()
        }
        result.lines = line.bytes
        return result
    }

    private func bytes(_ document: TokenText, _ tokenizer: Tokenizer, _ piece: Piece) throws -> [UInt8] {
        var ids = document.ids[...]
        if piece.hasSpecials {
            // All of them or none: a chunk of a packed stream may be cut among them.
            if ids.starts(with: tokenizer.prefix) { ids = ids.dropFirst(tokenizer.prefix.count) }
            if ids.reversed().starts(with: tokenizer.suffix.reversed()) { ids = ids.dropLast(tokenizer.suffix.count) }
        }
        do { return try tokenizer.decode(Array(ids), continuing: document.lacksBeginning) } catch let failure as Failure {
            throw Failure(.badData, piece.name, document.place, "document '\(printable(document.id))': \(failure.message)")
        }
    }

    /// Valid UTF-8, or with --lossy U+FFFD for what is none.
    private func characters(_ text: [UInt8], _ document: TokenText, _ piece: Piece) throws -> [UInt8] {
        guard let bad = text.withUnsafeBytes({ firstInvalidUTF8($0) }) else { return text }
        guard options.lossy else {
            throw Failure(
                .badData, piece.name, document.place,
                "document '\(printable(document.id))': its tokens make no valid UTF-8, from byte \(bad) of the text on",
                hint: "--lossy writes U+FFFD for such bytes; tokens cut in the middle of a character have them")
        }
        return Array(String(decoding: text, as: UTF8.self).utf8)
    }
}
