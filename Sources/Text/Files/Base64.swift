// Base64, as tokenizer.json writes binary data.

/// The bytes of standard base64 with its padding; nil where the text is anything else, spare bits that are not 0 among it.
func base64Decoded(_ text: [UInt8]) -> [UInt8]? {
    guard text.count % 4 == 0 else { return nil }
    var result: [UInt8] = []
    result.reserveCapacity(text.count / 4 * 3)
    let padding = text.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
    var bits: UInt32 = 0
    for (at, byte) in text.dropLast(padding).enumerated() {
        let value: UInt8
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = byte - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): value = byte - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): value = byte - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): value = 62
        case UInt8(ascii: "/"): value = 63
        default: return nil
        }
        bits = bits << 6 | UInt32(value)
        if at % 4 == 3 {
            result += [UInt8(truncatingIfNeeded: bits >> 16), UInt8(truncatingIfNeeded: bits >> 8), UInt8(truncatingIfNeeded: bits)]
        }
    }
    switch padding {
    case 1:
        guard bits & 3 == 0 else { return nil }
        result += [UInt8(truncatingIfNeeded: bits >> 10), UInt8(truncatingIfNeeded: bits >> 2)]
    case 2:
        guard bits & 15 == 0 else { return nil }
        result.append(UInt8(truncatingIfNeeded: bits >> 4))
    default: break
    }
    return result
}
