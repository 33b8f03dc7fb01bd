// Extended grapheme clusters: what readers take for one character (Unicode Standard Annex 29, rules GB3 to GB13).

/// Classes of code points, as GraphemeData.swift numbers them.
private enum GraphemeClass {
    static let (cr, lf, control, extend, joiner): (UInt8, UInt8, UInt8, UInt8, UInt8) = (1, 2, 3, 4, 5)
    static let (regional, prepend, spacing): (UInt8, UInt8, UInt8) = (6, 7, 8)
    static let (lead, vowel, tail, leadVowel, leadVowelTail): (UInt8, UInt8, UInt8, UInt8, UInt8) = (9, 10, 11, 12, 13)
    static let (picture, consonant): (UInt8, UInt8) = (14, 15)
    /// Flags beside the class: links conjuncts, is passed over between their parts.
    static let (linker, ignored): (UInt8, UInt8) = (16, 32)
}

/// Walks a text cluster by cluster, one pass in all.
struct GraphemeClusters {
    private static let table = CodePointTable(runs: GraphemeData.classes)

    private let text: UnsafeRawBufferPointer
    /// Where the next cluster begins.
    private var at = 0

    init(_ text: UnsafeRawBufferPointer) { self.text = text }

    /// The next cluster; nil at the end.
    mutating func next() -> Range<Int>? {
        guard at < text.count else { return nil }
        let start = at
        // Between two ASCII characters there is a boundary, but for CR LF.
        if text[at] < 0x80 && (at + 1 == text.count || text[at + 1] < 0x80 && text[at + 1] != 0x0A) {
            at += 1
            return start..<at
        }
        var state = State()
        while at < text.count {
            let (code, length) = decodeScalar(text, at)
            guard state.joins(Self.table[code]) || at == start else { break }
            at += length
        }
        return start..<at
    }

    /// What stands before a place inside a cluster. Clusters begin where nothing before them matters.
    private struct State {
        var before: UInt8 = 0
        var regionals = 0
        /// A picture with marks behind it, up to a joiner.
        var picture = false
        /// 1: a consonant, with marks behind it; 2: with a linker among them.
        var consonant = 0

        /// Whether a character of this class joins what stands before; passes it.
        mutating func joins(_ value: UInt8) -> Bool {
            typealias Class = GraphemeClass
            let known = value & 15
            let joined = isJoined(known)
            regionals = known == Class.regional ? regionals + 1 : 0
            picture = known == Class.picture || picture && before != Class.joiner && (known == Class.extend || known == Class.joiner)
            if known == Class.consonant {
                consonant = 1
            } else if consonant > 0 && value & Class.linker != 0 {
                consonant = 2
            } else if value & Class.ignored == 0 {
                consonant = 0
            }
            before = known
            return joined
        }

        private func isJoined(_ known: UInt8) -> Bool {
            typealias Class = GraphemeClass
            if before == Class.cr && known == Class.lf { return true }
            if before >= Class.cr && before <= Class.control || known >= Class.cr && known <= Class.control { return false }
            switch known {
            case Class.extend, Class.joiner, Class.spacing: return true
            case _ where before == Class.prepend: return true
            case Class.lead, Class.leadVowel, Class.leadVowelTail: return before == Class.lead
            case Class.vowel: return before == Class.lead || before == Class.leadVowel || before == Class.vowel
            case Class.tail: return before >= Class.vowel && before <= Class.leadVowelTail
            case Class.consonant: return consonant == 2
            case Class.picture: return before == Class.joiner && picture
            case Class.regional: return before == Class.regional && regionals % 2 == 1
            default: return false
            }
        }
    }
}
