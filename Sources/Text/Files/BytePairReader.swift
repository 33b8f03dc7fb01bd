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

    private func byteLevel(_ entries: [Int?]) throws -> (ByteLevelTables, literals: [UInt32: [UInt8]]) {
        let special = Set(added.map { Int($0.id) })
        var builder = ByteLevelBuilder(name: file.name, capacity: entries.count)
        for (id, entry) in entries.enumerated() {
            guard let entry else {
                builder.skip()
                continue
            }
            // An added token's characters may lie outside the byte-level alphabet; in the text it is found as it is written.
            try contents.tokens.with(entry) { special.contains(id) ? builder.appendAdded($0) : try builder.append($0) }
        }
        for rank in 0..<contents.merges.count / 2 {
            try contents.merges.with(2 * rank) { left in
                try contents.merges.with(2 * rank + 1) { right in try builder.addMerge(left, right, rank: rank) }
            }
        }
        var unknown: UInt32?
        if let token = try unknownToken() {
            guard let id = try entry(of: token) else { throw file.unknownIsNoToken(token) }
            unknown = UInt32(id)
        }
        let tables = try builder.tables(
            ignoresMerges: file.flag("ignore_merges"), unknownID: unknown, fusesUnknown: file.flag("fuse_unk"))
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

    private func pieces(_ entries: [Int?], spacesAreBoundaries: Bool) throws -> PieceTables {
        let vocabulary = Vocabulary(capacity: entries.count)
        var characters: [UInt32: UInt32] = [:]
        for (id, entry) in entries.enumerated() {
            guard let entry else {
                vocabulary.appendUnnamed()
                continue
            }
            try contents.tokens.with(entry) { token in
                if vocabulary.appendNew(token) != nil { throw file.refuse("token '\(printable(Array(token)))' is there twice") }
                guard !token.isEmpty else { return }
                let (code, length) = decodeScalar(token, 0)
                if length == token.count { characters[code] = UInt32(id) }
            }
        }
        let byteIDs = try byteIDs(vocabulary)
        let unknown = try unknownToken().map { token in
            guard let id = vocabulary.id(of: token) else { throw file.unknownIsNoToken(token) }
            return UInt32(id)
        }
        return try PieceTables(
            vocabulary: vocabulary, merges: merges(vocabulary), characters: characters, byteIDs: byteIDs, unknownID: unknown,
            fusesUnknown: file.flag("fuse_unk"), spacesAreBoundaries: spacesAreBoundaries, ignoresMerges: file.flag("ignore_merges"))
    }

    private func merges(_ vocabulary: Vocabulary) throws -> MergeTable {
        var merges = MergeList(capacity: contents.merges.count / 2)
        var joined: [UInt8] = []
        for rank in 0..<contents.merges.count / 2 {
            try contents.merges.with(2 * rank) { left in
                try contents.merges.with(2 * rank + 1) { right in
                    joined.removeAll(keepingCapacity: true)
                    joined.append(contentsOf: left)
                    joined.append(contentsOf: right)
                    guard let first = vocabulary.id(of: left), let second = vocabulary.id(of: right), let result = vocabulary.id(of: joined)
                    else {
                        throw file.refuse(
                            "merge \(rank) ('\(printable(Array(left)))' and '\(printable(Array(right)))') names or makes what is no token")
                    }
                    merges.append(UInt32(first), UInt32(second), Merge(rank: UInt32(rank), result: UInt32(result)))
                }
            }
        }
        return try MergeTable(merges, name: file.name)
    }

    private func byteIDs(_ vocabulary: Vocabulary) throws -> [UInt32]? {
        guard try file.flag("byte_fallback") else { return nil }
        return try (0..<256).map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            let piece = "<0x" + (byte < 16 ? "0" : "") + digits + ">"
            guard let id = vocabulary.id(of: Array(piece.utf8)) else {
                throw file.refuse("model: 'byte_fallback' is true, but '\(piece)' is no token")
            }
            return UInt32(id)
        }
    }
}
