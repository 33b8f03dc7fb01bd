// Code points from UTF-8 and to it.

/// Appends the UTF-8 of a code point.
func appendScalar(_ code: UInt32, to bytes: inout [UInt8]) {
    if code < 0x80 {
        bytes.append(UInt8(code))
    } else if code < 0x800 {
        bytes.append(UInt8(0xC0 | code >> 6))
        bytes.append(UInt8(0x80 | code & 0x3F))
    } else if code < 0x10000 {
        bytes.append(UInt8(0xE0 | code >> 12))
        bytes.append(UInt8(0x80 | code >> 6 & 0x3F))
        bytes.append(UInt8(0x80 | code & 0x3F))
    } else {
        bytes.append(UInt8(0xF0 | code >> 18))
        bytes.append(UInt8(0x80 | code >> 12 & 0x3F))
        bytes.append(UInt8(0x80 | code >> 6 & 0x3F))
        bytes.append(UInt8(0x80 | code & 0x3F))
    }
}

/// The code point that begins at a byte, and its length in bytes.
///
/// Nothing is checked: the text is valid UTF-8 and a character begins at `at`. Of other bytes it makes some number below 0x200000 and a
/// length up to 4, and reads up to 3 bytes past the first; what comes from a file is validated before it comes here.
@inline(__always)
func decodeScalar(_ text: UnsafePointer<UInt8>, _ at: Int) -> (code: UInt32, length: Int) {
    let first = UInt32(text[at])
    if first < 0x80 { return (first, 1) }
    let second = UInt32(text[at &+ 1]) & 0x3F
    if first < 0xE0 { return ((first & 0x1F) &<< 6 | second, 2) }
    let third = UInt32(text[at &+ 2]) & 0x3F
    if first < 0xF0 { return ((first & 0x0F) &<< 12 | second &<< 6 | third, 3) }
    return ((first & 0x07) &<< 18 | second &<< 12 | third &<< 6 | UInt32(text[at &+ 3]) & 0x3F, 4)
}

/// The same in a text that is not empty.
@inline(__always)
func decodeScalar(_ text: UnsafeRawBufferPointer, _ at: Int) -> (code: UInt32, length: Int) {
    decodeScalar(text.baseAddress!.assumingMemoryBound(to: UInt8.self), at)
}

/// The first byte of the code point that ends at `end`.
@inline(__always)
func lastScalarStart(_ text: UnsafePointer<UInt8>, _ end: Int) -> Int {
    var at = end &- 1
    while text[at] & 0xC0 == 0x80 { at &-= 1 }
    return at
}

/// The same in a text that is not empty.
func lastScalarStart(_ text: UnsafeRawBufferPointer, _ end: Int) -> Int {
    lastScalarStart(text.baseAddress!.assumingMemoryBound(to: UInt8.self), end)
}
