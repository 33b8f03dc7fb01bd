// Whether tokens are of the model's own vocabulary: those of another one would be scored, or learnt from, without a word.

import Streams

/// Compares the bytes that tokens of a stream stand for with those of the model's own tokens of the same ids.
///
/// Hashes of files do not tell: a model's tokenizer.json and its GGUF are two files of one vocabulary. The lengths of the first tokens do.
/// Normalisers change some; ids of another vocabulary change most.
public final class OwnVocabulary {
    /// Tokens that are looked at.
    private static let sample = 4096
    /// Fewer than these say nothing.
    private static let fewest = 24

    private let files: [String]
    private let hint: String
    private var streamSHA256: String?
    /// The model's own; read when the first tokens with spans come, and nil where its files hold none that can be read: then there is
    /// nothing to compare with.
    private lazy var tokenizer = files.lazy.compactMap { try? Tokenizer.load($0) }.first
    private var isDone = false
    private var compared = 0
    private var equal = 0

    /// - files: where the model's own vocabulary may be, the first that holds one; - hint: how to tokenize with it.
    public init(_ files: [String], hint: String) {
        self.files = files
        self.hint = hint
    }

    /// Looks no further where the header names the very file. Throws nothing: other files may hold the same vocabulary.
    public func read(_ header: StreamHeader) { streamSHA256 = header["vocabulary_sha256"] }

    /// Throws 65 where fewer than half of the tokens have the length of the model's own.
    public func check(_ batch: RecordBatch, in name: String, _ place: @autoclosure () -> Failure.Place) throws {
        guard !isDone, let offsets = batch.offsets else { return }
        guard let tokenizer, tokenizer.vocabularySHA256 != streamSHA256 else {
            isDone = true
            return
        }
        for (token, id) in batch.inputIDs.enumerated() where Int(id) < tokenizer.vocabularySize {
            let length = Int(offsets[2 * token + 1]) - Int(offsets[2 * token])
            guard length > 0 else { continue }
            compared += 1
            equal += tokenizer.bytes(of: id).count == length ? 1 : 0
            if compared == OwnVocabulary.sample { break }
        }
        if compared >= OwnVocabulary.fewest, 2 * equal < compared {
            throw Failure(
                .badData, name, place(),
                "of \(compared) tokens only \(equal) are as long as the model's own tokens with their ids: another vocabulary made them",
                hint: hint)
        }
        isDone = compared >= OwnVocabulary.sample
        if isDone { self.tokenizer = nil }
    }
}
