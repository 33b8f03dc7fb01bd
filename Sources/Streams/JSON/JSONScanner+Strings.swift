// The bodies of JSON strings: eight bytes a step, UTF-8 checked on the way, escapes undone.

extension JSONScanner {
    /// Reads a string's body from behind its opening quote to behind its closing one.
    mutating func scanString() throws(NotPlain) -> UnsafeRawBufferPointer {
        let start = position
        let end = try plainEnd(from: start)
        if byte(end) == UInt8(ascii: "\"") {
            advance(to: end &+ 1)
            return UnsafeRawBufferPointer(start: base + start, count: end &- start)
        }
        return try unescaped(from: start, plain: end)
    }

    /// The first quote or backslash from `from` on; everything before it is valid UTF-8 without control characters.
    private func plainEnd(from: Int) throws(NotPlain) -> Int {
        var at = from
        while true {
            while at &+ 8 <= count {
                let marks = JSONScanner.marks(base.loadUnaligned(fromByteOffset: at, as: UInt64.self))
                guard marks == 0 else {
                    at &+= marks.trailingZeroBitCount &>> 3
                    break
                }
                at &+= 8
            }
            guard at < count else { throw NotPlain() }
            let byte = byte(at)
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return at }
            guard byte >= 0x20 else { throw NotPlain() }
            at = byte < 0x80 ? at &+ 1 : try characters(from: at)
        }
    }

    /// The top bit of each byte that is a quote, a backslash, a control character or no ASCII, exact in the lowest one.
    ///
    /// A borrow only ever comes out of a byte that is marked itself, so what it spoils lies above the lowest mark.
    @inline(__always)
    private static func marks(_ word: UInt64) -> UInt64 {
        let word = UInt64(littleEndian: word)
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quotes = (word ^ (ones &* 0x22)) &- ones
        let backslashes = (word ^ (ones &* 0x5C)) &- ones
        let controls = word &- (ones &* 0x20)
        return (quotes | backslashes | controls | word) & (ones &* 0x80)
    }

    /// The end of a run of characters beyond ASCII that begins at `from`.
    @inline(__always)
    private func characters(from: Int) throws(NotPlain) -> Int {
        var at = from
        while at &+ 4 <= count {
            let word = UInt32(littleEndian: base.loadUnaligned(fromByteOffset: at, as: UInt32.self))
            if word & 0x80 == 0 { return at }
            if word & 0xC0E0 == 0x80C0, word & 0x1E != 0 {
                at &+= 2
            } else if word & 0xC0C0F0 == 0x8080E0, word & 0x200F != 0, word & 0x200F != 0x200D {
                at &+= 3
            } else {
                at &+= try character(at)
            }
        }
        while at < count, byte(at) >= 0x80 { at &+= try character(at) }
        return at
    }

    private func character(_ at: Int) throws(NotPlain) -> Int {
        guard let length = multibyteLength(UnsafeRawBufferPointer(start: base, count: count), at) else { throw NotPlain() }
        return length
    }

    /// Copies a string with escapes to the scratch buffer; `plain` is at its first backslash.
    private mutating func unescaped(from: Int, plain: Int) throws(NotPlain) -> UnsafeRawBufferPointer {
        reserve(plain &- from)
        scratch.copyMemory(from: base + from, byteCount: plain &- from)
        var used = plain &- from
        var at = plain
        while byte(at) != UInt8(ascii: "\"") {
            // An escape gives at most four bytes.
            reserve(used &+ 4)
            at = try escape(at, &used)
            let end = try plainEnd(from: at)
            let length = end &- at
            reserve(used &+ length)
            (scratch + used).copyMemory(from: base + at, byteCount: length)
            used &+= length
            at = end
        }
        advance(to: at &+ 1)
        return UnsafeRawBufferPointer(start: scratch, count: used)
    }

    /// Undoes one escape at a backslash; returns the index behind it.
    private func escape(_ backslash: Int, _ used: inout Int) throws(NotPlain) -> Int {
        guard backslash &+ 1 < count else { throw NotPlain() }
        let plain: UInt8
        switch byte(backslash &+ 1) {
        case UInt8(ascii: "n"): plain = 0x0A
        case UInt8(ascii: "\""): plain = 0x22
        case UInt8(ascii: "\\"): plain = 0x5C
        case UInt8(ascii: "/"): plain = 0x2F
        case UInt8(ascii: "t"): plain = 0x09
        case UInt8(ascii: "r"): plain = 0x0D
        case UInt8(ascii: "b"): plain = 0x08
        case UInt8(ascii: "f"): plain = 0x0C
        case UInt8(ascii: "u"): return try unicodeEscape(backslash, &used)
        default: throw NotPlain()
        }
        scratch.storeBytes(of: plain, toByteOffset: used, as: UInt8.self)
        used &+= 1
        return backslash &+ 2
    }

    private func unicodeEscape(_ backslash: Int, _ used: inout Int) throws(NotPlain) -> Int {
        var end = backslash &+ 6
        var scalar = try hexadecimal(backslash)
        if scalar & 0xFC00 == 0xD800 {
            guard end < count, byte(end) == UInt8(ascii: "\\") else { throw NotPlain() }
            let low = try hexadecimal(end)
            guard low & 0xFC00 == 0xDC00 else { throw NotPlain() }
            scalar = 0x10000 &+ ((scalar & 0x3FF) << 10 | low & 0x3FF)
            end &+= 6
        }
        guard let character = Unicode.Scalar(scalar) else { throw NotPlain() }
        for unit in Unicode.UTF8.encode(character).unsafelyUnwrapped {
            scratch.storeBytes(of: unit, toByteOffset: used, as: UInt8.self)
            used &+= 1
        }
        return end
    }

    /// The value of `\uXXXX` at a backslash.
    private func hexadecimal(_ backslash: Int) throws(NotPlain) -> UInt32 {
        guard count &- backslash >= 6, byte(backslash &+ 1) == UInt8(ascii: "u") else { throw NotPlain() }
        var value: UInt32 = 0
        for at in backslash &+ 2..<backslash &+ 6 {
            let digit: UInt8
            switch byte(at) {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte(at) &- UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte(at) &- UInt8(ascii: "a") &+ 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte(at) &- UInt8(ascii: "A") &+ 10
            default: throw NotPlain()
            }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    /// Makes the scratch buffer hold `wanted` bytes, keeping what it has.
    @inline(__always)
    private mutating func reserve(_ wanted: Int) {
        if wanted > scratchCount { grow(wanted) }
    }

    @inline(never)
    private mutating func grow(_ wanted: Int) {
        let larger = UnsafeMutableRawPointer.allocate(byteCount: 2 * wanted, alignment: 16)
        larger.copyMemory(from: scratch, byteCount: scratchCount)
        scratch.deallocate()
        scratch = larger
        scratchCount = 2 * wanted
    }
}
