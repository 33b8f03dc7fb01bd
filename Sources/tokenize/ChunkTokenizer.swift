// What a thread does: takes a chunk of the corpus apart and tokenizes its documents.

import Streams
import Text

/// What a thread makes of a chunk.
struct Tokenized {
    let chunk: CorpusChunk
    var batch = RecordBatch()
    var counts = CorpusChunkParser.Counts()
    /// Documents of the batch that have no id, with their record's number in the chunk.
    var unnamed: [(document: Int, record: Int)] = []
    var bytes = 0
    var droppedBytes = 0
    /// Refused lines as they were, a newline behind each, how many, and what is wrong with the first, its line counted within the chunk.
    var rejects: [UInt8] = []
    var refused = 0
    var failure: Failure?

    init(_ chunk: CorpusChunk) { self.chunk = chunk }
}

/// Takes chunks apart and tokenizes their documents, on one thread.
final class ChunkTokenizer {
    private let parser: CorpusChunkParser
    private var tokenizer: CorpusTokenizer
    private let skips: Bool

    init(_ options: Tokenize, _ tokenizer: Tokenizer) {
        parser = CorpusChunkParser(textKey: options.textKey, idKey: options.idKey, lineLimit: options.reject.maxLineBytes)
        self.tokenizer = CorpusTokenizer(tokenizer, addsSpecialTokens: options.addSpecialTokens)
        skips = options.reject.onError == .skip
    }

    func tokenize(_ chunk: CorpusChunk) -> Tokenized {
        var result = Tokenized(chunk)
        switch chunk.content {
        case .lines(let lines): tokenize(lines, &result)
        case .tooLong(let failure):
            result.failure = failure
            result.refused = 1
            result.counts = .init(lines: 1, records: 1)
        case .tooLongPart: break
        }
        return result
    }

    private func tokenize(_ lines: [UInt8], _ result: inout Tokenized) {
        let (bytesBefore, droppedBefore) = (tokenizer.bytes, tokenizer.droppedBytes)
        var document = 0
        result.counts = parser.visit(lines, of: result.chunk) { id, text, record in
            if id == nil { result.unnamed.append((document, record)) }
            tokenizer.append(id: id ?? [], text: text)
            document += 1
        } refused: { failure, line in
            if result.failure == nil { result.failure = failure }
            result.refused += 1
            if skips {
                result.rejects.append(contentsOf: line)
                result.rejects.append(0x0A)
            }
            return skips
        }
        result.batch = tokenizer.takeBatch()
        result.bytes = tokenizer.bytes - bytesBefore
        result.droppedBytes = tokenizer.droppedBytes - droppedBefore
    }
}
