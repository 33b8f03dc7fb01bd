// The BPE model of a tokenizer.json: byte-level, or of pieces.

import Streams

/// Builds the parts of a byte-pair vocabulary.
struct BytePairReader {
    let file: TokenizerJSON
    let added: [AddedToken]
    private var contents: TokenizerJSONContents { file.contents }

    func parts() throws -> TokenizerParts {
        for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
            if let value = contents.model[key], !value.isNull, value.bytes != [] {
                throw file.refuse("model: '\(key)' is set, which is not supported")
            }
        }
        if let dropout = contents.model["dropout"], !dropout.isNull, dropout.number != 0 {
            throw file.refuse("model: 'dropout' is set: its tokens would be random")
        }
        // Also where a byte-level alphabet has no use for them: a value of another kind has no meaning.
        for key in ["fuse_unk", "byte_fallback", "ignore_merges"] { _ = try file.flag(key) }
        _ = try unknownToken()
        guard contents.hasMerges else { throw file.refuse("model: 'merges' is missing or no list") }
        let entries = try file.entriesByID()
        let plan = try TextPlan(file)
        switch plan.words {
        case .byteLevel(let splitter, let addsPrefixSpace):
            let (tables, literals) = try byteLevel(entries)
            let encoder = ByteLevelEncoder(tables, splitter: splitter, addsPrefixSpace: addsPrefixSpace)
            return TokenizerParts(encoder: encoder, size: entries.count, normaliser: plan.normaliser, literals: literals)
        case .bytesByRules(let rules):
            let (tables, literals) = try byteLevel(entries)
            let encoder = WordsEncoder(ByteLevelWords(tables), rules)
            return TokenizerParts(encoder: encoder, size: entries.count, normaliser: plan.normaliser, literals: literals)
        case .pieces(let normalisation):
            let tables = try pieces(entries, spacesAreBoundaries: true)
            // Beside a normaliser, normalised added tokens are looked for in what it leaves of the text.
            var parts = TokenizerParts(
                encoder: PieceEncoder(tables, normalisation: normalisation), size: entries.count, normaliser: plan.normaliser)
            if normalisation.comesFirst {
                let written = added.filter(\.isNormalised).map { token in
                    var token = token
                    token.content = normalisation.written(token.content)
                    return token
                }
                parts.encoder = try PieceEncoder(
                    tables, normalisation: normalisation, written: AddedTokens(written, name: file.name), writtenIsOptional: true)
                parts.encoderFindsNormalised = true
            }
            return parts
        case .rules(let rules):
            let encoder = try WordsEncoder(PieceWords(pieces(entries, spacesAreBoundaries: false)), rules)
            return TokenizerParts(encoder: encoder, size: entries.count, normaliser: plan.normaliser)
        }
    }

    private func unknownToken() throws -> [UInt8]? {
        guard let token = contents.model["unk_token"], !token.isNull else { return nil }
        guard let bytes = token.bytes else { throw file.refuse("model: 'unk_token' is no string") }
        return bytes
    }

    // MARK: Byte-level

    private func byteLevel(_ entries: [Int32]) throws -> (ByteLevelTables, literals: [UInt32: [UInt8]]) {
        // An added token's characters may lie outside the byte-level alphabet; in the text it is found as it is written.
        var isAdded = [Bool](repeating: false, count: entries.count)
        for token in added where token.id < entries.count { isAdded[Int(token.id)] = true }
        var builder = ByteLevelBuilder(name: file.name, capacity: entries.count)
        try contents.tokens.withView { tokens in
            try builder.append(entries.count, entry: { entries[$0] < 0 ? nil : tokens[Int(entries[$0])] }, isAdded: { isAdded[$0] })
        }
        var unknown: UInt32?
        if let token = try unknownToken() {
            guard let id = try entry(of: token) else { throw file.unknownIsNoToken(token) }
            unknown = UInt32(id)
        }
        let tables = try builder.tables(
            contents.merges, ignoresMerges: file.flag("ignore_merges"), unknownID: unknown, fusesUnknown: file.flag("fuse_unk"))
        return (tables, builder.literals)
    }

    /// The id of a token as the file writes it.
    private func entry(of token: [UInt8]) throws -> Int? {
        for at in 0..<contents.tokens.count where contents.tokens.range(at).count == token.count && contents.tokens[at] == token {
            return contents.ids[at]
        }
        return nil
    }

    // MARK: Pieces

    private func pieces(_ entries: [Int32], spacesAreBoundaries: Bool) throws -> PieceTables {
        var builder = PieceBuilder(name: file.name, capacity: entries.count)
        for entry in entries {
            if entry >= 0 { try contents.tokens.with(Int(entry)) { try builder.append($0) } } else { builder.skip() }
        }
        let byteIDs = try byteIDs(builder)
        let unknown = try unknownToken().map { token in
            guard let id = builder.id(of: token) else { throw file.unknownIsNoToken(token) }
            return id
        }
        return try builder.tables(
            contents.merges, byteIDs: byteIDs, unknownID: unknown, fusesUnknown: file.flag("fuse_unk"),
            spacesAreBoundaries: spacesAreBoundaries, ignoresMerges: file.flag("ignore_merges"))
    }

    private func byteIDs(_ pieces: PieceBuilder) throws -> [UInt32]? {
        guard try file.flag("byte_fallback") else { return nil }
        return try (0..<256).map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            let piece = "<0x" + (byte < 16 ? "0" : "") + digits + ">"
            guard let id = pieces.id(of: Array(piece.utf8)) else {
                throw file.refuse("model: 'byte_fallback' is true, but '\(piece)' is no token")
            }
            return id
        }
    }
}
