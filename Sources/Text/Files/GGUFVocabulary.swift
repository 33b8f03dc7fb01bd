// Vocabularies inside GGUF files, by tokenizer.ggml.model: "gpt2" (byte-level), "llama" (SentencePiece BPE), "gemma4" (pieces with merges),
// "t5" (SentencePiece Unigram) and "bert" (WordPiece).

import Streams

/// The vocabulary of a GGUF file.
struct GGUFVocabulary {
    private let file: GGUFFile

    init(_ file: GGUFFile) {
        self.file = file
    }

    func parts() throws -> TokenizerParts {
        guard let model = file.value("tokenizer.ggml.model")?.string else {
            throw refuse("has no 'tokenizer.ggml.model': there is no vocabulary in it")
        }
        guard let tokens = try strings("tokenizer.ggml.tokens"), tokens.count > 0 else {
            throw refuse("'tokenizer.ggml.tokens' is missing or no list of strings", at: "tokenizer.ggml.tokens")
        }
        let types = file.value("tokenizer.ggml.token_type")?.integers
        if let types, types.count != tokens.count {
            throw refuse(
                "'tokenizer.ggml.token_type' has \(types.count) entries but 'tokenizer.ggml.tokens' has \(tokens.count)",
                at: "tokenizer.ggml.token_type")
        }
        switch model {
        case "gpt2": return try byteLevel(tokens, types)
        case "llama": return try pieces(tokens, types)
        case "t5": return try unigram(tokens, types)
        case "bert": return try wordPieces(tokens, types)
        case "gemma4": return try mergedPieces(tokens, types)
        default:
            throw refuse(
                "vocabulary model '\(printable(model))' is not supported: expected gpt2, llama, gemma4, t5 or bert",
                at: "tokenizer.ggml.model")
        }
    }

    private func byteLevel(_ tokens: ByteStrings, _ types: [Int64]?) throws -> TokenizerParts {
        guard let pre = file.value("tokenizer.ggml.pre")?.string else {
            throw refuse("'tokenizer.ggml.pre' is missing: how its words are cut is unknown", at: "tokenizer.ggml.pre")
        }
        guard let rule = try LlamaCppPreTokenisers.rule(pre) else {
            throw refuse(
                "pre-tokeniser '\(printable(pre))' is not supported: expected \(LlamaCppPreTokenisers.names.joined(separator: ", "))",
                at: "tokenizer.ggml.pre")
        }
        let merges = try merges()
        var added: [AddedToken] = []
        var builder = ByteLevelBuilder(name: file.name, capacity: tokens.count)
        // Control and user-defined tokens are written as themselves and found in the text before merging.
        func isAdded(_ id: Int) -> Bool { types.map { $0[id] == 3 || $0[id] == 4 } ?? false }
        try tokens.withView { tokens in
            try builder.append(tokens.count, entry: { tokens[$0] }, isAdded: isAdded)
        }
        for id in 0..<tokens.count where isAdded(id) {
            added.append(AddedToken(id: UInt32(id), content: tokens[id], isSpecial: types?[id] == 3))
        }
        let tables = try builder.tables(merges, ignoresMerges: LlamaCppPreTokenisers.ignoresMerges(pre))
        let addsPrefixSpace = file.value("tokenizer.ggml.add_space_prefix")?.boolean ?? false
        let encoder: any SectionEncoder
        switch rule {
        case .scanner(let splitter): encoder = ByteLevelEncoder(tables, splitter: splitter, addsPrefixSpace: addsPrefixSpace)
        case .steps(let steps):
            guard !addsPrefixSpace else {
                throw refuse(
                    "'tokenizer.ggml.add_space_prefix' beside pre-tokeniser '\(pre)' is not supported",
                    at: "tokenizer.ggml.add_space_prefix")
            }
            encoder = WordsEncoder(ByteLevelWords(tables), steps)
        }
        return try ends(
            TokenizerParts(encoder: encoder, size: tokens.count, added: added, literals: builder.literals), addsBOS: false)
    }

    /// The pieces with their scores and types; control and user-defined ones are found in the text before the rest.
    private func entries(_ tokens: ByteStrings, _ types: [Int64]?) throws -> (entries: [PieceEntry], added: [AddedToken]) {
        guard let scores = file.value("tokenizer.ggml.scores")?.reals, scores.count == tokens.count else {
            throw refuse(
                "'tokenizer.ggml.scores' is missing or has not one entry for each of the \(tokens.count) tokens",
                at: "tokenizer.ggml.scores")
        }
        guard let types else { throw refuse("'tokenizer.ggml.token_type' is missing") }
        var entries: [PieceEntry] = []
        var added: [AddedToken] = []
        var hasUnknown = false
        for id in 0..<tokens.count {
            let token = tokens[id]
            guard var kind = PieceEntry.Kind(rawValue: Int(types[id])) else {
                throw refuse("token \(id) has the type \(types[id]), not one of 1 to 6", at: "tokenizer.ggml.token_type")
            }
            if kind == .control || kind == .userDefined, !token.isEmpty {
                added.append(AddedToken(id: UInt32(id), content: token, isSpecial: kind == .control))
            }
            // Files of converted models mark several tokens as unknown; the first one is.
            if kind == .userDefined || kind == .unknown && hasUnknown { kind = .control }
            hasUnknown = hasUnknown || kind == .unknown
            entries.append(PieceEntry(bytes: token, score: scores[id], kind: kind))
        }
        return (entries, added)
    }

    private func pieces(_ tokens: ByteStrings, _ types: [Int64]?) throws -> TokenizerParts {
        let (entries, added) = try entries(tokens, types)
        let table = try PieceTable(entries, name: file.name)
        let encoder = PieceEncoder(
            try table.tables(),
            normalisation: PieceNormalisation(
                prefix: file.value("tokenizer.ggml.add_space_prefix")?.boolean ?? true ? .always : .never, splitsAtBoundary: false))
        return try ends(
            TokenizerParts(
                encoder: encoder, size: tokens.count, added: added, silent: table.silent, spellings: table.spellings), addsBOS: true)
    }

    private func unigram(_ tokens: ByteStrings, _ types: [Int64]?) throws -> TokenizerParts {
        let (entries, added) = try entries(tokens, types)
        let table = try PieceTable(entries, name: file.name, listsMerges: false)
        let blob = file.value("tokenizer.ggml.precompiled_charsmap")?.integers?.map { UInt8(truncatingIfNeeded: $0) } ?? []
        let normaliser = try SentencePieceNormaliser(
            charsmap: blob.isEmpty ? nil : Charsmap(blob, name: file.name),
            addsDummyPrefix: file.value("tokenizer.ggml.add_space_prefix")?.boolean ?? true,
            removesExtraWhitespace: file.value("tokenizer.ggml.remove_extra_whitespaces")?.boolean ?? false)
        let encoder = try table.unigramEncoder(entries, normaliser: normaliser, name: file.name)
        return try ends(
            TokenizerParts(
                encoder: encoder, size: tokens.count, added: added, silent: table.silent, spellings: table.spellings), addsBOS: false)
    }

    /// BERT's: llama.cpp writes a word's beginning with ▁ in front and leaves ## away.
    private func wordPieces(_ tokens: ByteStrings, _ types: [Int64]?) throws -> TokenizerParts {
        guard let types else { throw refuse("'tokenizer.ggml.token_type' is missing") }
        guard let unknown = file.value("tokenizer.ggml.unknown_token_id")?.integer, unknown >= 0, unknown < tokens.count else {
            throw refuse(
                "'tokenizer.ggml.unknown_token_id' is not the id of one of the \(tokens.count) tokens",
                at: "tokenizer.ggml.unknown_token_id")
        }
        var added: [AddedToken] = []
        let entries: [[UInt8]] = (0..<tokens.count).map { id in
            let token = tokens[id]
            if types[id] == 3 {
                if !token.isEmpty { added.append(AddedToken(id: UInt32(id), content: token, isSpecial: true)) }
                return token
            }
            return token.starts(with: PieceTables.boundary) ? Array(token.dropFirst(3)) : Array("##".utf8) + token
        }
        let model = try WordPieceModel(
            entries: entries, unknownID: Int(unknown), prefix: Array("##".utf8), longestWord: 100, name: file.name)
        let cleaning = #"{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true}"#
        let normaliser = try Normaliser(json: JSONValue.parse(Array(cleaning.utf8), name: file.name), name: file.name) {
            try Pattern($0, name: file.name)
        }
        var parts = TokenizerParts(
            encoder: WordsEncoder(ModelWords(model), .bert), size: tokens.count, normaliser: normaliser, added: added)
        parts.decoding = .words(prefix: Array("##".utf8), cleans: true)
        func special(_ key: String) throws -> UInt32? {
            guard let id = file.value(key)?.integer else { return nil }
            guard id >= 0, id < tokens.count else {
                throw refuse("'\(key)' is not the id of one of the \(tokens.count) tokens", at: key)
            }
            return UInt32(id)
        }
        parts.bosID = try special("tokenizer.ggml.cls_token_id") ?? special("tokenizer.ggml.bos_token_id")
        parts.eosID = try special("tokenizer.ggml.seperator_token_id") ?? special("tokenizer.ggml.eos_token_id")
        parts.prefix = parts.bosID.map { [$0] } ?? []
        parts.suffix = parts.eosID.map { [$0] } ?? []
        return parts
    }

    /// Gemma 4's: pieces with a list of merges, spaces written ▁.
    private func mergedPieces(_ tokens: ByteStrings, _ types: [Int64]?) throws -> TokenizerParts {
        guard let types else { throw refuse("'tokenizer.ggml.token_type' is missing") }
        let merges = try merges()
        var builder = PieceBuilder(name: file.name, capacity: tokens.count)
        var added: [AddedToken] = []
        var bytes = [UInt32?](repeating: nil, count: 256)
        var unknown: UInt32?
        for id in 0..<tokens.count {
            if types[id] == 3 || types[id] == 4, !tokens.range(id).isEmpty {
                added.append(AddedToken(id: UInt32(id), content: tokens[id], isSpecial: types[id] == 3))
            }
            if types[id] == 2 { unknown = UInt32(id) }
            if types[id] == 6 {
                guard let byte = byteValue(tokens[id]) else {
                    throw refuse("token \(id) is no byte token: expected <0x00> to <0xFF>", at: "tokenizer.ggml.tokens")
                }
                bytes[byte] = UInt32(id)
            }
            try tokens.with(id) { token in
                guard firstInvalidUTF8(token) == nil else { throw refuse("token \(id) is not UTF-8", at: "tokenizer.ggml.tokens") }
                try builder.append(token)
            }
        }
        let present = bytes.compactMap { $0 }
        guard present.isEmpty || present.count == 256 else {
            throw refuse("has \(present.count) byte tokens, expected 256 or none", at: "tokenizer.ggml.tokens")
        }
        let tables = try builder.tables(
            merges, byteIDs: present.isEmpty ? nil : present, unknownID: unknown, fusesUnknown: true)
        let prefix: PrefixRule = file.value("tokenizer.ggml.add_space_prefix")?.boolean ?? false ? .always : .never
        let encoder = PieceEncoder(tables, normalisation: PieceNormalisation(prefix: prefix, splitsAtBoundary: false))
        return try ends(TokenizerParts(encoder: encoder, size: tokens.count, added: added), addsBOS: true)
    }

    /// An array of strings; nil where there is none.
    private func strings(_ key: String) throws -> ByteStrings? {
        guard let array = file.value(key)?.array else { return nil }
        var strings = ByteStrings(count: array.count)
        let areStrings = try array.forEachString { token in
            guard token.count <= RankedTokens.longestToken else {
                throw refuse("token \(strings.count) has \(token.count) bytes, more than \(RankedTokens.longestToken)", at: key)
            }
            strings.append(token)
        }
        return areStrings ? strings : nil
    }

    private func merges() throws -> WrittenMerges {
        var merges = WrittenMerges()
        guard let array = file.value("tokenizer.ggml.merges")?.array,
            try array.forEachString({ try merges.append($0, name: file.name) })
        else { throw refuse("'tokenizer.ggml.merges' is missing or no list of strings", at: "tokenizer.ggml.merges") }
        return merges
    }

    /// BOS and EOS by the file's keys; llama.cpp's default where it does not say whether to add them.
    private func ends(_ parts: TokenizerParts, addsBOS: Bool) throws -> TokenizerParts {
        var parts = parts
        func id(_ key: String) throws -> UInt32? {
            guard let value = file.value(key) else { return nil }
            guard let id = value.integer, id >= 0, id < parts.size else {
                throw refuse("'\(key)' is not the id of one of the \(parts.size) tokens", at: key)
            }
            return UInt32(id)
        }
        parts.bosID = try id("tokenizer.ggml.bos_token_id")
        parts.eosID = try id("tokenizer.ggml.eos_token_id")
        if let bos = parts.bosID, file.value("tokenizer.ggml.add_bos_token")?.boolean ?? addsBOS { parts.prefix = [bos] }
        if let eos = parts.eosID, file.value("tokenizer.ggml.add_eos_token")?.boolean ?? false { parts.suffix = [eos] }
        return parts
    }

    /// At the entry of `key`, where the file has one.
    private func refuse(_ what: String, at key: String? = nil) -> Failure {
        Failure(.badData, file.name, key.flatMap(file.place).map { .byte($0) } ?? .whole, what)
    }
}
