// --text: the texts behind the tokens, found by the ids of their documents.

import Streams

/// The texts of a corpus in the order of the streams; documents that the streams lack are passed over.
final class CorpusTexts {
    private let path: String
    private let reader: CorpusReader

    init(_ path: String) throws {
        self.path = path
        reader = CorpusReader(try ByteInput.open(path), keysAreOptions: false)
    }

    /// The text of a document of a batch, which comes after those asked for before. Throws where it is not there, or is another one.
    func text(of document: Int, in batch: RecordBatch) throws -> [UInt8] {
        let id = batch.documentIDs[document]
        while let found = try reader.next() {
            guard found.id == id else { continue }
            let place = Failure.Place.lineByte(line: found.line, byte: found.byte)
            if let expected = batch.textHashes?[document], expected != found.text.withUnsafeBytes({ XXH64.hash($0) }) {
                throw Failure(.badData, path, place, "document \(quoted(id)) has another text than in the streams", hint: Self.cure)
            }
            let tokens = batch.tokens(of: document)
            let end = batch.offsets?[2 * tokens.lowerBound..<2 * tokens.upperBound].max() ?? 0
            guard end <= found.text.count else {
                throw Failure(
                    .badData, path, place, "document \(quoted(id)) has \(found.text.count) bytes, but its tokens reach byte \(end)",
                    hint: Self.cure)
            }
            return found.text
        }
        throw Failure(.badData, path, .whole, "ends without the document \(quoted(id)), or has it earlier", hint: Self.cure)
    }

    private static let cure = "name the corpus that the streams were made from, with its documents in the same order"
}
