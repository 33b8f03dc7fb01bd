// GPT-2's pattern, alone or behind a step that sets every digit apart.

/// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
struct GPT2Scanner: WordScanner {
    /// Whether every digit is a word of its own, at which the pattern sees the end of the text (SmolLM2, StarCoder, Command-R).
    var splitsDigits = false

    private let characters = CharacterScanner()

    @inline(__always)
    func wordEnd(_ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> Int {
        let first = text[at]
        // A space leads the word behind it.
        var start = at
        if first == 0x20 {
            start += 1
            if start == end { return end }
        } else if first == 0x27 {
            if let stop = contractionEnd(text, at, end) { return stop }
        }
        let (classes, length) = characters.look(text, start)
        if splitsDigits && classes & CharacterScanner.digit != 0 { return start == at ? at + length : start }
        let others = CharacterScanner.letter | CharacterScanner.number | CharacterScanner.space
        if classes & CharacterScanner.letter != 0 {
            return run(text, characters.asciiLettersEnd(text, start, end), end, CharacterScanner.letter)
        }
        if classes & CharacterScanner.number != 0 {
            return run(text, start + length, end, CharacterScanner.number)
        }
        if classes & CharacterScanner.space == 0 {
            return splitsDigits
                ? characters.runEnd(text, start + length, end, others | CharacterScanner.digit, inverted: true)
                : characters.runEnd(text, start + length, end, others, inverted: true)
        }
        // White space: all of it at the end, else all but the last character, which leads the next word or stands alone.
        let stop = characters.runEnd(text, start + length, end, CharacterScanner.space)
        if stop == end { return end }
        if splitsDigits, characters.look(text, stop).classes & CharacterScanner.digit != 0 { return stop }
        let last = lastScalarStart(text, stop)
        return last > at ? last : stop
    }

    /// The end of a run of letters or numbers; a digit ends it where digits stand alone.
    @inline(__always)
    private func run(_ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int, _ member: UInt8) -> Int {
        if !splitsDigits { return characters.runEnd(text, at, end, member) }
        var at = at
        while at < end {
            let (classes, length) = characters.look(text, at)
            guard classes & (member | CharacterScanner.digit) == member else { break }
            at += length
        }
        return at
    }

    /// The end of 's 't 'm 'd 're 've 'll at an apostrophe; nil where none begins.
    private func contractionEnd(_ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> Int? {
        guard at + 1 < end else { return nil }
        switch text[at + 1] {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return at + 2
        default: break
        }
        guard at + 2 < end else { return nil }
        switch (text[at + 1], text[at + 2]) {
        case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")), (UInt8(ascii: "l"), UInt8(ascii: "l")):
            return at + 3
        default: return nil
        }
    }
}
