// UTF-8 of a code point.

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
