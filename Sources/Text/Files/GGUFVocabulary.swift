// Vocabularies inside GGUF files: tokenizer.ggml.model "gpt2" (byte-level) and "llama" (SentencePiece BPE).

import Streams

/// The vocabulary of a GGUF file.
struct GGUFVocabulary {
    private let file: GGUFFile

    init(_ file: GGUFFile) {
        self.file = file
    }

    /// Pre-tokenisers by the names that llama.cpp gives them.
    private static let splitters: [(name: String, splitter: WordSplitter)] = [
        ("gpt-2", .gpt2), ("smollm", .digitsThenGPT2), ("starcoder", .digitsThenGPT2),
    ]

    func parts() throws -> TokenizerParts {
        guard let model = file.value("tokenizer.ggml.model")?.string else {
            throw refuse("has no 'tokenizer.ggml.model': there is no vocabulary in it")
        }
        guard let tokens = file.value("tokenizer.ggml.tokens")?.strings, !tokens.isEmpty else {
            throw refuse("'tokenizer.ggml.tokens' is missing or no list of strings")
        }
        let types = file.value("tokenizer.ggml.token_type")?.integers
        if let types, types.count != tokens.count {
            throw refuse("'tokenizer.ggml.token_type' has \(types.count) entries but 'tokenizer.ggml.tokens' has \(tokens.count)")
        }
        switch model {
        case "gpt2": return try byteLevel(tokens, types)
        case "llama": return try pieces(tokens, types)
        default: throw refuse("vocabulary model '\(printable(model))' is not supported yet: expected gpt2 or llama")
        }
    }

    private func byteLevel(_ tokens: [[UInt8]], _ types: [Int64]?) throws -> TokenizerParts {
        guard let pre = file.value("tokenizer.ggml.pre")?.string else {
            throw refuse("'tokenizer.ggml.pre' is missing: how its words are cut is unknown")
        }
        guard let splitter = Self.splitters.first(where: { $0.name == pre })?.splitter else {
            throw refuse(
                "pre-tokeniser '\(printable(pre))' is not supported yet: expected \(Self.splitters.map(\.name).joined(separator: ", "))")
        }
        guard let merges = file.value("tokenizer.ggml.merges")?.strings else {
            throw refuse("'tokenizer.ggml.merges' is missing or no list of strings")
        }
        var added: [AddedToken] = []
        var builder = ByteLevelBuilder(name: file.name, capacity: tokens.count)
        var names = Vocabulary(capacity: tokens.count)
        for (id, token) in tokens.enumerated() {
            guard names.id(of: token) == nil else { throw refuse("token \(id) ('\(printable(token))') is there twice") }
            names.append(token)
            // Control and user-defined tokens are written as themselves and found in the text before merging.
            let kind = types.map { $0[id] } ?? 1
            if kind == 3 || kind == 4 {
                guard !token.isEmpty else { throw refuse("token \(id) is empty") }
                added.append(AddedToken(id: UInt32(id), content: token))
                builder.appendAdded(token)
            } else {
                try builder.append(token)
            }
        }
        for (rank, merge) in merges.enumerated() { try builder.addMerge(merge, rank: rank) }
        let encoder = builder.encoder(
            splitter: splitter, addsPrefixSpace: file.value("tokenizer.ggml.add_space_prefix")?.boolean ?? false, ignoresMerges: false)
        return try ends(TokenizerParts(encoder: encoder, size: tokens.count, added: added), addsBOS: false)
    }

    private func pieces(_ tokens: [[UInt8]], _ types: [Int64]?) throws -> TokenizerParts {
        guard let scores = file.value("tokenizer.ggml.scores")?.reals, scores.count == tokens.count else {
            throw refuse("'tokenizer.ggml.scores' is missing or has not one entry for each of the \(tokens.count) tokens")
        }
        guard let types else { throw refuse("'tokenizer.ggml.token_type' is missing") }
        var entries: [PieceEntry] = []
        var added: [AddedToken] = []
        for (id, token) in tokens.enumerated() {
            guard let kind = PieceEntry.Kind(rawValue: Int(types[id])) else {
                throw refuse("token \(id) has the type \(types[id]), not one of 1 to 6")
            }
            if kind == .control || kind == .userDefined, !token.isEmpty { added.append(AddedToken(id: UInt32(id), content: token)) }
            entries.append(PieceEntry(bytes: token, score: scores[id], kind: kind == .userDefined ? .control : kind))
        }
        let table = try PieceTable(entries, name: file.name)
        let encoder = PieceEncoder(
            table.tables(),
            normalisation: PieceNormalisation(
                prefix: file.value("tokenizer.ggml.add_space_prefix")?.boolean ?? true ? .always : .never, splitsAtBoundary: false))
        return try ends(TokenizerParts(encoder: encoder, size: tokens.count, added: added, silent: table.silent), addsBOS: true)
    }

    /// BOS and EOS by the file's keys; llama.cpp's default where it does not say whether to add them.
    private func ends(_ parts: TokenizerParts, addsBOS: Bool) throws -> TokenizerParts {
        var parts = parts
        func id(_ key: String) throws -> UInt32? {
            guard let value = file.value(key) else { return nil }
            guard let id = value.integer, id >= 0, id < parts.size else {
                throw refuse("'\(key)' is not the id of one of the \(parts.size) tokens")
            }
            return UInt32(id)
        }
        parts.bosID = try id("tokenizer.ggml.bos_token_id")
        parts.eosID = try id("tokenizer.ggml.eos_token_id")
        parts.addsBOS = file.value("tokenizer.ggml.add_bos_token")?.boolean ?? addsBOS
        parts.addsEOS = file.value("tokenizer.ggml.add_eos_token")?.boolean ?? false
        return parts
    }

    private func refuse(_ what: String) -> Failure {
        Failure(.badData, file.name, .whole, what)
    }
}
