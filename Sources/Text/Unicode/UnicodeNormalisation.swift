// Unicode's decompositions, compositions and combining classes, as the tables of the peer have them (NormalisationData.swift).

/// The four normal forms.
struct NormalForm: Equatable {
    let isCompatible: Bool
    let composes: Bool

    static let nfc = NormalForm(isCompatible: false, composes: true)
    static let nfd = NormalForm(isCompatible: false, composes: false)
    static let nfkc = NormalForm(isCompatible: true, composes: true)
    static let nfkd = NormalForm(isCompatible: true, composes: false)
}

enum UnicodeNormalisation {
    /// What is known of a code point at a glance.
    enum Flags {
        /// NFD changes it, NFKD changes it.
        static let decomposes: UInt8 = 1
        static let decomposesCompatibly: UInt8 = 2
        /// Its combining class is not 0.
        static let combines: UInt8 = 4
        /// NFC changes it, NFKC changes it.
        static let recomposes: UInt8 = 8
        static let recomposesCompatibly: UInt8 = 16
        /// It is the second of a pair that composes.
        static let composesBackward: UInt8 = 32
        /// Its (compatibility) decomposition begins with a mark or with the second of a pair: what stands before it matters.
        static let attaches: UInt8 = 64
        static let attachesCompatibly: UInt8 = 128
    }

    static let flags = CodePointTable(runs: NormalisationData.flags)

    /// The combining class.
    static func combiningClass(_ code: UInt32) -> UInt8 {
        code < 0x300 ? 0 : runValue(NormalisationData.classes, code)
    }

    /// Appends the full decomposition of a code point (itself, if it has none).
    static func decompose(_ code: UInt32, compatibly: Bool, _ body: (UInt32) -> Void) {
        if code < 0xA0 { return body(code) }
        if code >= 0xAC00 && code < 0xAC00 + 11172 {
            let index = code - 0xAC00
            body(0x1100 + index / 588)
            body(0x1161 + index % 588 / 28)
            if index % 28 > 0 { body(0x11A7 + index % 28) }
            return
        }
        if compatibly, let at = sortedIndex(NormalisationData.compatibleCodes, code) {
            for place in NormalisationData.compatibleStarts[at]..<NormalisationData.compatibleStarts[at + 1] {
                body(NormalisationData.compatibleText[Int(place)])
            }
        } else if let at = sortedIndex(NormalisationData.canonicalCodes, code) {
            for place in NormalisationData.canonicalStarts[at]..<NormalisationData.canonicalStarts[at + 1] {
                body(NormalisationData.canonicalText[Int(place)])
            }
        } else {
            body(code)
        }
    }

    /// The code point that two compose to.
    static func compose(_ first: UInt32, _ second: UInt32) -> UInt32? {
        if first >= 0x1100 && first < 0x1113 && second >= 0x1161 && second < 0x1176 {
            return 0xAC00 + (first - 0x1100) * 588 + (second - 0x1161) * 28
        }
        if first >= 0xAC00 && first < 0xAC00 + 11172 && (first - 0xAC00) % 28 == 0 && second > 0x11A7 && second < 0x11C3 {
            return first + (second - 0x11A7)
        }
        let pairs = NormalisationData.pairs
        let key = UInt64(first) << 32 | UInt64(second)
        var low = 0
        var high = pairs.count / 3
        while low < high {
            let middle = (low + high) / 2
            let found = UInt64(pairs[3 * middle]) << 32 | UInt64(pairs[3 * middle + 1])
            if found == key { return pairs[3 * middle + 2] }
            if found < key { low = middle + 1 } else { high = middle }
        }
        return nil
    }
}
