// The class of a code point, by one look into a table.

import Streams

/// Classes that pre-tokenisers tell apart.
struct UnicodeClasses: OptionSet {
    let rawValue: UInt8
    static let letter = UnicodeClasses(rawValue: 1)
    static let number = UnicodeClasses(rawValue: 2)
    static let space = UnicodeClasses(rawValue: 4)
    /// What the Digits pre-tokeniser sets apart: numbers, by a newer version of Unicode.
    static let digit = UnicodeClasses(rawValue: 8)
    /// Word characters, which an added token with `single_word` must not touch.
    static let word = UnicodeClasses(rawValue: 16)

    /// One byte of classes for every code point. It lives as long as the process.
    nonisolated(unsafe) static let table: UnsafePointer<UInt8> = {
        let all: [([UInt32], UnicodeClasses)] = [
            (UnicodeRanges.letters, .letter), (UnicodeRanges.numbers, .number), (UnicodeRanges.spaces, .space),
            (UnicodeRanges.digits, .digit), (UnicodeRanges.words, .word),
        ]
        let table = allocateZeroed(0x11_0000).assumingMemoryBound(to: UInt8.self)
        for (ranges, member) in all {
            for at in stride(from: 0, to: ranges.count, by: 2) {
                for code in ranges[at]...ranges[at + 1] { table[Int(code)] |= member.rawValue }
            }
        }
        return UnsafePointer(table)
    }()

    /// The classes of a code point.
    static func of(_ code: UInt32) -> UnicodeClasses { UnicodeClasses(rawValue: table[Int(code)]) }
}
