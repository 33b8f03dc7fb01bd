// A tokenizer: a vocabulary with its rules, from whatever file it comes.

import Streams

/// Text to tokens with byte spans, and back.
///
/// - A token's span is exactly the original bytes that it stands for, half-open. The spans of a text tile it from 0 to its length, but
///   for bytes that the vocabulary's rules take away or that it cannot express. A piece of a character has its own bytes; a ▁ that no byte
///   of the text asked for, and special tokens around the text, have empty spans. Where a normaliser changed the text, a token covers all
///   of each changed stretch of which it holds a part (docs/decisions/0004-offsets.md).
/// - Ids are those of the tokenizers package for tokenizer.json, of sentencepiece for .model files, of tiktoken for files of ranks.
/// - Not for use from two threads at once: see `duplicate()`.
public final class Tokenizer {
    /// The path as the user named it.
    public let name: String
    /// The largest id plus one.
    public var vocabularySize: Int { parts.size }
    /// Of the file that holds the vocabulary, hexadecimal; of a GGUF without its tensors.
    public let vocabularySHA256: String
    public var bosID: UInt32? { parts.bosID }
    public var eosID: UInt32? { parts.eosID }
    /// The special tokens that the vocabulary's own files put around a text.
    public var prefix: [UInt32] { parts.prefix }
    public var suffix: [UInt32] { parts.suffix }
    /// Whether the vocabulary's own files put BOS in front of each text, and EOS behind it.
    public var addsBOS: Bool { bosID.map { prefix.contains($0) } ?? false }
    public var addsEOS: Bool { eosID.map { suffix.contains($0) } ?? false }
    /// Whether strings of added tokens in the text become those tokens, as with Hugging Face (default); else they are text.
    public var recognisesAddedTokens = true

    private let parts: TokenizerParts
    private let encoder: any SectionEncoder
    /// Added tokens that are found in the text as it is, and those that are found in what the normaliser leaves of it.
    private let written, normalised: AddedTokens
    private let specials: Set<UInt32>

    /// - name: the path as the user named it. - file: the vocabulary's own, for messages.
    init(_ parts: TokenizerParts, name: String, file: String, sha256: String) throws {
        self.name = name
        self.parts = parts
        vocabularySHA256 = sha256
        specials = parts.silent.subtracting(parts.added.filter { !$0.isSpecial }.map(\.id)).union(parts.added.filter(\.isSpecial).map(\.id))
        encoder = parts.encoder
        let searched = parts.added.filter { !($0.isNormalised && parts.encoderFindsNormalised) }
        let rewritten = searched.filter(\.isNormalised).map { token in
            var token = token
            token.content = parts.normaliser.map { Self.normalised(token.content, $0) } ?? token.content
            return token
        }
        written = try AddedTokens(searched.filter { !$0.isNormalised }, name: file)
        normalised = try AddedTokens(rewritten.filter { !$0.content.isEmpty }, name: file)
    }

    private init(copying other: Tokenizer) {
        name = other.name
        parts = other.parts
        vocabularySHA256 = other.vocabularySHA256
        recognisesAddedTokens = other.recognisesAddedTokens
        encoder = other.encoder.duplicate()
        (written, normalised, specials) = (other.written, other.normalised, other.specials)
    }

    /// A tokenizer for another thread: the tables are shared, caches and scratch are its own.
    public func duplicate() -> Tokenizer { Tokenizer(copying: self) }

    // MARK: Encoding

    /// Appends the tokens of a text. No special token is put around it.
    ///
    /// - text: valid UTF-8 of less than 4 GiB; others trap as a bug of the caller.
    public func encode(_ text: UnsafeRawBufferPointer, into tokens: inout TokenSequence) {
        precondition(text.count < Int(UInt32.max), "bug: a text of 4 GiB or more")
        let all = 0..<text.count
        guard recognisesAddedTokens && !written.isEmpty else { return encodeSection(text, all, into: &tokens) }
        written.split(
            text, all, section: { encodeSection(text, $0, into: &tokens) },
            match: { id, range in tokens.append(id, range.lowerBound, range.upperBound) })
    }

    /// Normalises a section where that changes anything, and looks for normalised added tokens in what is left.
    private func encodeSection(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, into tokens: inout TokenSequence) {
        let section = UnsafeRawBufferPointer(rebasing: text[range])
        guard let normaliser = parts.normaliser, !normaliser.leavesAlone(section) else {
            return encodePlain(text, range, into: &tokens)
        }
        var rewritten = RewrittenText(text, range)
        normaliser.apply(&rewritten)
        let all = 0..<rewritten.count
        guard recognisesAddedTokens && !normalised.isEmpty else {
            return encoder.encode(rewritten, all, recognising: recognisesAddedTokens, into: &tokens)
        }
        let bytes = rewritten.bytes
        bytes.withUnsafeBytes { bytes in
            normalised.split(
                bytes, all, section: { encoder.encode(rewritten, $0, recognising: true, into: &tokens) },
                match: { id, range in
                    let origin = rewritten.origin(range)
                    tokens.append(id, origin.lowerBound, origin.upperBound)
                })
        }
    }

    private func encodePlain(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, into tokens: inout TokenSequence) {
        func encode(_ range: Range<Int>) {
            encoder.encode(text, range, startsText: range.lowerBound == 0, recognising: recognisesAddedTokens, into: &tokens)
        }
        guard recognisesAddedTokens && !normalised.isEmpty else { return encode(range) }
        normalised.split(
            text, range, section: { encode($0) }, match: { id, range in tokens.append(id, range.lowerBound, range.upperBound) })
    }

    private static func normalised(_ content: [UInt8], _ normaliser: Normaliser) -> [UInt8] {
        var text = content.withUnsafeBytes { RewrittenText($0, 0..<$0.count) }
        normaliser.apply(&text)
        return text.bytes
    }

    // MARK: Decoding

    /// The bytes of text that a token stands for, out of context: an added token's are its string; none for control pieces that no
    /// text can give.
    ///
    /// Traps on an id outside the vocabulary.
    public func bytes(of id: UInt32) -> [UInt8] {
        precondition(Int(id) < vocabularySize, "bug: id \(id) outside the vocabulary")
        if let literal = parts.literals[id] { return literal }
        if parts.silent.contains(id) || Int(id) >= parts.modelSize { return [] }
        let bytes = encoder.bytes(of: Int(id))
        guard case .bytes(let mark, _) = parts.decoding, !mark.isEmpty else { return bytes }
        return replace(bytes, mark, by: [0x20])
    }

    /// A token as files of vocabularies write it: "Ġthe" in a byte-level one, "▁the" in one of pieces, "<0x0A>" for a byte of those. Empty
    /// for an id that nothing has.
    ///
    /// Traps on an id outside the vocabulary.
    public func spelling(of id: UInt32) -> [UInt8] {
        precondition(Int(id) < vocabularySize, "bug: id \(id) outside the vocabulary")
        if let written = parts.spellings[id] ?? parts.literals[id] { return written }
        return Int(id) < parts.modelSize ? encoder.spelling(of: Int(id)) : []
    }

    /// Whether a token stands for no text: BOS, EOS, the unknown token, the marks of chats.
    public func isSpecial(_ id: UInt32) -> Bool { specials.contains(id) }

    /// The text of a sequence of tokens: their bytes one after the other, without the space that was put in front of the text; words of a
    /// WordPiece vocabulary with spaces between them.
    ///
    /// - continuing: the tokens are from the middle of a text, so that a space in front of the first belongs to it.
    ///
    /// Bytes that do not make up characters stay as they are. Throws 65 for an id outside the vocabulary.
    public func decode(_ ids: [UInt32], continuing: Bool = false) throws -> [UInt8] {
        if let (at, id) = ids.enumerated().first(where: { Int($0.element) >= vocabularySize }) {
            throw Failure(.badData, name, .whole, "id \(id) at position \(at) is outside the vocabulary of \(vocabularySize)")
        }
        if case .words(let prefix, let cleans) = parts.decoding { return joinWords(ids, prefix: prefix, cleans: cleans, continuing) }
        var result: [UInt8] = []
        var isFirst = !continuing
        var dropsFirstSpace = false
        if case .bytes(_, let drops) = parts.decoding { dropsFirstSpace = drops }
        for id in ids {
            let bytes = bytes(of: id)
            let dropsPrefix = isFirst && bytes.first == 0x20 && (dropsFirstSpace || encoder.putsPrefix)
            result.append(contentsOf: bytes.dropFirst(dropsPrefix ? 1 : 0))
            if !bytes.isEmpty { isFirst = false }
        }
        return result
    }

    /// "em", "##bed" and "ding" are "embed ding".
    private func joinWords(_ ids: [UInt32], prefix: [UInt8], cleans: Bool, _ continuing: Bool) -> [UInt8] {
        var result: [UInt8] = []
        for id in ids {
            let bytes = bytes(of: id)
            var word: [UInt8] = []
            if !result.isEmpty || continuing, !prefix.isEmpty, bytes.starts(with: prefix) {
                word = Array(bytes.dropFirst(prefix.count))
            } else {
                if !result.isEmpty { word = [0x20] }
                word += bytes
            }
            result += cleans ? WordCleaning.clean(word) : word
        }
        return result
    }
}

/// What the decoder of a WordPiece vocabulary does with each token, the space in front of it included.
private enum WordCleaning {
    private static let rules: [([UInt8], [UInt8])] = [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"), (" do not", " don't"),
        (" 's", "'s"),
        (" 've", "'ve"), (" 're", "'re"),
    ].map { (Array($0.0.utf8), Array($0.1.utf8)) }

    static func clean(_ word: [UInt8]) -> [UInt8] {
        rules.reduce(word) { replace($0, $1.0, by: $1.1) }
    }
}

/// All occurrences of `old`, from the left, by `new`.
private func replace(_ bytes: [UInt8], _ old: [UInt8], by new: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var at = 0
    while at < bytes.count {
        if bytes[at] == old[0], bytes[at...].starts(with: old) {
            result += new
            at += old.count
        } else {
            result.append(bytes[at])
            at += 1
        }
    }
    return result
}

/// What a vocabulary file yields.
struct TokenizerParts {
    var encoder: any SectionEncoder
    /// The largest id plus one.
    var size: Int
    /// Ids below it are known to the encoder.
    let modelSize: Int
    var normaliser: Normaliser?
    var added: [AddedToken] = []
    /// The encoder itself looks for normalised added tokens, in the text as it writes it.
    var encoderFindsNormalised = false
    /// Tokens whose bytes the encoder does not know.
    var literals: [UInt32: [UInt8]] = [:]
    var silent: Set<UInt32> = []
    /// Tokens that files write otherwise than the encoder knows.
    var spellings: [UInt32: [UInt8]] = [:]
    var bosID: UInt32?
    var eosID: UInt32?
    /// Special tokens around a text.
    var prefix: [UInt32] = []
    var suffix: [UInt32] = []
    var decoding = Decoding.bytes()

    init(
        encoder: any SectionEncoder, size: Int, normaliser: Normaliser? = nil, added: [AddedToken] = [], literals: [UInt32: [UInt8]] = [:],
        silent: Set<UInt32> = [], spellings: [UInt32: [UInt8]] = [:], bosID: UInt32? = nil, eosID: UInt32? = nil
    ) {
        self.encoder = encoder
        self.size = size
        modelSize = size
        self.normaliser = normaliser
        self.added = added
        self.literals = literals
        for token in added where literals[token.id] == nil { self.literals[token.id] = token.content }
        self.silent = silent
        self.spellings = spellings
        self.bosID = bosID
        self.eosID = eosID
    }
}
