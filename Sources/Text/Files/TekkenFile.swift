// Mistral's tekken.json: ranks in base64 with their split pattern, behind a block of special tokens.

import Streams

/// A tekken.json, versions 3 and later.
///
/// Ids are ranks plus the number of special tokens (1,000), of which the file names some or none. Special tokens are never read out of
/// a text, as in mistral-common. The vocabulary is cut at `default_vocab_size`.
struct TekkenFile {
    private let name: String
    private let vocabulary: Vocabulary
    private let pattern: [UInt8]
    private let specials: Int
    private var bosID: UInt32? = 1
    private var eosID: UInt32? = 2

    /// Whether a parsed file is one: an object with "config" and "vocab".
    static func looksLike(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var scanner = JSONScanner(bytes)
        do {
            try scanner.beginObject(uniqueKeys: false)
            let first = try scanner.nextKey().map { Array($0) }
            return first == Array("config".utf8) || first == Array("vocab".utf8)
        } catch { return false }
    }

    init(_ bytes: UnsafeRawBufferPointer, name: String) throws {
        self.name = name
        func refuse(_ what: String) -> Failure { Failure(.badData, name, .whole, what) }
        let root = try JSONValue.parse(bytes, name: name)
        guard let config = root["config"], config.kind == .object, let entries = root["vocab"], entries.kind == .array else {
            throw refuse("not a tekken.json: expected 'config' and 'vocab'")
        }
        guard let pattern = config["pattern"]?.bytes else { throw refuse("config: 'pattern' is no string") }
        guard let specials = config["default_num_special_tokens"]?.integer, let size = config["default_vocab_size"]?.integer, specials >= 0,
            size > specials, size < 1 << 22, entries.count >= size - specials
        else { throw refuse("config: 'default_vocab_size' and 'default_num_special_tokens' do not fit the \(entries.count) tokens") }
        self.pattern = pattern
        self.specials = specials
        vocabulary = Vocabulary(capacity: size)
        for _ in 0..<specials { vocabulary.appendUnnamed() }
        var token: [UInt8] = []
        for rank in 0..<size - specials {
            let entry = entries[rank]
            guard entry.kind == .object, entry["rank"]?.integer == rank else {
                throw refuse("vocab: entry \(rank) has not the rank \(rank)")
            }
            token.removeAll(keepingCapacity: true)
            guard let isWhole = entry["token_bytes"]?.withBytes({ decodeBase64($0, into: &token) }), isWhole, !token.isEmpty else {
                throw refuse("vocab: 'token_bytes' of entry \(rank) is not base64, or empty")
            }
            guard token.count <= RankedTokens.longestToken else { throw refuse("vocab: entry \(rank) has \(token.count) bytes") }
            if vocabulary.appendNew(token) != nil { throw refuse("vocab: entry \(rank) ('\(printable(token))') is there twice") }
        }
        try readSpecials(root["special_tokens"])
    }

    private mutating func readSpecials(_ list: JSONValue?) throws {
        guard let list, !list.isNull else { return }
        func refuse(_ what: String) -> Failure { Failure(.badData, name, .whole, "special_tokens: \(what)") }
        guard list.kind == .array else { throw refuse("no list") }
        var ranks: [[UInt8]: Int] = [:]
        var used: Set<Int> = []
        for (at, entry) in list.elements.enumerated() {
            guard let token = entry["token_str"]?.bytes, let rank = entry["rank"]?.integer, rank >= 0, rank < specials else {
                throw refuse("entry \(at) has no 'token_str' or no 'rank' below \(specials)")
            }
            guard ranks.updateValue(rank, forKey: token) == nil else { throw refuse("'\(printable(token))' is there twice") }
            guard used.insert(rank).inserted else { throw refuse("'\(printable(token))' has the rank \(rank), which another one has") }
        }
        bosID = ranks[Array("<s>".utf8)].map { UInt32($0) }
        eosID = ranks[Array("</s>".utf8)].map { UInt32($0) }
    }

    func parts() throws -> TokenizerParts {
        let tables = try RankedTokens(vocabulary, name: name).tables()
        let encoder: any SectionEncoder
        if let splitter = WordSplitter(patterns: [String(decoding: pattern, as: UTF8.self)]) {
            encoder = ByteLevelEncoder(tables, splitter: splitter, addsPrefixSpace: false)
        } else {
            encoder = try WordsEncoder(ByteLevelWords(tables), PreTokeniser.isolating([Pattern(pattern, name: name, syntax: .rust)]))
        }
        let silent = Set((0..<specials).map { UInt32($0) })
        return TokenizerParts(encoder: encoder, size: vocabulary.count, silent: silent, bosID: bosID, eosID: eosID)
    }
}
