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

/// Refuses ids past the vocabulary that an option names.
func expectIDs(of batch: RecordBatch, _ size: Int, _ reader: RecordReader, option: String) throws {
    try batch.expectIDs(below: size, of: "the vocabulary of \(option)", in: reader, hint: "\(option) must name what 'tokenize' was given")
}
