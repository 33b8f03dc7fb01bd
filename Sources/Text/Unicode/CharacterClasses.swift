// Classes of single characters that normalisers and BERT's pre-tokeniser go by, and lower case.

/// Classes as the peer has them; a character may have several.
struct CharacterClasses: OptionSet {
    let rawValue: UInt8
    /// What BERT's cleaning removes: control, format, private and unassigned characters, U+0000 and U+FFFD, but not \t, \n, \r.
    static let removed = CharacterClasses(rawValue: 1)
    /// White space (what BERT's cleaning leaves of it, it writes as a space).
    static let space = CharacterClasses(rawValue: 2)
    /// What BERT sets apart as Chinese.
    static let ideograph = CharacterClasses(rawValue: 4)
    /// Marks without width, as BERT's strip_accents removes them after NFD.
    static let accent = CharacterClasses(rawValue: 8)
    /// Marks, as StripAccents removes them.
    static let mark = CharacterClasses(rawValue: 16)
    /// Punctuation, as BERT's pre-tokeniser sets it apart.
    static let punctuation = CharacterClasses(rawValue: 32)

    static let table = CodePointTable(runs: CharacterData.classes)

    static func of(_ code: UInt32) -> CharacterClasses { CharacterClasses(rawValue: table[code]) }
}

/// Lower case, character by character; a final sigma is like any other.
enum LowerCase {
    /// Code points by pages of 256: the lower case of each, 0 where it is the character itself.
    private static let pages: [[UInt32]] = {
        var pages = [[UInt32]](repeating: [], count: 0x110000 >> 8)
        let data = CharacterData.lower
        for at in stride(from: 0, to: data.count, by: 2) {
            let page = Int(data[at] >> 8)
            if pages[page].isEmpty { pages[page] = [UInt32](repeating: 0, count: 256) }
            pages[page][Int(data[at] & 0xFF)] = data[at + 1]
        }
        return pages
    }()

    /// The first code point of another lower case; nil where the character has none. U+0130's goes on with U+0307.
    static func of(_ code: UInt32) -> UInt32? {
        let page = pages[Int(code >> 8)]
        if page.isEmpty { return nil }
        let lower = page[Int(code & 0xFF)]
        return lower == 0 ? nil : lower
    }

    static let dottedI: UInt32 = 0x130
    static let dotAbove: UInt32 = 0x307
}
