// Files of vocabularies: one that loads encodes and decodes a short text.
@testable import Streams
@testable import Text

extension FuzzTarget {
    static let gguf = FuzzTarget("gguf", longest: 7168) { bytes in
        let file = try GGUFFile(mapped(bytes))
        for key in file.keys {
            let value = file.value(key)
            agree(value != nil && file.place(key) != nil, "a key that is not found")
            _ = value?.array?.count
            _ = (value?.string, value?.real, value?.integer, value?.integers?.count, value?.reals?.count)
        }
        for tensor in file.tensors {
            agree(tensor.range.upperBound <= bytes.count && file.bytes(tensor).count == tensor.range.count, "a tensor outside")
            agree(file.tensor(tensor.name) == tensor, "a tensor that is not found")
        }
        try useVocabulary(GGUFVocabulary(file).parts(), isExact: false)
    }

    static let tokenizerJSON = FuzzTarget("tokenizer-json", longest: 4096) { bytes in
        try useVocabulary(TokenizerJSON(bytes, name: "input").parts(), isExact: false)
    }

    static let sentencePiece = FuzzTarget("sentencepiece", longest: 3072) { bytes in
        try useVocabulary(SentencePieceFile(bytes, name: "input").parts(), isExact: false)
    }

    static let tiktoken = FuzzTarget("tiktoken", longest: 4096) { bytes in
        _ = TiktokenFile.looksLike(Array(bytes.prefix(FileKind.sniffed)))
        let file = try TiktokenFile(bytes, name: "input")
        // How its words are cut follows from the number of ranks: a small file is refused for that alone.
        let tables = try RankedTokens(file.vocabulary, name: "input").tables()
        let encoder = ByteLevelEncoder(tables, splitter: .gpt2, addsPrefixSpace: false)
        try useVocabulary(TokenizerParts(encoder: encoder, size: file.vocabulary.count), isExact: true)
        _ = try file.parts()
    }

    static let tekken = FuzzTarget("tekken", longest: 16384) { bytes in
        _ = TekkenFile.looksLike(bytes)
        try useVocabulary(TekkenFile(bytes, name: "input").parts(), isExact: true)
    }
}

/// Encodes a text that holds some of everything and decodes it. `isExact`: every byte is a token, and nothing is rewritten.
private func useVocabulary(_ parts: TokenizerParts, isExact: Bool) throws {
    let tokenizer = try Tokenizer(parts, name: "input", file: "input", sha256: "")
    var tokens = TokenSequence()
    plainText.withUnsafeBytes { tokenizer.encode($0, into: &tokens) }
    agree(tokens.offsets.count == 2 * tokens.ids.count, "\(tokens.ids.count) tokens, \(tokens.offsets.count) offsets")
    for at in 0..<tokens.ids.count {
        let (start, end, id) = (tokens.offsets[2 * at], tokens.offsets[2 * at + 1], tokens.ids[at])
        agree(start <= end && end <= plainText.count, "the span \(start)..<\(end) of token \(at)")
        agree(id < tokenizer.vocabularySize, "id \(id) of \(tokenizer.vocabularySize)")
        _ = (tokenizer.bytes(of: id), tokenizer.spelling(of: id), tokenizer.isSpecial(id))
    }
    let decoded = try tokenizer.decode(tokens.ids)
    if isExact { agree(decoded == plainText, "decoded to another text: \(decoded)") }
    for id in tokenizer.prefix + tokenizer.suffix { agree(id < tokenizer.vocabularySize, "id \(id) around a text") }
}
