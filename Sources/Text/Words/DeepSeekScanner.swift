// DeepSeek's three splits (V3, R1 and later), one behind the other, as one scanner.

/// \p{N}{1,3}, then [一-龥぀-ゟ゠-ヿ]+, then on what lies between
/// [!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
///
/// What the first two find ends the text for the third. What none finds (control characters, unassigned ones) is kept, in runs.
struct DeepSeekScanner: WordScanner {
    private let characters = CharacterScanner(.deepSeek)

    private static let letter = CharacterScanner.letter
    private static let number = CharacterScanner.number
    private static let space = CharacterScanner.space
    private static let mark = CharacterScanner.punctuation
    private static let ideograph = CharacterScanner.digit

    @inline(__always)
    func wordEnd(_ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> Int {
        let (classes, length) = characters.look(text, at)
        let first = text[at]
        var next = at + length
        if classes & Self.letter != 0 { return characters.lettersEnd(text, next, end) }
        if classes & Self.number != 0 {
            var count = 1
            while count < 3 && next < end {
                let (classes, length) = characters.look(text, next)
                guard classes & Self.number != 0 else { break }
                next += length
                count += 1
            }
            return next
        }
        if classes & Self.ideograph != 0 { return characters.runEnd(text, next, end, Self.ideograph) }
        if classes & Self.mark != 0 {
            if first < 0x80, next < end, isASCIILetter(text[next]) {
                repeat { next += 1 } while next < end && isASCIILetter(text[next])
                return next
            }
            return newlinesEnd(text, characters.runEnd(text, next, end, Self.mark), end)
        }
        let following = next < end ? characters.look(text, next) : (classes: Self.number, length: 0)
        if following.classes & Self.letter != 0 && first != 0x0A && first != 0x0D {
            return characters.lettersEnd(text, next + following.length, end)
        }
        if first == 0x20 && following.classes & Self.mark != 0 {
            return newlinesEnd(text, characters.runEnd(text, next + following.length, end, Self.mark), end)
        }
        if classes & Self.space == 0 { return unmatchedEnd(text, next, end) }
        // Where a number or an ideograph follows, the text ends for this split.
        let stop = characters.runEnd(text, next, end, Self.space)
        if stop < end, characters.look(text, stop).classes & (Self.number | Self.ideograph) != 0 {
            return spacesEnd(text, at, next, stop, characters)
        }
        return spacesEnd(text, at, next, end, characters)
    }

    /// Past the characters that nothing matches: no class, and no letter behind.
    private func unmatchedEnd(_ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> Int {
        var at = at
        while at < end {
            let (classes, length) = characters.look(text, at)
            if classes != 0 || at + length < end && characters.look(text, at + length).classes & Self.letter != 0 { break }
            at += length
        }
        return at
    }

    @inline(__always)
    private func isASCIILetter(_ byte: UInt8) -> Bool { (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A }
}
