// The printable alphabet of byte-level vocabularies: GPT-2 writes each byte as one character in its files.

/// Bytes to code points and back. Printable Latin-1 stands for itself; the other 68 bytes, in order, for U+0100 and on.
enum ByteAlphabet {
    static let codes: [UInt32] = {
        var codes = [UInt32](repeating: 0, count: 256)
        var next: UInt32 = 256
        for byte in 0..<256 {
            let printable = (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || (0xAE...0xFF).contains(byte)
            codes[byte] = printable ? UInt32(byte) : next
            if !printable { next += 1 }
        }
        return codes
    }()

    private static let bytes: [Int16] = {
        var bytes = [Int16](repeating: -1, count: 256 + 68)
        for (byte, code) in codes.enumerated() { bytes[Int(code)] = Int16(byte) }
        return bytes
    }()

    /// Appends the bytes that a token's characters stand for; false where one is outside the alphabet, which has one or two bytes each.
    static func decode(_ token: UnsafeRawBufferPointer, into result: inout [UInt8]) -> Bool {
        bytes.withUnsafeBufferPointer { bytes in
            var at = 0
            while at < token.count {
                var code = Int(token[at])
                at += 1
                if code >= 0x80 {
                    guard code & 0xE0 == 0xC0, at < token.count, token[at] & 0xC0 == 0x80 else { return false }
                    code = (code & 0x1F) << 6 | Int(token[at]) & 0x3F
                    at += 1
                }
                guard code < bytes.count, bytes[code] >= 0 else { return false }
                result.append(UInt8(truncatingIfNeeded: bytes[code]))
            }
            return true
        }
    }

    /// The bytes that a token's characters stand for; nil where one is outside the alphabet.
    static func decode(_ token: UnsafeRawBufferPointer) -> [UInt8]? {
        var result: [UInt8] = []
        return decode(token, into: &result) ? result : nil
    }
}
