// The pattern of cl100k and its kin (Llama 3, Qwen, GLM-4, DBRX …).

/// (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,k}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
struct CL100KScanner: WordScanner {
    /// The most numbers in a word: 3 for cl100k and Llama 3, 1 for Qwen.
    let mostNumbers: Int
    /// Whether white space at the end of the text is one word, newlines or not: \s+$ before \s*[\r\n] (cl100k itself).
    let takesFinalSpaces: Bool

    private let characters: CharacterScanner

    /// - marksAreLetters: \p{M} stands beside \p{L} (Qwen 3.5).
    init(mostNumbers: Int, takesFinalSpaces: Bool, marksAreLetters: Bool) {
        self.mostNumbers = mostNumbers
        self.takesFinalSpaces = takesFinalSpaces
        characters = CharacterScanner(marksAreLetters ? .marksAsLetters : .plain)
    }

    @inline(__always)
    func wordEnd(_ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> Int {
        let (classes, length) = characters.look(text, at)
        var next = at + length
        if classes & CharacterScanner.letter != 0 { return characters.lettersEnd(text, next, end) }
        if classes & CharacterScanner.number != 0 {
            var count = 1
            while count < mostNumbers && next < end {
                let (classes, length) = characters.look(text, next)
                guard classes & CharacterScanner.number != 0 else { break }
                next += length
                count += 1
            }
            return next
        }
        let first = text[at]
        if first == 0x27, let stop = contractionEnd(text, at, end) { return stop }
        let isNewline = first == 0x0A || first == 0x0D
        var following: UInt8 = CharacterScanner.space
        if next < end {
            let (more, moreLength) = characters.look(text, next)
            following = more
            // Any one character but a newline leads the letters behind it.
            if !isNewline && more & CharacterScanner.letter != 0 {
                return characters.lettersEnd(text, next + moreLength, end)
            }
        }
        let others = CharacterScanner.letter | CharacterScanner.number | CharacterScanner.space
        if classes & CharacterScanner.space == 0 || first == 0x20 && following & others == 0 {
            return newlinesEnd(text, characters.runEnd(text, next, end, others, inverted: true), end)
        }
        if takesFinalSpaces, characters.runEnd(text, next, end, CharacterScanner.space) == end { return end }
        return spacesEnd(text, at, next, end, characters)
    }
}

/// Past the newlines from `at` on.
@inline(__always)
func newlinesEnd(_ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> Int {
    var at = at
    while at < end && (text[at] == 0x0A || text[at] == 0x0D) { at += 1 }
    return at
}

/// \s*[\r\n]+|\s+(?!\S)|\s+ where white space begins at `at`; `next` is the second character.
@inline(__always)
func spacesEnd(_ text: UnsafePointer<UInt8>, _ at: Int, _ next: Int, _ end: Int, _ characters: CharacterScanner) -> Int {
    let stop = characters.runEnd(text, next, end, CharacterScanner.space)
    var last = stop
    while last > at {
        if text[last - 1] == 0x0A || text[last - 1] == 0x0D { return last }
        last -= 1
    }
    if stop == end || stop == next { return stop }
    return lastScalarStart(text, stop)
}

/// The end of 's 't 'm 'd 're 've 'll in any case at an apostrophe; nil where none begins. ſ (U+017F) is an s in another case.
func contractionEnd(_ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> Int? {
    guard at + 1 < end else { return nil }
    let first = text[at + 1] | 0x20
    switch first {
    case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return at + 2
    default: break
    }
    guard at + 2 < end else { return nil }
    if text[at + 1] == 0xC5 && text[at + 2] == 0xBF { return at + 3 }
    switch (first, text[at + 2] | 0x20) {
    case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")), (UInt8(ascii: "l"), UInt8(ascii: "l")):
        return at + 3
    default: return nil
    }
}
