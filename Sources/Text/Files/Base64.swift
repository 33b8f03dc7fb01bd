// Base64 as vocabulary files write it: standard alphabet, padded, no spare bits (RFC 4648, section 4).

/// Appends the bytes that base64 text stands for, strictly.
///
/// Returns false for a character outside the alphabet, wrong padding or spare bits that are not zero.
func decodeBase64(_ text: UnsafeRawBufferPointer, into bytes: inout [UInt8]) -> Bool {
    guard text.count % 4 == 0 else { return false }
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: text.count / 4 * 3 + 1) { room in
        guard let count = decodeBase64(text, to: room.baseAddress!) else { return false }
        bytes.append(contentsOf: room[..<count])
        return true
    }
}

/// Writes the bytes that base64 text stands for, at most three for every four characters, and returns how many; nil as above.
func decodeBase64(_ text: UnsafeRawBufferPointer, to bytes: UnsafeMutablePointer<UInt8>) -> Int? {
    guard text.count % 4 == 0 else { return nil }
    return base64Values.withUnsafeBufferPointer { values -> Int? in
        var count = 0
        var at = 0
        while at < text.count {
            var padding = 0
            if at &+ 4 == text.count && text[at &+ 3] == UInt8(ascii: "=") { padding = text[at &+ 2] == UInt8(ascii: "=") ? 2 : 1 }
            var word: UInt32 = 0
            var outside: UInt8 = 0
            for place in 0..<4 &- padding {
                let value = values[Int(text[at &+ place])]
                outside |= value
                word |= UInt32(value & 63) &<< UInt32(18 &- 6 &* place)
            }
            guard outside < 64 else { return nil }
            if padding == 1 && word & 0xFF != 0 || padding == 2 && word & 0xFFFF != 0 { return nil }
            bytes[count] = UInt8(truncatingIfNeeded: word >> 16)
            if padding < 2 { bytes[count &+ 1] = UInt8(truncatingIfNeeded: word >> 8) }
            if padding < 1 { bytes[count &+ 2] = UInt8(truncatingIfNeeded: word) }
            count &+= 3 &- padding
            at &+= 4
        }
        return count
    }
}

/// The bytes that base64 text stands for; nil where it is not exactly that.
func base64Decoded(_ text: [UInt8]) -> [UInt8]? {
    var bytes: [UInt8] = []
    return text.withUnsafeBytes { decodeBase64($0, into: &bytes) } ? bytes : nil
}

private let base64Values: [UInt8] = {
    var values = [UInt8](repeating: 255, count: 256)
    for (value, character) in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8.enumerated() {
        values[Int(character)] = UInt8(value)
    }
    return values
}()
