// Hugging Face tokenizer.json: which of our parts a file asks for. What is not known is named and refused.

import Streams

/// A tokenizer.json, read in the order: model, added tokens, normaliser and pre-tokeniser, post-processor, decoder.
struct TokenizerJSON {
    let name: String
    let contents: TokenizerJSONContents

    init(_ bytes: UnsafeRawBufferPointer, name: String) throws {
        self.name = name
        contents = try TokenizerJSONReader.read(bytes, name: name)
    }

    /// What may stand at the top. A word that is no member would be passed over in silence, and the text be treated otherwise.
    private static let known: Set = [
        "version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model",
    ]

    func parts() throws -> TokenizerParts {
        if let other = contents.members.keys.filter({ !Self.known.contains($0) }).min() {
            throw refuse("'\(printable(other.utf8))' is not a member of a tokenizer.json")
        }
        if let version = contents.members["version"], version.string != "1.0" { throw refuse("'version' is not \"1.0\"") }
        try checkLengthRules()
        let added = try addedTokens()
        var parts = try model(added)
        parts.added = added
        parts.size = max(parts.size, (parts.added.map { Int($0.id) }.max() ?? -1) + 1)
        try checkAddedIDs(parts.added)
        for token in parts.added { parts.literals[token.id] = token.content }
        try TemplateReader(file: self).read(into: &parts)
        parts.decoding = try DecoderReader(file: self).decoding()
        return parts
    }

    func refuse(_ what: String) -> Failure { Failure(.badData, name, .whole, what) }

    func unknownIsNoToken(_ token: [UInt8]) -> Failure { refuse("model: 'unk_token' is '\(printable(token))', which is no token") }

    /// A member that is there and not null.
    func member(_ key: String) -> JSONValue? { contents.members[key].flatMap { $0.isNull ? nil : $0 } }

    // MARK: The model

    private func model(_ added: [AddedToken]) throws -> TokenizerParts {
        let type = contents.model["type"]
        switch type?.string {
        case "BPE": return try BytePairReader(file: self, added: added).parts()
        // Old files leave the type of a BPE model out.
        case nil where type == nil && contents.hasMerges: return try BytePairReader(file: self, added: added).parts()
        case "Unigram": return try UnigramReader(file: self).parts()
        case "WordPiece": return try WordPieceReader(file: self).parts()
        default:
            throw refuse("model type '\(printable(type?.string ?? "null"))' is not supported: expected BPE, Unigram or WordPiece")
        }
    }

    /// A setting of the model that is true or false; false where it is absent.
    func flag(_ key: String) throws -> Bool {
        guard let value = contents.model[key], !value.isNull else { return false }
        guard let flag = value.boolean else { throw refuse("model: '\(key)' is not true or false") }
        return flag
    }

    /// Ids are places in tables: a file cannot make them longer than this.
    static let mostIDs = 1 << 22

    /// Which entry of the list of tokens has each id; -1 for gaps. Throws for two tokens with one id.
    func entriesByID() throws -> [Int32] {
        guard contents.hasVocab, contents.ids.count == contents.tokens.count else {
            throw refuse("model: 'vocab' is missing or no object")
        }
        // Every id costs up to 80 bytes of tables, gaps too: there may be as many as tokens, and room for a few reserved.
        let most = min(Self.mostIDs, 2 * contents.ids.count + (1 << 16))
        var size = 0
        for (at, id) in contents.ids.enumerated() {
            guard id >= 0, id < most else {
                throw refuse("model: token '\(printable(contents.tokens[at]))' has no id between 0 and \(most - 1)")
            }
            size = max(size, id + 1)
        }
        guard size > 0 else { throw refuse("model: 'vocab' is empty") }
        var entries = [Int32](repeating: -1, count: size)
        for (at, id) in contents.ids.enumerated() {
            if entries[id] >= 0 {
                let other = Int(entries[id])
                throw refuse(
                    "tokens '\(printable(contents.tokens[other]))' and '\(printable(contents.tokens[at]))' have one id, \(id)")
            }
            entries[id] = Int32(at)
        }
        return entries
    }

    // MARK: Added tokens

    private func addedTokens() throws -> [AddedToken] {
        guard let list = contents.members["added_tokens"] else { return [] }
        guard list.kind == .array else { throw refuse("'added_tokens' is no list") }
        var seen: Set<[UInt8]> = []
        return try list.elements.map { entry in
            guard entry.kind == .object, let id = entry["id"]?.integer, id >= 0, id < Self.mostIDs, let content = entry["content"]?.bytes
            else {
                throw refuse("an added token has no 'content' or no 'id' between 0 and \(Self.mostIDs - 1)")
            }
            guard !content.isEmpty else { throw refuse("added token \(id) is empty") }
            guard seen.insert(content).inserted else { throw refuse("added token '\(printable(content))' is there twice") }
            func rule(_ key: String) throws -> Bool {
                guard let value = entry[key] else { return false }
                guard let flag = value.boolean else { throw refuse("added token '\(printable(content))': '\(key)' is not true or false") }
                return flag
            }
            return try AddedToken(
                id: UInt32(id), content: content, stripsLeft: rule("lstrip"), stripsRight: rule("rstrip"), isWholeWord: rule("single_word"),
                isNormalised: rule("normalized"), isSpecial: rule("special"))
        }
    }

    /// The tokenizers package goes by the order of added tokens, not by their ids: a file in which the two differ is refused.
    private func checkAddedIDs(_ added: [AddedToken]) throws {
        guard !added.isEmpty else { return }
        let wanted = Vocabulary(capacity: added.count)
        for entry in added { wanted.append(entry.content) }
        var listed = [Int?](repeating: nil, count: added.count)
        var begins = [Bool](repeating: false, count: 256)
        for entry in added { begins[Int(entry.content[0])] = true }
        contents.tokens.withView { tokens in
            for at in 0..<tokens.count {
                let token = tokens[at]
                guard !token.isEmpty, begins[Int(token[0])], let place = wanted.id(of: token) else { continue }
                listed[place] = contents.ids.isEmpty ? at : contents.ids[at]
            }
        }
        var next = contents.tokens.count
        for (place, entry) in added.enumerated() {
            let expected: Int
            if let id = listed[place] {
                expected = id
            } else {
                expected = next
                next += 1
            }
            guard Int(entry.id) == expected else {
                throw refuse("added token '\(printable(entry.content))' has the id \(entry.id), but its place makes it \(expected)")
            }
        }
    }

    // MARK: Truncation and padding

    /// They are rules for batches of a model, not for a corpus: checked, and then not applied, as transformers does by default.
    private func checkLengthRules() throws {
        if let truncation = member("truncation") {
            guard truncation.kind == .object, let length = truncation["max_length"]?.integer, length >= 0,
                let stride = truncation["stride"]?.integer, stride >= 0, stride == 0 || stride < length
            else { throw refuse("'truncation' has no 'max_length' and no 'stride' below it") }
        }
        if let padding = member("padding") {
            guard padding.kind == .object else { throw refuse("'padding' is no object") }
            if let fixed = padding["strategy"]?["Fixed"] {
                guard let length = fixed.integer, length > 0 else { throw refuse("'padding': the length is not a number from 1 up") }
            }
        }
    }
}
