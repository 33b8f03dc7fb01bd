// The vocabularies of --student-tokenizer and --teacher-tokenizer against those that the streams were made with.

import Streams
import Text

/// Loads a vocabulary and refuses one that a stream was not made with. A stream that does not name its vocabulary is taken at its ids.
func vocabulary(_ path: String, of reader: RecordReader) throws -> Tokenizer {
    let tokenizer = try Tokenizer.load(path)
    if let expected = reader.header["vocabulary_sha256"], expected != tokenizer.vocabularySHA256 {
        throw Failure(
            .badData, path, .whole,
            "another vocabulary than that of \(reader.name): its SHA-256 is \(tokenizer.vocabularySHA256), the stream says \(printable(expected))",
            hint: "name the file that the tokens were made with")
    }
    return tokenizer
}

/// Refuses tokens past a vocabulary, in the document that has one.
func expectIDs(of batch: RecordBatch, below size: Int, _ reader: RecordReader) throws {
    guard let highest = batch.inputIDs.max(), Int(highest) >= size else { return }
    for document in 0..<batch.documentCount {
        guard let id = batch.inputIDs[batch.tokens(of: document)].first(where: { Int($0) >= size }) else { continue }
        throw Failure(
            .badData, reader.name, reader.place(ofDocument: document),
            "document \(quoted(batch.documentIDs[document])) has the id \(id), but the vocabulary has \(size) entries")
    }
}
