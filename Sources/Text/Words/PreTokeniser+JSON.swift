// Pre-tokenisers as tokenizer.json writes them: an object with a type and its fields, all of them known.

import Streams

extension PreTokeniser {
    /// A file cannot nest sequences deeper than this.
    private static let deepest = 100
    /// Steps that put something before words could make many words of one, over and over.
    private static let mostPrefixSteps = 4

    /// Reads the value of "pre_tokenizer" (not null).
    ///
    /// - name: the file, for messages.
    /// Throws `Failure.badData` for a type, a field or a value that is not known, missing or of the wrong kind, and for patterns that
    /// `Pattern` refuses.
    init(json: JSONValue, name: String) throws {
        self = try PreTokeniserReader(name: name).preTokeniser(json, depth: 1, limit: Self.deepest)
        guard prefixSteps <= Self.mostPrefixSteps else {
            throw Failure(.badData, name, .whole, "pre-tokeniser: more than \(Self.mostPrefixSteps) steps add a prefix to words")
        }
    }
}

private struct PreTokeniserReader {
    let name: String

    func preTokeniser(_ json: JSONValue, depth: Int, limit: Int) throws -> PreTokeniser {
        guard depth <= limit else { throw refuse("pre-tokeniser: nested deeper than \(limit)") }
        guard json.kind == .object, let type = json["type"]?.string else { throw refuse("pre-tokeniser: no object with a 'type'") }
        let fields = Fields(json: json, type: type, name: name)
        if type == "Sequence" {
            try fields.checkKnown(["pretokenizers"])
            guard let list = json["pretokenizers"], list.kind == .array else { throw fields.refuse("'pretokenizers' is no list") }
            // Sequences in sequences are written out.
            let steps = try list.elements.flatMap { element in
                let step = try preTokeniser(element, depth: depth + 1, limit: limit)
                if case .sequence(let inner) = step { return inner }
                return [step]
            }
            if let byteLevel = steps.firstIndex(where: { if case .byteLevel = $0 { true } else { false } }) {
                guard steps[(byteLevel + 1)...].allSatisfy({ $0.onlyCuts }) else {
                    throw refuse("pre-tokeniser: neither 'ByteLevel' nor 'Metaspace' may follow 'ByteLevel'")
                }
            }
            return .sequence(steps)
        }
        return try simple(type, fields)
    }

    private func simple(_ type: String, _ fields: Fields) throws -> PreTokeniser {
        switch type {
        case "ByteLevel":
            try fields.checkKnown(["add_prefix_space", "trim_offsets", "use_regex"])
            _ = try fields.flag("trim_offsets", missing: true)
            return try .byteLevel(
                addsPrefixSpace: fields.flag("add_prefix_space", missing: true), usesPattern: fields.flag("use_regex", missing: true))
        case "Split":
            try fields.checkKnown(["pattern", "behavior", "invert"])
            return try .split(pattern(fields), fields.behaviour(missing: nil), isInverted: fields.flag("invert", missing: false))
        case "Metaspace":
            return try metaspace(fields)
        case "Digits":
            try fields.checkKnown(["individual_digits"])
            return try .digits(areSingle: fields.flag("individual_digits", missing: nil))
        case "Punctuation":
            try fields.checkKnown(["behavior"])
            return try .punctuation(fields.behaviour(missing: .isolated))
        case "CharDelimiterSplit":
            try fields.checkKnown(["delimiter"])
            return try .delimiter(fields.character("delimiter"))
        case "FixedLength":
            try fields.checkKnown(["length"])
            let length = fields.json["length"] == nil ? 5 : fields.json["length"]?.integer
            guard let length, length > 0 else { throw fields.refuse("'length' is not a positive number") }
            return .fixedLength(length)
        case "Whitespace", "WhitespaceSplit", "BertPreTokenizer", "UnicodeScripts":
            try fields.checkKnown([])
            switch type {
            case "Whitespace": return .whitespace
            case "WhitespaceSplit": return .whitespaceSplit
            case "BertPreTokenizer": return .bert
            default: return .unicodeScripts
            }
        default:
            throw refuse("pre-tokeniser '\(printable(type))' is not known")
        }
    }

    /// {"String": …} or {"Regex": …}
    private func pattern(_ fields: Fields) throws -> any TextPattern {
        guard let pattern = fields.json["pattern"] else { throw fields.refuse("'pattern' is missing") }
        if pattern.kind == .object, pattern.count == 1 {
            if let literal = pattern["String"]?.bytes { return LiteralPattern(bytes: literal) }
            if let expression = pattern["Regex"]?.bytes { return try Pattern(expression, name: name) }
        }
        throw fields.refuse("'pattern' is neither a String nor a Regex")
    }

    /// `prepend_scheme`, or what older files say instead: `add_prefix_space`, and `str_rep`, which repeats the replacement.
    private func metaspace(_ fields: Fields) throws -> PreTokeniser {
        try fields.checkKnown(["replacement", "prepend_scheme", "split", "add_prefix_space", "str_rep"])
        let addsPrefix = try fields.flag("add_prefix_space", missing: true)
        let replacement = try fields.character("replacement")
        guard fields.json["str_rep"].map({ $0.bytes == utf8(replacement) }) ?? true else {
            throw fields.refuse("'str_rep' is not the 'replacement'")
        }
        var prefix: PreTokeniser.Prefix = addsPrefix ? .always : .never
        if let scheme = fields.json["prepend_scheme"] {
            switch scheme.string {
            case "always": prefix = .always
            case "first": prefix = .first
            case "never": prefix = .never
            default: throw fields.refuse("'prepend_scheme' is '\(printable(scheme.string ?? ""))', expected always, first or never")
            }
            if !addsPrefix, prefix != .never { throw fields.refuse("'add_prefix_space' does not agree with 'prepend_scheme'") }
        }
        return try .metaspace(replacement: replacement, prefix, splits: fields.flag("split", missing: true))
    }

    private func refuse(_ what: String) -> Failure { Failure(.badData, name, .whole, what) }
}

/// The fields of one pre-tokeniser.
private struct Fields {
    let json: JSONValue
    let type: String
    let name: String

    /// `missing` is the value of a field that is not there; nil where it must be.
    func flag(_ key: String, missing: Bool?) throws -> Bool {
        guard let value = json[key] else {
            guard let missing else { throw refuse("'\(key)' is missing") }
            return missing
        }
        guard let flag = value.boolean else { throw refuse("'\(key)' is not true or false") }
        return flag
    }

    func character(_ key: String) throws -> UInt32 {
        guard let bytes = json[key]?.bytes, !bytes.isEmpty else { throw refuse("'\(key)' is not a character") }
        let (code, length) = bytes.withUnsafeBytes { decodeScalar($0, 0) }
        guard length == bytes.count else { throw refuse("'\(key)' is '\(printable(bytes))', expected one character") }
        return code
    }

    func behaviour(missing: SplitBehaviour?) throws -> SplitBehaviour {
        guard let value = json["behavior"] else {
            guard let missing else { throw refuse("'behavior' is missing") }
            return missing
        }
        switch value.string {
        case "Removed": return .removed
        case "Isolated": return .isolated
        case "MergedWithPrevious": return .mergedWithPrevious
        case "MergedWithNext": return .mergedWithNext
        case "Contiguous": return .contiguous
        default:
            throw refuse("'behavior' is '\(printable(value.string ?? ""))', expected Removed, Isolated, MergedWith… or Contiguous")
        }
    }

    func checkKnown(_ known: [String]) throws {
        try json.forEachEntry { key, _ in
            guard key.elementsEqual("type".utf8) || known.contains(where: { key.elementsEqual($0.utf8) }) else {
                throw refuse("field '\(printable(key))' is not known")
            }
        }
    }

    func refuse(_ what: String) -> Failure {
        Failure(.badData, name, .whole, "pre-tokeniser '\(printable(type))': \(what)")
    }
}
