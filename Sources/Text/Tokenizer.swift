// A tokenizer: a vocabulary with its rules, from whatever file it comes.

import Streams

/// Text to tokens with byte spans, and back.
///
/// - A token's span is exactly the original bytes that it stands for, half-open. The spans of a text tile it from 0 to its length, but
///   for bytes that the vocabulary cannot express and drops. A piece of a character has its own bytes; a ▁ that no byte of the text
///   asked for, and special tokens around the text, have empty spans.
/// - Ids are those of the tokenizers package for byte-level vocabularies and tokenizer.json, those of sentencepiece for .model files.
public final class Tokenizer {
    /// The path as the user named it.
    public let name: String
    /// The largest id plus one.
    public let vocabularySize: Int
    /// Of the file that holds the vocabulary, hexadecimal.
    public let vocabularySHA256: String
    public let bosID, eosID: UInt32?
    /// Whether the vocabulary's own files ask for BOS before, and EOS after, each text.
    public let addsBOS, addsEOS: Bool
    /// Whether strings of added tokens in the text become those tokens, as with Hugging Face (default); else they are text.
    public var recognisesAddedTokens = true

    private var encoder: any SectionEncoder
    private let added: AddedTokens
    private let addedByID: [UInt32: [UInt8]]
    /// Ids that stand for no text: control tokens.
    private let silent: Set<UInt32>

    init(_ parts: TokenizerParts, name: String, sha256: String) {
        self.name = name
        vocabularySHA256 = sha256
        vocabularySize = parts.size
        bosID = parts.bosID
        eosID = parts.eosID
        addsBOS = parts.addsBOS
        addsEOS = parts.addsEOS
        encoder = parts.encoder
        added = AddedTokens(parts.added)
        addedByID = Dictionary(parts.added.map { ($0.id, $0.content) }) { first, _ in first }
        silent = parts.silent
    }

    /// Appends the tokens of a text. No special token is put around it.
    ///
    /// - text: valid UTF-8 of less than 4 GiB; others trap as a bug of the caller.
    public func encode(_ text: UnsafeRawBufferPointer, into tokens: inout TokenSequence) {
        precondition(text.count < Int(UInt32.max), "bug: a text of 4 GiB or more")
        guard recognisesAddedTokens && !added.isEmpty else {
            return encoder.encode(text, 0..<text.count, into: &tokens)
        }
        added.split(
            text,
            section: { encoder.encode(text, $0, into: &tokens) },
            match: { id, range in tokens.append(id, range.lowerBound, range.upperBound) })
    }

    /// The bytes of text that a token stands for, out of context; none for control tokens.
    ///
    /// Traps on an id outside the vocabulary.
    public func bytes(of id: UInt32) -> [UInt8] {
        precondition(Int(id) < vocabularySize, "bug: id \(id) outside the vocabulary")
        if silent.contains(id) { return [] }
        return addedByID[id] ?? encoder.bytes(of: Int(id))
    }

    /// The bytes of a sequence of tokens, one after the other. Throws 65 for an id outside the vocabulary.
    public func decode(_ ids: [UInt32]) throws -> [UInt8] {
        var result: [UInt8] = []
        for (at, id) in ids.enumerated() {
            guard Int(id) < vocabularySize else {
                throw Failure(.badData, name, .whole, "id \(id) at position \(at) is outside the vocabulary of \(vocabularySize)")
            }
            result.append(contentsOf: bytes(of: id))
        }
        return result
    }
}

/// What a vocabulary file yields.
struct TokenizerParts {
    var encoder: any SectionEncoder
    var size: Int
    var added: [AddedToken] = []
    var silent: Set<UInt32> = []
    var bosID: UInt32?
    var eosID: UInt32?
    var addsBOS = false
    var addsEOS = false
}
