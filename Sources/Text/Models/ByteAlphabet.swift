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

    /// The byte of each code point; 256 for those outside the alphabet.
    private static let bytes: [UInt16] = {
        var bytes = [UInt16](repeating: 256, count: 2048)
        for (byte, code) in codes.enumerated() { bytes[Int(code)] = UInt16(byte) }
        return bytes
    }()

    /// The characters of one or two bytes each that stand for the bytes.
    static func encode(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(2 * bytes.count)
        for byte in bytes {
            let code = codes[Int(byte)]
            if code < 0x80 {
                result.append(UInt8(code))
            } else {
                result.append(UInt8(0xC0 | code >> 6))
                result.append(UInt8(0x80 | code & 0x3F))
            }
        }
        return result
    }

    /// Writes the bytes that a token's characters stand for, at most as many as it has itself, and returns how many; nil where one is outside
    /// the alphabet, which has one or two bytes each.
    static func decode(_ token: UnsafeRawBufferPointer, to result: UnsafeMutablePointer<UInt8>) -> Int? {
        guard let base = token.baseAddress else { return 0 }
        let text = base.assumingMemoryBound(to: UInt8.self)
        return bytes.withUnsafeBufferPointer { table -> Int? in
            let table = table.baseAddress!
            var (at, count) = (0, 0)
            while at < token.count {
                var code = Int(text[at])
                at &+= 1
                if code >= 0x80 {
                    guard code & 0xE0 == 0xC0, at < token.count, text[at] & 0xC0 == 0x80 else { return nil }
                    code = (code & 0x1F) &<< 6 | Int(text[at]) & 0x3F
                    at &+= 1
                }
                let byte = table[code]
                guard byte < 256 else { return nil }
                result[count] = UInt8(truncatingIfNeeded: byte)
                count &+= 1
            }
            return count
        }
    }

    /// The bytes that a token's characters stand for; nil where one is outside the alphabet.
    static func decode(_ token: UnsafeRawBufferPointer) -> [UInt8]? {
        var isInside = false
        let result = [UInt8](unsafeUninitializedCapacity: token.count) { memory, count in
            let decoded = token.isEmpty ? 0 : decode(token, to: memory.baseAddress!)
            isInside = decoded != nil
            count = decoded ?? 0
        }
        return isInside ? result : nil
    }
}
