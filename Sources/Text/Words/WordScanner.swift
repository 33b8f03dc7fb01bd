// Pre-tokenisers of byte-level vocabularies, as scanners: where a text is cut before merging. One pass, no backtracking.

/// Finds the words of one well-known pattern.
protocol WordScanner {
    /// The end of the word that begins at byte `at`, which lies before `end`: the end of the text.
    ///
    /// - text: valid UTF-8; `at` and `end` are boundaries of characters.
    func wordEnd(_ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> Int
}

/// Classes of characters in a text, for scanners.
struct CharacterScanner {
    let classes = UnicodeClasses.table

    static let letter = UnicodeClasses.letter.rawValue
    static let number = UnicodeClasses.number.rawValue
    static let space = UnicodeClasses.space.rawValue
    static let digit = UnicodeClasses.digit.rawValue

    /// The classes of the character that begins at a byte, and its length.
    @inline(__always)
    func look(_ text: UnsafePointer<UInt8>, _ at: Int) -> (classes: UInt8, length: Int) {
        let first = text[at]
        if first < 0x80 { return (classes[Int(first)], 1) }
        return lookFurther(text, at)
    }

    @inline(__always)
    private func lookFurther(_ text: UnsafePointer<UInt8>, _ at: Int) -> (classes: UInt8, length: Int) {
        let first = Int(text[at])
        let second = Int(text[at + 1]) & 0x3F
        if first < 0xE0 { return (classes[(first & 0x1F) << 6 | second], 2) }
        let third = Int(text[at + 2]) & 0x3F
        if first < 0xF0 { return (classes[(first & 0x0F) << 12 | second << 6 | third], 3) }
        return (classes[(first & 0x07) << 18 | second << 12 | third << 6 | Int(text[at + 3]) & 0x3F], 4)
    }

    /// The end of the run of characters from `at` on that are in `members` (in none, when `inverted`).
    @inline(__always)
    func runEnd(_ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int, _ members: UInt8, inverted: Bool = false) -> Int {
        var at = at
        while at < end {
            let (classes, length) = look(text, at)
            guard (classes & members == 0) == inverted else { break }
            at += length
        }
        return at
    }

    /// The start of the last character before `end`.
    @inline(__always)
    func lastStart(_ text: UnsafePointer<UInt8>, _ end: Int) -> Int {
        var at = end - 1
        while text[at] & 0xC0 == 0x80 { at -= 1 }
        return at
    }
}
