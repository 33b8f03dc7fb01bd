// Strict UTF-8: no overlong forms, no surrogates, nothing past U+10FFFF.

/// The offset of the first byte that does not continue valid UTF-8, or nil when all of it is valid.
///
/// Cost: one pass, eight bytes at a time over ASCII.
/// Source: Unicode 15, table 3-7.
public func firstInvalidUTF8(_ bytes: UnsafeRawBufferPointer) -> Int? {
    var at = 0
    let count = bytes.count
    while at < count {
        while at + 8 <= count, bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self) & 0x8080_8080_8080_8080 == 0 { at += 8 }
        guard at < count else { break }
        if bytes[at] < 0x80 {
            at += 1
            continue
        }
        guard let length = multibyteLength(bytes, at) else { return at }
        at += length
    }
    return nil
}

/// The length of the well-formed sequence of two to four bytes at `at`, or nil.
func multibyteLength(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> Int? {
    let length: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch bytes[at] {
    case 0xC2...0xDF: length = 2
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: length = 3
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF1...0xF3: length = 4
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    default: return nil
    }
    guard at + length <= bytes.count, second.contains(bytes[at + 1]) else { return nil }
    for next in 2..<max(length, 2) where bytes[at + next] & 0xC0 != 0x80 { return nil }
    return length
}
