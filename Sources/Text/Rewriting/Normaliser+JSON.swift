// Normalisers as tokenizer.json writes them: an object with a type and its fields, all of them known.

import Streams

extension Normaliser {
    /// A file cannot nest sequences deeper than this.
    private static let deepest = 100

    /// Reads the value of "normalizer" (not null).
    ///
    /// - name: the file, for messages. - compile: makes a pattern of a regular expression.
    /// Throws `Failure.badData` for a type or a field that is not known, missing or of the wrong kind.
    init(json: JSONValue, name: String, compile: @escaping (_ pattern: [UInt8]) throws -> any TextPattern) throws {
        self = try NormaliserReader(name: name, compile: compile).normaliser(json, depth: 1, limit: Self.deepest)
    }
}

private struct NormaliserReader {
    let name: String
    let compile: ([UInt8]) throws -> any TextPattern

    func normaliser(_ json: JSONValue, depth: Int, limit: Int) throws -> Normaliser {
        guard depth <= limit else { throw refuse("normalizer: nested deeper than \(limit)") }
        guard json.kind == .object, let type = json["type"]?.string else { throw refuse("normalizer: no object with a 'type'") }
        let fields = Fields(json: json, type: type, name: name)
        switch type {
        case "Sequence":
            let members = try fields.list("normalizers").map { try normaliser($0, depth: depth + 1, limit: limit) }
            try fields.checkKnown(["normalizers"])
            return .sequence(members)
        case "Replace":
            let replacement = try Replacement(pattern: pattern(fields.object("pattern")), content: fields.bytes("content"))
            try fields.checkKnown(["pattern", "content"])
            return .replace(replacement)
        case "Precompiled":
            let text = try fields.bytes("precompiled_charsmap")
            try fields.checkKnown(["precompiled_charsmap"])
            guard let blob = base64Decoded(text) else { throw refuse("normalizer: 'precompiled_charsmap' is not base64") }
            return try .charsmap(Charsmap(blob, name: name))
        default:
            return try simple(type, fields)
        }
    }

    private func simple(_ type: String, _ fields: Fields) throws -> Normaliser {
        let forms: [String: Normaliser] = [
            "NFC": .form(.nfc), "NFD": .form(.nfd), "NFKC": .form(.nfkc), "NFKD": .form(.nfkd), "Lowercase": .character(.lowercase),
            "StripAccents": .character(.stripAccents), "Nmt": .character(.nmt), "ByteLevel": .byteLevel,
        ]
        if let form = forms[type] {
            try fields.checkKnown([])
            return form
        }
        switch type {
        case "Prepend":
            try fields.checkKnown(["prepend"])
            return try .prepend(fields.bytes("prepend"))
        case "Strip":
            try fields.checkKnown(["strip_left", "strip_right"])
            return try .strip(Stripping(left: fields.flag("strip_left"), right: fields.flag("strip_right")))
        case "BertNormalizer":
            try fields.checkKnown(["clean_text", "handle_chinese_chars", "strip_accents", "lowercase"])
            return try .bert(
                BertCleaning(
                    cleans: fields.flag("clean_text"), spacesIdeographs: fields.flag("handle_chinese_chars"),
                    stripsAccents: fields.optionalFlag("strip_accents"), lowercases: fields.flag("lowercase")))
        default:
            throw refuse("normaliser '\(printable(type))' is not known")
        }
    }

    /// {"String": …} or {"Regex": …}
    private func pattern(_ json: JSONValue) throws -> any TextPattern {
        if json.count == 1, let literal = json["String"]?.bytes { return LiteralPattern(bytes: literal) }
        if json.count == 1, let expression = json["Regex"]?.bytes { return try compile(expression) }
        throw refuse("normaliser 'Replace': 'pattern' is neither a String nor a Regex")
    }

    private func refuse(_ what: String) -> Failure { Failure(.badData, name, .whole, what) }
}

/// The fields of one normaliser.
private struct Fields {
    let json: JSONValue
    let type: String
    let name: String

    func flag(_ key: String) throws -> Bool { try get(key, "true or false", \.boolean) }
    func bytes(_ key: String) throws -> [UInt8] { try get(key, "a string", \.bytes) }
    func object(_ key: String) throws -> JSONValue { try get(key, "an object") { $0.kind == .object ? $0 : nil } }
    func list(_ key: String) throws -> [JSONValue] { try get(key, "a list") { $0.kind == .array ? $0.elements : nil } }

    /// null and a missing field are the same.
    func optionalFlag(_ key: String) throws -> Bool? {
        guard let value = json[key], !value.isNull else { return nil }
        return try flag(key)
    }

    func checkKnown(_ known: [String]) throws {
        try json.forEachEntry { key, _ in
            guard key.elementsEqual("type".utf8) || known.contains(where: { key.elementsEqual($0.utf8) }) else {
                throw refuse("field '\(printable(key))' is not known")
            }
        }
    }

    private func get<Value>(_ key: String, _ expected: String, _ read: (JSONValue) -> Value?) throws -> Value {
        guard let value = json[key] else { throw refuse("'\(key)' is missing") }
        guard let result = read(value) else { throw refuse("'\(key)' is not \(expected)") }
        return result
    }

    private func refuse(_ what: String) -> Failure {
        Failure(.badData, name, .whole, "normaliser '\(printable(type))': \(what)")
    }
}
