// The pattern of o200k and its kin (GPT-4o, Llama 4, MiniMax), and of tekken.

/// [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?
/// |[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?
/// |\p{N}{1,k}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+
struct O200KScanner: WordScanner {
    /// The most numbers in a word: 3 for o200k, 1 for tekken.
    let mostNumbers: Int
    /// Whether a contraction belongs to the word in front of it (not for tekken).
    let contractions: Bool

    private let characters = CharacterScanner(.cased)

    init(mostNumbers: Int, contractions: Bool) {
        self.mostNumbers = mostNumbers
        self.contractions = contractions
    }

    private static let letter = CharacterScanner.letter
    private static let number = CharacterScanner.number
    private static let space = CharacterScanner.space
    private static let upper = CharacterScanner.upper
    private static let lower = CharacterScanner.lower

    @inline(__always)
    func wordEnd(_ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> Int {
        let (classes, length) = characters.look(text, at)
        var next = at + length
        // A letter cannot lead letters, so it begins them; so does a mark, where it leads none.
        if classes & Self.letter != 0 { return contractionEnd(text, lettersEnd(text, at, end)!, end) }
        if classes & Self.number != 0 {
            var count = 1
            while count < mostNumbers && next < end {
                let (classes, length) = characters.look(text, next)
                guard classes & Self.number != 0 else { break }
                next += length
                count += 1
            }
            return next
        }
        let first = text[at]
        let isNewline = first == 0x0A || first == 0x0D
        let following = next < end ? characters.look(text, next).classes : Self.space
        let isMark = classes & (Self.upper | Self.lower) != 0
        if !isNewline && following & (Self.upper | Self.lower) != 0 || isMark {
            return contractionEnd(text, ledLettersEnd(text, at, next, end, isMark: isMark), end)
        }
        let others = Self.letter | Self.number | Self.space
        if classes & Self.space == 0 || first == 0x20 && following & others == 0 {
            var stop = characters.runEnd(text, next, end, others, inverted: true)
            while stop < end && (text[stop] == 0x0A || text[stop] == 0x0D || text[stop] == 0x2F) { stop += 1 }
            return stop
        }
        return spacesEnd(text, at, next, end, characters)
    }

    /// The first two alternatives where the first character is no letter: with it as the lead, then without, and the first one before the
    /// second.
    private func ledLettersEnd(_ text: UnsafePointer<UInt8>, _ at: Int, _ next: Int, _ end: Int, isMark: Bool) -> Int {
        let led = letters(text, next, end)
        if let stop = led.endingLow { return stop }
        if isMark, let stop = letters(text, at, end).endingLow { return stop }
        return led.endingHigh!
    }

    private func lettersEnd(_ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> Int? {
        let found = letters(text, at, end)
        return found.endingLow ?? found.endingHigh
    }

    /// Where [upper]*[lower]+ ends, and where [upper]+[lower]* would: nil where they do not match. Marks and letters without case are both.
    @inline(__always)
    private func letters(_ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> (endingLow: Int?, endingHigh: Int?) {
        var stop = at
        // Past the last character of the run of uppers that is a lower as well.
        var both: Int?
        while stop < end {
            let (classes, length) = characters.look(text, stop)
            guard classes & Self.upper != 0 else {
                if classes & Self.lower != 0 { return (characters.runEnd(text, stop + length, end, Self.lower), nil) }
                break
            }
            stop += length
            if classes & Self.lower != 0 { both = stop }
        }
        return (both, stop > at ? stop : nil)
    }

    @inline(__always)
    private func contractionEnd(_ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> Int {
        guard contractions, at < end, text[at] == 0x27 else { return at }
        return Text.contractionEnd(text, at, end) ?? at
    }
}
