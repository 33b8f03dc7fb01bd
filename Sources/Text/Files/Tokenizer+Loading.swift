// Finds the vocabulary in a file or a folder, by what the file is, not by its name.

import Streams

extension Tokenizer {
    /// What a folder is searched for, in this order.
    static let folderOrder = ["tokenizer.json", "tokenizer.model", "tekken.json", "qwen.tiktoken"]

    /// Loads a tokenizer.json, a SentencePiece .model, a .tiktoken (also as tokenizer.model), a tekken.json, a .gguf with a vocabulary, or a
    /// folder: of those names the first of `folderOrder`, else a single .tiktoken, .model or .gguf.
    ///
    /// Throws 66 where nothing is found, 65 for a malformed file or a component that is not supported, which is named.
    public static func load(_ path: String) throws -> Tokenizer {
        let file = try vocabularyFile(path)
        let map = try MappedFile.open(file)
        var parts: TokenizerParts
        var hashed = map.bytes.count
        switch FileKind(Array(map.bytes.prefix(FileKind.sniffed))) {
        case .gguf:
            let gguf = try GGUFFile(map)
            parts = try GGUFVocabulary(gguf).parts()
            // The weights say nothing of the vocabulary, and hashing them would take longer than anything else here.
            hashed = gguf.tensors.map(\.range.lowerBound).min() ?? hashed
        case .jsonObject where TekkenFile.looksLike(map.bytes):
            parts = try TekkenFile(map.bytes, name: file).parts()
        case .jsonObject:
            parts = try TokenizerJSON(map.bytes, name: file).parts()
        case .unknown where map.bytes.first == 0x0A:
            parts = try SentencePieceFile(map.bytes, name: file).parts()
        case .unknown where TiktokenFile.looksLike(Array(map.bytes.prefix(FileKind.sniffed))):
            parts = try TiktokenFile(map.bytes, name: file).parts()
        case .empty:
            throw Failure(.badData, file, .whole, "empty, expected a vocabulary")
        case let kind:
            throw Failure(
                .badData, file, .whole, "not a vocabulary: this is \(kind.title)",
                hint: "expected a tokenizer.json, a SentencePiece .model, a .tiktoken, a tekken.json or a .gguf")
        }
        if parts.bosID == nil || parts.eosID == nil, file != path { try nameEnds(&parts, path + "/tokenizer_config.json") }
        return try Tokenizer(parts, name: path, file: file, sha256: SHA256.hex(map[0..<hashed]))
    }

    /// BOS and EOS by the names in a folder's tokenizer_config.json, where the vocabulary's own file does not tell. Whether they are put
    /// around a text stays with that file.
    private static func nameEnds(_ parts: inout TokenizerParts, _ path: String) throws {
        guard let map = try? MappedFile.open(path) else { return }
        let root = try JSONValue.parse(map.bytes, name: path)
        func id(_ key: String) -> UInt32? {
            guard let value = root[key], let content = value.bytes ?? value["content"]?.bytes else { return nil }
            return parts.added.first { $0.content == content }?.id
        }
        parts.bosID = parts.bosID ?? id("bos_token")
        parts.eosID = parts.eosID ?? id("eos_token")
    }

    private static func vocabularyFile(_ path: String) throws -> String {
        guard let names = try folderEntries(path) else { return path }
        for name in folderOrder where names.contains(name) { return path + "/" + name }
        for ending in [".tiktoken", ".model", ".gguf"] {
            let found = names.filter { $0.utf8.suffix(ending.utf8.count).elementsEqual(ending.utf8) }
            if found.count == 1 { return path + "/" + found[0] }
            guard found.isEmpty else {
                throw Failure(
                    .cannotOpen, path, .whole, "holds \(found.count) \(ending) files and no other vocabulary", hint: "name the file")
            }
        }
        throw Failure(
            .cannotOpen, path, .whole, "holds no vocabulary",
            hint: "a folder is searched for \(folderOrder.joined(separator: ", ")), a single .tiktoken, .model or .gguf; or name the file"
        )
    }
}
