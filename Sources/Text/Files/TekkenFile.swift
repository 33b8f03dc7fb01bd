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
        var scanned: Contents?
        do { scanned = try Contents(scanning: bytes, name: name) } catch is JSONScanner.NotPlain {}
        let contents = try scanned ?? Contents(walking: JSONValue.parse(bytes, name: name), name: name)
        let (pattern, size, specials) = try contents.settings(name: name)
        self.pattern = pattern
        self.specials = specials
        vocabulary = Vocabulary(capacity: size)
        for _ in 0..<specials { vocabulary.appendUnnamed() }
        try contents.tokens.withView { tokens in
            for rank in 0..<size - specials where vocabulary.appendNew(tokens[rank]) != nil {
                throw refuse("vocab: entry \(rank) ('\(printable(Array(tokens[rank])))') is there twice")
            }
        }
        try readSpecials(contents.specialTokens)
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

/// The parts of a tekken.json.
private struct Contents {
    var config: JSONValue
    var specialTokens: JSONValue?
    /// The bytes of tokens in the order of their ranks: at least those that the vocabulary is cut to.
    var tokens = ByteStrings()
    var entryCount = 0

    /// The split pattern, the ids of the vocabulary, and how many of them are special tokens'.
    func settings(name: String) throws -> (pattern: [UInt8], size: Int, specials: Int) {
        func refuse(_ what: String) -> Failure { Failure(.badData, name, .whole, "config: \(what)") }
        guard let pattern = config["pattern"]?.bytes else { throw refuse("'pattern' is no string") }
        guard let specials = config["default_num_special_tokens"]?.integer, let size = config["default_vocab_size"]?.integer, specials >= 0,
            size > specials, size < 1 << 22, entryCount >= size - specials
        else { throw refuse("'default_vocab_size' and 'default_num_special_tokens' do not fit the \(entryCount) tokens") }
        return (pattern, size, specials)
    }

    /// Reads a file in which all is as it should be, without a tree; whatever is not is `NotPlain`, for `init(walking:)` to judge.
    init(scanning bytes: UnsafeRawBufferPointer, name: String) throws {
        var scanner = JSONScanner(bytes)
        var (found, special): (JSONValue?, JSONValue?)
        var hasTokens = false
        tokens = ByteStrings(count: bytes.count / 8, bytes: bytes.count)
        func value(_ scanner: inout JSONScanner) throws -> JSONValue {
            let start = scanner.position
            try scanner.skipValue()
            return try JSONValue.parse(UnsafeRawBufferPointer(rebasing: bytes[start..<scanner.position]), name: name, base: start)
        }
        try scanner.beginObject()
        while let key = try scanner.nextKey().map({ Array($0) }) {
            switch key {
            case Array("config".utf8): found = try value(&scanner)
            case Array("special_tokens".utf8): special = try value(&scanner)
            case Array("vocab".utf8):
                hasTokens = true
                try Self.scanTokens(&scanner, into: &tokens)
            default: try scanner.skipValue()
            }
        }
        try scanner.end()
        guard let found, found.kind == .object, hasTokens else { throw JSONScanner.NotPlain() }
        (config, specialTokens, entryCount) = (found, special, tokens.count)
    }

    private static func scanTokens(_ scanner: inout JSONScanner, into tokens: inout ByteStrings) throws {
        let room = UnsafeMutablePointer<UInt8>.allocate(capacity: RankedTokens.longestToken + 3)
        defer { room.deallocate() }
        try scanner.beginArray()
        while try scanner.nextElement() {
            var (hasRank, length) = (false, 0)
            try scanner.beginObject()
            while let key = try scanner.nextKey() {
                if key.elementsEqual("rank".utf8) {
                    guard try scanner.integer() == tokens.count else { throw JSONScanner.NotPlain() }
                    hasRank = true
                } else if key.elementsEqual("token_bytes".utf8) {
                    let text = try scanner.string()
                    guard text.count / 4 * 3 <= RankedTokens.longestToken, let count = decodeBase64(text, to: room) else {
                        throw JSONScanner.NotPlain()
                    }
                    length = count
                } else {
                    try scanner.skipValue()
                }
            }
            guard hasRank, length > 0 else { throw JSONScanner.NotPlain() }
            tokens.append(UnsafeRawBufferPointer(start: room, count: length))
        }
    }

    /// Reads what the vocabulary is cut to. Throws 65, naming what is wrong.
    init(walking root: JSONValue, name: String) throws {
        func refuse(_ what: String) -> Failure { Failure(.badData, name, .whole, what) }
        guard let config = root["config"], config.kind == .object, let entries = root["vocab"], entries.kind == .array else {
            throw refuse("not a tekken.json: expected 'config' and 'vocab'")
        }
        (self.config, specialTokens, entryCount) = (config, root["special_tokens"], entries.count)
        let (_, size, specials) = try settings(name: name)
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
            token.withUnsafeBytes { tokens.append($0) }
        }
    }
}
