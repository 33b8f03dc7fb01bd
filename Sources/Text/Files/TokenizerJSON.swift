// Hugging Face tokenizer.json: BPE models, byte-level or with byte fallback. What is not supported is named and refused.

import Streams

/// A tokenizer.json, read in the order: added tokens, model, normaliser and pre-tokeniser, post-processor, decoder.
struct TokenizerJSON {
    let name: String
    let root: JSONValue
    let model: JSONValue

    init(_ bytes: UnsafeRawBufferPointer, name: String) throws {
        self.name = name
        root = try JSONValue.parse(bytes, name: name)
        guard let model = root["model"], model.kind == .object else {
            throw Failure(.badData, name, .whole, "not a tokenizer.json: 'model' is missing or no object")
        }
        self.model = model
    }

    func parts() throws -> TokenizerParts {
        if let version = root["version"], version.string != "1.0" { throw refuse("'version' is not \"1.0\"") }
        try checkModel()
        for key in ["truncation", "padding"] {
            if let value = root[key], !value.isNull { throw refuse("'\(key)' is set, which would change the tokens: remove it") }
        }
        try checkDecoder(root["decoder"])
        let added = try addedTokens()
        let entries = try vocabularyEntries(added)
        try checkAddedIDs(added)
        let plan = try TextPlan(self)
        var parts: TokenizerParts
        switch plan {
        case .byteLevel(let splitter, let addsPrefixSpace):
            parts = try byteLevel(entries, added, splitter, addsPrefixSpace)
        case .pieces(let normalisation):
            parts = try pieces(entries, added, normalisation)
        }
        try readPostProcessor(root["post_processor"], into: &parts)
        return parts
    }

    func refuse(_ what: String) -> Failure {
        Failure(.badData, name, .whole, what)
    }

    // MARK: Model

    private func checkModel() throws {
        // Old files leave the type of a BPE model out.
        if let type = model["type"], type.string != "BPE" {
            throw refuse("model type '\(printable(type.string ?? "null"))' is not supported yet: expected BPE")
        }
        for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
            if let value = model[key], !value.isNull, value.bytes != [] {
                throw refuse("model: '\(key)' is set, which is not supported yet")
            }
        }
        if let dropout = model["dropout"], !dropout.isNull, dropout.number != 0 {
            throw refuse("model: 'dropout' is set: its tokens would be random")
        }
    }

    private func flag(_ key: String) throws -> Bool {
        guard let value = model[key], !value.isNull else { return false }
        guard let flag = value.boolean else { throw refuse("model: '\(key)' is not true or false") }
        return flag
    }

    /// Tokens by id, nil for gaps; added tokens that the model does not list have their place too.
    private func vocabularyEntries(_ added: [AddedToken]) throws -> [[UInt8]?] {
        guard let vocab = model["vocab"], vocab.kind == .object else { throw refuse("model: 'vocab' is missing or no object") }
        var ids: [(id: Int, token: [UInt8])] = []
        ids.reserveCapacity(vocab.count)
        try vocab.forEachEntry { token, value in
            guard let id = value.integer, id >= 0, id < Self.mostIDs else {
                throw refuse("model: token '\(printable(token))' has no id between 0 and \(Self.mostIDs - 1)")
            }
            ids.append((id, Array(token)))
        }
        let size = max(ids.map(\.id).max() ?? -1, added.map { Int($0.id) }.max() ?? -1) + 1
        guard size > 0 else { throw refuse("model: 'vocab' is empty") }
        var entries = [[UInt8]?](repeating: nil, count: size)
        for (id, token) in ids {
            if let other = entries[id] { throw refuse("tokens '\(printable(other))' and '\(printable(token))' have one id, \(id)") }
            entries[id] = token
        }
        return entries
    }

    /// The tokenizers package goes by the order of added tokens, not by their ids: a file in which the two differ is refused.
    private func checkAddedIDs(_ added: [AddedToken]) throws {
        let vocab = model["vocab"]
        var next = vocab?.count ?? 0
        for entry in added {
            let expected: Int
            if let listed = vocab?[String(decoding: entry.content, as: UTF8.self)]?.integer {
                expected = listed
            } else {
                expected = next
                next += 1
            }
            guard Int(entry.id) == expected else {
                throw refuse("added token '\(printable(entry.content))' has the id \(entry.id), but its place makes it \(expected)")
            }
        }
    }

    private func byteLevel(
        _ entries: [[UInt8]?], _ added: [AddedToken], _ splitter: WordSplitter, _ addsPrefixSpace: Bool
    ) throws -> TokenizerParts {
        let special = Set(added.map { Int($0.id) })
        var builder = ByteLevelBuilder(name: name, capacity: entries.count)
        for (id, entry) in entries.enumerated() {
            // An added token's characters may lie outside the byte-level alphabet; in the text it is found as it is written.
            switch entry {
            case .some(let token) where special.contains(id): builder.appendAdded(token)
            case .some(let token): try builder.append(token)
            case .none: builder.skip()
            }
        }
        try forEachMerge { left, right, rank in try builder.addMerge(left, right, rank: rank) }
        let encoder = try builder.encoder(splitter: splitter, addsPrefixSpace: addsPrefixSpace, ignoresMerges: flag("ignore_merges"))
        return TokenizerParts(encoder: encoder, size: entries.count, added: added)
    }

    private func pieces(_ entries: [[UInt8]?], _ added: [AddedToken], _ normalisation: PieceNormalisation) throws -> TokenizerParts {
        if try flag("ignore_merges") { throw refuse("model: 'ignore_merges' without byte-level pre-tokenising is not supported yet") }
        var vocabulary = Vocabulary(capacity: entries.count)
        var characters: [UInt32: UInt32] = [:]
        for (id, entry) in entries.enumerated() {
            guard let entry, !entry.isEmpty else {
                vocabulary.appendUnnamed()
                continue
            }
            vocabulary.append(entry)
            let codes = codePoints(entry)
            if codes.count == 1 { characters[codes[0].code] = UInt32(id) }
        }
        let merges = MergeTable(capacity: 2 * entries.count)
        try forEachMerge { left, right, rank in
            guard let first = vocabulary.id(of: left), let second = vocabulary.id(of: right), let result = vocabulary.id(of: left + right)
            else {
                throw refuse("merge \(rank) ('\(printable(left))' and '\(printable(right))') names or makes what is no token")
            }
            merges.insert(UInt32(first), UInt32(second), Merge(rank: UInt32(rank), result: UInt32(result)))
        }
        var byteIDs: [UInt32]?
        if try flag("byte_fallback") {
            byteIDs = try (0..<256).map { byte in
                let digits = String(byte, radix: 16, uppercase: true)
                let piece = "<0x" + (byte < 16 ? "0" : "") + digits + ">"
                guard let id = vocabulary.id(of: piece.utf8) else {
                    throw refuse("model: 'byte_fallback' is true, but '\(piece)' is no token")
                }
                return UInt32(id)
            }
        }
        let unknown = try model["unk_token"].flatMap { $0.isNull ? nil : $0 }.map { token in
            guard let id = token.bytes.flatMap({ vocabulary.id(of: $0) }) else { throw refuse("model: 'unk_token' is no token") }
            return UInt32(id)
        }
        // Beside a normaliser, normalised added tokens are looked for in what it leaves of the text.
        let written = added.filter { $0.isNormalised && normalisation.comesFirst }.map { token in
            var token = token
            token.content = normalisation.written(token.content)
            return token
        }
        let tables = try PieceTables(
            vocabulary: vocabulary, merges: merges, characters: characters, byteIDs: byteIDs, unknownID: unknown,
            fusesUnknown: flag("fuse_unk"))
        let encoder = PieceEncoder(tables, normalisation: normalisation, written: written, writtenIsOptional: true)
        return TokenizerParts(
            encoder: encoder, size: entries.count, added: added.filter { !($0.isNormalised && normalisation.comesFirst) },
            literals: Dictionary(uniqueKeysWithValues: added.map { ($0.id, $0.content) }))
    }

    /// Merges in both spellings: "left right" and ["left", "right"].
    private func forEachMerge(_ body: (_ left: [UInt8], _ right: [UInt8], _ rank: Int) throws -> Void) throws {
        guard let merges = model["merges"], merges.kind == .array else { throw refuse("model: 'merges' is missing or no list") }
        for (rank, merge) in merges.elements.enumerated() {
            if let text = merge.bytes {
                let parts = text.split(separator: 0x20, omittingEmptySubsequences: false)
                guard parts.count == 2 else { throw refuse("merge \(rank) ('\(printable(text))') has \(parts.count) parts, expected 2") }
                try body(Array(parts[0]), Array(parts[1]), rank)
            } else {
                guard merge.kind == .array, merge.count == 2, let left = merge[0].bytes, let right = merge[1].bytes else {
                    throw refuse("merge \(rank) is neither a string nor a pair of strings")
                }
                try body(left, right, rank)
            }
        }
    }

    // MARK: Added tokens

    /// Ids are places in tables: a file cannot make them longer than this.
    private static let mostIDs = 1 << 22

    private func addedTokens() throws -> [AddedToken] {
        guard let list = root["added_tokens"], !list.isNull else { return [] }
        guard list.kind == .array else { throw refuse("'added_tokens' is no list") }
        var seen: Set<[UInt8]> = []
        return try list.elements.map { entry in
            guard entry.kind == .object, let id = entry["id"]?.integer, id >= 0, id < Self.mostIDs, let content = entry["content"]?.bytes
            else {
                throw refuse("an added token has no 'content' or no 'id' between 0 and \(Self.mostIDs - 1)")
            }
            guard !content.isEmpty else { throw refuse("added token \(id) is empty") }
            guard seen.insert(content).inserted else { throw refuse("added token '\(printable(content))' is there twice") }
            func rule(_ key: String) -> Bool { entry[key]?.boolean ?? false }
            return AddedToken(
                id: UInt32(id), content: content, stripsLeft: rule("lstrip"), stripsRight: rule("rstrip"), isWholeWord: rule("single_word"),
                isNormalised: rule("normalized"))
        }
    }

    // MARK: Around the text

    private func readPostProcessor(_ value: JSONValue?, into parts: inout TokenizerParts) throws {
        guard let value, !value.isNull else { return }
        switch value["type"]?.string {
        case "ByteLevel": return
        case "Sequence":
            for processor in value["processors"]?.elements ?? [] { try readPostProcessor(processor, into: &parts) }
        case "TemplateProcessing":
            try readTemplate(value, into: &parts)
        case let type:
            throw refuse("post-processor '\(printable(type ?? ""))' is not supported yet")
        }
    }

    /// At most one special token before the text, taken for BOS, and one behind it, taken for EOS.
    private func readTemplate(_ value: JSONValue, into parts: inout TokenizerParts) throws {
        guard let single = value["single"], single.kind == .array else { throw refuse("post-processor: 'single' is missing or no list") }
        var isBehind = false
        for item in single.elements {
            if item["Sequence"] != nil {
                isBehind = true
                continue
            }
            guard let token = item["SpecialToken"]?["id"]?.string, let ids = value["special_tokens"]?[token]?["ids"], ids.count == 1,
                let id = ids[0].integer, id >= 0, id < parts.size
            else { throw refuse("post-processor: a special token of the template is not defined") }
            guard (isBehind ? parts.eosID : parts.bosID) == nil else {
                throw refuse("post-processor: more than one special token on one side of the text is not supported yet")
            }
            if isBehind {
                parts.eosID = UInt32(id)
                parts.addsEOS = true
            } else {
                parts.bosID = UInt32(id)
                parts.addsBOS = true
            }
        }
    }

    private func checkDecoder(_ value: JSONValue?) throws {
        guard let value, !value.isNull else { return }
        switch value["type"]?.string {
        case "ByteLevel", "Metaspace", "ByteFallback", "Fuse", "Strip", "Replace": return
        case "Sequence":
            for decoder in value["decoders"]?.elements ?? [] { try checkDecoder(decoder) }
        case let type:
            throw refuse("decoder '\(printable(type ?? ""))' is not supported yet")
        }
    }
}
