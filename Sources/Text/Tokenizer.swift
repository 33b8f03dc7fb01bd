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
    /// Of the file that holds the vocabulary, hexadecimal; of a GGUF without its tensors.
    public let vocabularySHA256: String
    public let bosID, eosID: UInt32?
    /// Whether the vocabulary's own files ask for BOS before, and EOS after, each text.
    public let addsBOS, addsEOS: Bool
    /// Whether strings of added tokens in the text become those tokens, as with Hugging Face (default); else they are text.
    public var recognisesAddedTokens = true

    private let encoder: any SectionEncoder
    /// Added tokens in the order in which they are looked for: each only in what the ones before it left.
    private let passes: [AddedTokens]
    private let literals: [UInt32: [UInt8]]
    /// Control pieces, which stand for no text unless they are literals.
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
        passes = [parts.added.filter { !$0.isNormalised }, parts.added.filter(\.isNormalised)].filter { !$0.isEmpty }.map(AddedTokens.init)
        literals = Dictionary(parts.added.map { ($0.id, $0.content) }) { first, _ in first }.merging(parts.literals) { first, _ in first }
        silent = parts.silent
    }

    private init(copying other: Tokenizer) {
        name = other.name
        vocabularySize = other.vocabularySize
        vocabularySHA256 = other.vocabularySHA256
        (bosID, eosID) = (other.bosID, other.eosID)
        (addsBOS, addsEOS) = (other.addsBOS, other.addsEOS)
        recognisesAddedTokens = other.recognisesAddedTokens
        encoder = other.encoder.duplicate()
        passes = other.passes
        literals = other.literals
        silent = other.silent
    }

    /// A tokenizer for another thread: the tables are shared, caches and scratch are its own.
    public func duplicate() -> Tokenizer { Tokenizer(copying: self) }

    /// Appends the tokens of a text. No special token is put around it.
    ///
    /// - text: valid UTF-8 of less than 4 GiB; others trap as a bug of the caller.
    public func encode(_ text: UnsafeRawBufferPointer, into tokens: inout TokenSequence) {
        precondition(text.count < Int(UInt32.max), "bug: a text of 4 GiB or more")
        encode(text, 0..<text.count, pass: recognisesAddedTokens ? 0 : passes.count, into: &tokens)
    }

    private func encode(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, pass: Int, into tokens: inout TokenSequence) {
        guard pass < passes.count else {
            return encoder.encode(
                text, range, startsText: range.lowerBound == 0, recognising: recognisesAddedTokens, into: &tokens)
        }
        passes[pass].split(
            text, range,
            section: { encode(text, $0, pass: pass + 1, into: &tokens) },
            match: { id, range in tokens.append(id, range.lowerBound, range.upperBound) })
    }

    /// The bytes of text that a token stands for, out of context: an added token's are its string; none for control pieces that no
    /// text can give.
    ///
    /// Traps on an id outside the vocabulary.
    public func bytes(of id: UInt32) -> [UInt8] {
        precondition(Int(id) < vocabularySize, "bug: id \(id) outside the vocabulary")
        if let literal = literals[id] { return literal }
        return silent.contains(id) ? [] : encoder.bytes(of: Int(id))
    }

    /// The text of a sequence of tokens: their bytes one after the other, without the space that was put in front of the text.
    ///
    /// Bytes that do not make up characters stay as they are. Throws 65 for an id outside the vocabulary.
    public func decode(_ ids: [UInt32]) throws -> [UInt8] {
        var result: [UInt8] = []
        var isFirst = true
        for (at, id) in ids.enumerated() {
            guard Int(id) < vocabularySize else {
                throw Failure(.badData, name, .whole, "id \(id) at position \(at) is outside the vocabulary of \(vocabularySize)")
            }
            let bytes = bytes(of: id)
            let dropsPrefix = isFirst && literals[id] == nil && encoder.beginsWithPrefix(Int(id))
            result.append(contentsOf: bytes.dropFirst(dropsPrefix ? 1 : 0))
            if !bytes.isEmpty { isFirst = false }
        }
        return result
    }
}

/// What a vocabulary file yields.
struct TokenizerParts {
    var encoder: any SectionEncoder
    var size: Int
    var added: [AddedToken] = []
    /// Tokens whose bytes the encoder does not know.
    var literals: [UInt32: [UInt8]] = [:]
    var silent: Set<UInt32> = []
    var bosID: UInt32?
    var eosID: UInt32?
    var addsBOS = false
    var addsEOS = false
}
