// Reads a tokenizer.json: its long lists flat, everything else as values.

import Streams

/// The parts of a tokenizer.json.
struct TokenizerJSONContents {
    /// "normalizer", "pre_tokenizer" and so on; and the members of "model" but for the lists below.
    var members: [String: JSONValue] = [:]
    var model: [String: JSONValue] = [:]
    /// Tokens with their ids, or, of a Unigram model, with their scores, in the order of the file.
    var tokens = ByteStrings()
    var ids: [Int] = []
    var scores: [Double] = []
    var merges = WrittenMerges()
    var hasVocab = false
    var hasMerges = false
}

/// Fills the parts from the bytes of a file.
///
/// Plain JSON is read by the scanner, without a tree: a vocabulary of 150,000 takes milliseconds. Whatever is not plain goes to Jansson,
/// which finds the error or reads it after all.
struct TokenizerJSONReader {
    private let bytes: UnsafeRawBufferPointer
    private let name: String
    private var contents = TokenizerJSONContents()

    static func read(_ bytes: UnsafeRawBufferPointer, name: String) throws -> TokenizerJSONContents {
        var reader = TokenizerJSONReader(bytes, name)
        do { try reader.scan() } catch is JSONScanner.NotPlain {
            reader = TokenizerJSONReader(bytes, name)
            try reader.walk(JSONValue.parse(bytes, name: name))
        }
        guard reader.contents.members["model"]?.kind == .object else {
            throw Failure(.badData, name, .whole, "not a tokenizer.json: 'model' is missing or no object")
        }
        return reader.contents
    }

    private init(_ bytes: UnsafeRawBufferPointer, _ name: String) {
        self.bytes = bytes
        self.name = name
        // More than the densest file needs: memory that nothing touches costs nothing, and growing would copy all of it.
        contents.tokens = ByteStrings(count: bytes.count / 8, bytes: bytes.count)
        contents.ids.reserveCapacity(bytes.count / 8)
        contents.merges = WrittenMerges(count: bytes.count / 8, bytes: bytes.count)
    }

    private func refuse(_ what: String) -> Failure { Failure(.badData, name, .whole, what) }

    // MARK: By the scanner

    private mutating func scan() throws {
        var scanner = JSONScanner(bytes)
        try scanner.beginObject()
        while let key = try scanner.nextKey().map({ String(decoding: $0, as: UTF8.self) }) {
            if key == "model", try scanner.nextKind() == .object {
                contents.members["model"] = try JSONValue.parse(Array("{}".utf8), name: name)
                try scanModel(&scanner)
            } else {
                contents.members[key] = try value(&scanner)
            }
        }
        try scanner.end()
    }

    private mutating func scanModel(_ scanner: inout JSONScanner) throws {
        try scanner.beginObject()
        while let key = try scanner.nextKey().map({ String(decoding: $0, as: UTF8.self) }) {
            switch (key, try scanner.nextKind()) {
            case ("vocab", .object): try scanTokens(&scanner)
            case ("vocab", .array): try scanScoredTokens(&scanner)
            case ("merges", .array): try scanMerges(&scanner)
            default: contents.model[key] = try value(&scanner)
            }
        }
    }

    /// A value of moderate size, as a tree.
    private func value(_ scanner: inout JSONScanner) throws -> JSONValue {
        let start = scanner.position
        try scanner.skipValue()
        return try JSONValue.parse(UnsafeRawBufferPointer(rebasing: bytes[start..<scanner.position]), name: name, base: start)
    }

    private mutating func scanTokens(_ scanner: inout JSONScanner) throws {
        contents.hasVocab = true
        // Two entries with one token are found when the vocabulary is built.
        try scanner.beginObject(uniqueKeys: false)
        while let token = try scanner.nextKey() {
            contents.tokens.append(token)
            contents.ids.append(try scanner.integer())
        }
    }

    private mutating func scanScoredTokens(_ scanner: inout JSONScanner) throws {
        contents.hasVocab = true
        try scanner.beginArray()
        while try scanner.nextElement() {
            let start = scanner.position
            try scanner.skipValue()
            let pair = try JSONValue.parse(UnsafeRawBufferPointer(rebasing: bytes[start..<scanner.position]), name: name, base: start)
            try appendScored(pair)
        }
    }

    private mutating func scanMerges(_ scanner: inout JSONScanner) throws {
        contents.hasMerges = true
        try scanner.beginArray()
        while try scanner.nextElement() {
            switch try scanner.nextKind() {
            case .string: try contents.merges.append(scanner.string(), name: name)
            case .array:
                let rank = contents.merges.count
                try scanner.beginArray()
                var parts = 0
                while try scanner.nextElement() {
                    guard try scanner.nextKind() == .string else { throw refuse("merge \(rank) is neither a string nor a pair of strings") }
                    contents.merges.append(part: try scanner.string())
                    parts += 1
                }
                guard parts == 2 else { throw refuse("merge \(rank) has \(parts) parts, expected 2") }
            default: throw refuse("merge \(contents.merges.count) is neither a string nor a pair of strings")
            }
        }
    }

    private mutating func appendScored(_ pair: JSONValue) throws {
        guard pair.kind == .array, pair.count == 2, let token = pair[0].bytes, let score = pair[1].number else {
            throw refuse("model: entry \(contents.tokens.count) of 'vocab' is no pair of a token and a score")
        }
        token.withUnsafeBytes { contents.tokens.append($0) }
        contents.scores.append(score)
    }

    // MARK: By Jansson's tree

    private mutating func walk(_ root: JSONValue) throws {
        guard root.kind == .object else { throw refuse("not a tokenizer.json: expected an object") }
        root.forEachEntry { key, value in contents.members[String(decoding: key, as: UTF8.self)] = value }
        guard let model = root["model"], model.kind == .object else {
            contents.members["model"] = nil
            return
        }
        model.forEachEntry { key, value in contents.model[String(decoding: key, as: UTF8.self)] = value }
        if let vocab = contents.model.removeValue(forKey: "vocab") {
            switch vocab.kind {
            case .object:
                contents.hasVocab = true
                try vocab.forEachEntry { token, value in
                    guard let id = value.integer else {
                        throw refuse("model: token '\(printable(Array(token)))' has no id that is an integer")
                    }
                    contents.tokens.append(token)
                    contents.ids.append(id)
                }
            case .array:
                contents.hasVocab = true
                for pair in vocab.elements { try appendScored(pair) }
            default: contents.model["vocab"] = vocab
            }
        }
        if let merges = contents.model.removeValue(forKey: "merges") {
            guard merges.kind == .array else {
                contents.model["merges"] = merges
                return
            }
            contents.hasMerges = true
            for (rank, merge) in merges.elements.enumerated() {
                if let text = merge.bytes {
                    try text.withUnsafeBytes { try contents.merges.append($0, name: name) }
                } else {
                    guard merge.kind == .array else { throw refuse("merge \(rank) is neither a string nor a pair of strings") }
                    guard merge.count == 2 else { throw refuse("merge \(rank) has \(merge.count) parts, expected 2") }
                    guard let left = merge[0].bytes, let right = merge[1].bytes else {
                        throw refuse("merge \(rank) is neither a string nor a pair of strings")
                    }
                    left.withUnsafeBytes { contents.merges.append(part: $0) }
                    right.withUnsafeBytes { contents.merges.append(part: $0) }
                }
            }
        }
    }
}
