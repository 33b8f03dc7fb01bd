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

    private enum State {
        case unread
        case comparing(Tokenizer)
        case done
    }

    private let files: [String]
    private let hint: String
    private var streamSHA256: String?
    private var state = State.unread
    private var compared = 0
    private var equal = 0

    /// - files: where the model's own vocabulary may be, the first that holds one; - hint: how to tokenize with it.
    public init(_ files: [String], hint: String) {
        self.files = files
        self.hint = hint
    }

    /// Looks no further where the header names the very file. Throws nothing: other files may hold the same vocabulary.
    public func read(_ header: StreamHeader) { streamSHA256 = header["vocabulary_sha256"] }

    /// Throws 65 where fewer than half of the tokens have the length of the model's own, and what the system says where its vocabulary
    /// cannot be read.
    public func check(_ batch: RecordBatch, in name: String, _ place: @autoclosure () -> Failure.Place) throws {
        guard let offsets = batch.offsets, let tokenizer = try own() else { return }
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
        if compared >= OwnVocabulary.sample { state = .done }
    }

    /// The model's own vocabulary, read when the first tokens with spans come; nil where there is nothing to compare, or no more.
    private func own() throws -> Tokenizer? {
        switch state {
        case .done: return nil
        case .comparing(let tokenizer): return tokenizer
        case .unread:
            state = .done
            for file in files {
                guard let tokenizer = try Tokenizer.loadIfAny(file) else { continue }
                if tokenizer.vocabularySHA256 != streamSHA256 { state = .comparing(tokenizer) }
                break
            }
            return try own()
        }
    }
}
