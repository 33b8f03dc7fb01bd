// Classes of characters in a text, for scanners: one look into a table for each character.

import Streams

/// A table of classes and how to read characters by it.
struct CharacterScanner {
    /// Which classes the table holds.
    enum Table {
        /// Letters, numbers, white space and digits.
        case plain
        /// As `plain`, with marks (\p{M}) among the letters.
        case marksAsLetters
        /// As `plain`, with `upper` and `lower`.
        case cased
        /// Letters and marks but for ideographs and kana, which are `digit` here; numbers, white space, `punctuation`.
        case deepSeek
    }

    static let letter: UInt8 = 1
    static let number: UInt8 = 2
    static let space: UInt8 = 4
    /// What the Digits pre-tokeniser sets apart.
    static let digit: UInt8 = 8
    /// [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]
    static let upper: UInt8 = 16
    /// [\p{Ll}\p{Lm}\p{Lo}\p{M}]
    static let lower: UInt8 = 32
    /// [\p{P}\p{S}]
    static let punctuation: UInt8 = 64

    private let classes: UnsafePointer<UInt8>

    init(_ table: Table = .plain) {
        classes =
            switch table {
            case .plain: Self.plain
            case .marksAsLetters: Self.marksAsLetters
            case .cased: Self.cased
            case .deepSeek: Self.deepSeek
            }
    }

    /// The classes of the character that begins at a byte, and its length.
    @inline(__always)
    func look(_ text: UnsafePointer<UInt8>, _ at: Int) -> (classes: UInt8, length: Int) {
        let (code, length) = decodeScalar(text, at)
        return (classes[Int(truncatingIfNeeded: code)], length)
    }

    /// The end of the run of characters from `at` on that are in `members` (in none, when `inverted`).
    @inline(__always)
    func runEnd(_ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int, _ members: UInt8, inverted: Bool = false) -> Int {
        var at = at
        while at < end {
            let (classes, length) = look(text, at)
            guard (classes & members == 0) == inverted else { break }
            at &+= length
        }
        return at
    }

    /// The end of the run of letters from `at` on: eight bytes at a time while they are ASCII.
    ///
    /// Most words end within eight bytes, so that their length costs no branch that depends on it.
    @inline(__always)
    func lettersEnd(_ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> Int {
        let stop = asciiLettersEnd(text, at, end)
        return stop < end && text[stop] < 0x80 && classes[Int(text[stop])] & Self.letter == 0 ? stop : runEnd(text, stop, end, Self.letter)
    }

    /// The end of a run of ASCII letters, or a place in it less than eight bytes before `end`.
    @inline(__always)
    func asciiLettersEnd(_ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> Int {
        var at = at
        while at &+ 8 <= end {
            let bytes = UInt64(littleEndian: UnsafeRawPointer(text + at).loadUnaligned(as: UInt64.self))
            let high: UInt64 = 0x8080_8080_8080_8080
            let lower = (bytes | 0x2020_2020_2020_2020) & ~high
            // The high bit of each byte: not below a, above z, not ASCII.
            let notBelow = (lower | high) &- 0x6161_6161_6161_6161
            let above = lower &+ 0x0505_0505_0505_0505
            let others = (~notBelow | above | bytes) & high
            if others != 0 { return at &+ others.trailingZeroBitCount &>> 3 }
            at &+= 8
        }
        return at
    }

    // MARK: Tables

    /// One byte for every code point, for as long as the process lives.
    private static func table(_ members: [([UInt32], UInt8)]) -> UnsafeMutablePointer<UInt8> {
        let table: UnsafeMutablePointer<UInt8> = allocateZeroed(0x11_0000).assumingMemoryBound(to: UInt8.self)
        for (ranges, member) in members { add(member, ranges, to: table) }
        return table
    }

    private static func add(_ member: UInt8, _ ranges: [UInt32], to table: UnsafeMutablePointer<UInt8>) {
        for at in stride(from: 0, to: ranges.count, by: 2) {
            for code in ranges[at]...ranges[at + 1] { table[Int(code)] |= member }
        }
    }

    private static let basic: [([UInt32], UInt8)] = [
        (UnicodeRanges.letters, letter), (UnicodeRanges.numbers, number), (UnicodeRanges.spaces, space),
    ]

    nonisolated(unsafe) private static let plain: UnsafePointer<UInt8> = UnsafePointer(table(basic + [(UnicodeRanges.digits, digit)]))

    nonisolated(unsafe) private static let marksAsLetters: UnsafePointer<UInt8> = UnsafePointer(table(basic + [(category("m"), letter)]))

    nonisolated(unsafe) private static let cased: UnsafePointer<UInt8> = {
        let both = category("lm") + category("lo") + category("m")
        return UnsafePointer(
            table(basic + [(category("lu") + category("lt") + both, upper), (category("ll") + both, lower)]))
    }()

    nonisolated(unsafe) private static let deepSeek: UnsafePointer<UInt8> = {
        let table = Self.table(basic + [(category("m"), letter), (category("p") + category("s"), punctuation)])
        for range in [0x3040...0x30FF, 0x4E00...0x9FA5] {
            for code in range where table[code] & number == 0 { table[code] = digit }
        }
        return UnsafePointer(table)
    }()

    /// The ranges of a general category, first, last, first, last, …
    private static func category(_ name: String) -> [UInt32] {
        CharacterProperties.named(Array(name.utf8), .ruby, inClass: false)?.bounds ?? []
    }
}
