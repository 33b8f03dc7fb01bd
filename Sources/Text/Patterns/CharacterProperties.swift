// The named sets of patterns: \p{…}, \s, \w, \d and [[:…:]].

/// Sets by name, read from the tables when a pattern asks for one.
enum CharacterProperties {
    /// The set of `\p{name}`; nil for a name that is none. Case, spaces, hyphens and underscores of a name do not count.
    static func named(_ name: [UInt8], _ syntax: PatternSyntax, inClass: Bool) -> CodePointSet? {
        var key = ""
        for byte in name where ![0x20, 0x2D, 0x5F].contains(byte) {
            guard byte < 0x80 else { return nil }
            key.unicodeScalars.append(Unicode.Scalar(byte | (byte >= 0x41 && byte <= 0x5A ? 0x20 : 0)))
        }
        if let equals = key.utf8.firstIndex(of: UInt8(ascii: "=")), syntax == .rust {
            let value = String(key[key.utf8.index(after: equals)...])
            switch key[..<equals] {
            case "script", "sc": return script(value)
            case "generalcategory", "gc": return category(value)
            default: return nil
            }
        }
        if key == "word" && syntax == .ruby { return word(syntax, inClass: inClass) }
        return category(key) ?? property(key) ?? script(key) ?? (syntax == .ruby ? bracket(key) : nil)
    }

    private static let longCategoryNames: [String: String] = [
        "letter": "l", "casedletter": "lc", "uppercaseletter": "lu", "lowercaseletter": "ll", "titlecaseletter": "lt",
        "modifierletter": "lm", "otherletter": "lo", "mark": "m", "combiningmark": "m", "nonspacingmark": "mn", "spacingmark": "mc",
        "enclosingmark": "me", "number": "n", "decimalnumber": "nd", "letternumber": "nl", "othernumber": "no", "punctuation": "p",
        "connectorpunctuation": "pc", "dashpunctuation": "pd", "openpunctuation": "ps", "closepunctuation": "pe",
        "initialpunctuation": "pi", "finalpunctuation": "pf", "otherpunctuation": "po", "symbol": "s", "mathsymbol": "sm",
        "currencysymbol": "sc", "modifiersymbol": "sk", "othersymbol": "so", "separator": "z", "spaceseparator": "zs",
        "lineseparator": "zl", "paragraphseparator": "zp", "other": "c", "control": "cc", "format": "cf", "privateuse": "co",
        "unassigned": "cn", "punct": "p", "digit": "nd", "cntrl": "cc",
    ]

    private static func category(_ key: String) -> CodePointSet? {
        let key = longCategoryNames[key] ?? key
        switch key {
        case "any": return .all
        case "ascii": return CodePointSet(0, 0x7F)
        case "assigned": return category("cn")?.complement
        default: break
        }
        let members = PatternTables.categoryNames.indices.filter { at in
            let name = PatternTables.categoryNames[at]
            return name == key || key.utf8.count == 1 && name.utf8.first == key.utf8.first
                || key == "lc" && ["lu", "ll", "lt"].contains(name)
        }
        return members.isEmpty ? nil : runs(PatternTables.categories) { members.contains(Int($0)) }
    }

    private static func script(_ key: String) -> CodePointSet? {
        guard let script = PatternTables.scriptNames.first(where: { $0.name == key })?.script else { return nil }
        return runs(PatternTables.scripts) { $0 == script }
    }

    private static func runs(_ table: [UInt32], _ belongs: (UInt32) -> Bool) -> CodePointSet {
        var ranges: [UInt32] = []
        for (at, entry) in table.enumerated() where belongs(entry & 0xFF) {
            ranges += [entry >> 8, at + 1 < table.count ? (table[at + 1] >> 8) - 1 : CodePointSet.last]
        }
        return CodePointSet(ranges: ranges)
    }

    private static func property(_ key: String) -> CodePointSet? {
        let table: [UInt32]
        switch key {
        case "alphabetic", "alpha": table = PatternTables.alphabetic
        case "whitespace", "wspace", "space": table = PatternTables.whiteSpace
        case "uppercase", "upper": table = PatternTables.uppercase
        case "lowercase", "lower": table = PatternTables.lowercase
        case "emoji": table = PatternTables.emoji
        case "emojipresentation": table = PatternTables.emojiPresentation
        case "emojimodifier": table = PatternTables.emojiModifier
        case "emojimodifierbase": table = PatternTables.emojiModifierBase
        case "emojicomponent": table = PatternTables.emojiComponent
        case "extendedpictographic": table = PatternTables.extendedPictographic
        case "ideographic": table = PatternTables.ideographic
        default: return nil
        }
        return CodePointSet(ranges: table)
    }

    /// The set of `[[:name:]]`.
    static func bracket(_ key: String) -> CodePointSet? {
        switch key {
        case "alpha", "upper", "lower", "space": property(key)
        case "digit": category("nd")
        case "alnum": property("alpha")?.union(category("nd") ?? .empty)
        case "cntrl": category("cc")
        case "xdigit": hexDigits
        case "ascii": CodePointSet(0, 0x7F)
        case "blank": category("zs")?.union(CodePointSet(0x09))
        case "punct": category("p")?.union(category("s") ?? .empty)
        case "word": word(.ruby, inClass: true)
        default: nil
        }
    }

    static let hexDigits = CodePointSet(ranges: [0x30, 0x39, 0x41, 0x46, 0x61, 0x66])

    static var space: CodePointSet { CodePointSet(ranges: PatternTables.whiteSpace) }

    static var digit: CodePointSet { category("nd") ?? .empty }

    /// \w: letters, marks, decimal digits and connectors; in Rust the two joiners as well. Oniguruma counts six numbers of Latin-1
    /// (²³¹¼½¾) among them, but not inside brackets.
    static func word(_ syntax: PatternSyntax, inClass: Bool) -> CodePointSet {
        var set = CodePointSet(ranges: PatternTables.alphabetic)
        for name in ["m", "nd", "pc"] { set = set.union(category(name) ?? .empty) }
        if syntax == .rust { return set.union(CodePointSet(0x200C, 0x200D)) }
        return inClass ? set : set.union(CodePointSet(ranges: [0xB2, 0xB3, 0xB9, 0xB9, 0xBC, 0xBE]))
    }
}
