// The bodies of JSON strings: sixteen bytes a step, UTF-8 checked on the way, escapes undone.
import CSystem

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
            while at &+ 16 <= count {
                let marks = preceptor_marks_of_16(base + at)
                guard marks == 0 else {
                    at &+= marks.trailingZeroBitCount
                    break
                }
                at &+= 16
            }
            guard at < count else { throw NotPlain() }
            let byte = byte(at)
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return at }
            guard byte >= 0x20 else { throw NotPlain() }
            at = byte < 0x80 ? at &+ 1 : try characters(from: at)
        }
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
        while true {
            // A step stores sixteen bytes, counts the plain ones, fifteen at most, and undoes an escape, which gives four at most.
            reserve(used &+ 20)
            if at &+ 16 <= count {
                let here = base + at
                (scratch + used).copyMemory(from: here, byteCount: 16)
                let marks = preceptor_marks_of_16(here)
                // Apart, so that the next sixteen are loaded before these are judged.
                if marks == 0 {
                    at &+= 16
                    used &+= 16
                    continue
                }
                at &+= marks.trailingZeroBitCount
                used &+= marks.trailingZeroBitCount
            }
            guard at < count else { throw NotPlain() }
            let next = byte(at)
            if next == UInt8(ascii: "\\") {
                at = try escape(at, &used)
            } else if next >= 0x80 {
                let end = try characters(from: at)
                reserve(used &+ end &- at)
                (scratch + used).copyMemory(from: base + at, byteCount: end &- at)
                used &+= end &- at
                at = end
            } else if next == UInt8(ascii: "\"") {
                advance(to: at &+ 1)
                return UnsafeRawBufferPointer(start: scratch, count: used)
            } else {
                guard next >= 0x20 else { throw NotPlain() }
                scratch.storeBytes(of: next, toByteOffset: used, as: UInt8.self)
                used &+= 1
                at &+= 1
            }
        }
    }

    /// Undoes one escape at a backslash; returns the index behind it.
    private func escape(_ backslash: Int, _ used: inout Int) throws(NotPlain) -> Int {
        guard backslash &+ 1 < count else { throw NotPlain() }
        let letter = byte(backslash &+ 1)
        if letter == UInt8(ascii: "u") { return try unicodeEscape(backslash, &used) }
        let plain = preceptor_escaped(letter)
        guard plain != 0 else { throw NotPlain() }
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

    /// Gives away the buffer that strings with escapes lie in, for another: such strings stay valid as long as it does.
    mutating func exchangeScratch(_ other: inout UnsafeMutableRawBufferPointer) {
        let mine = UnsafeMutableRawBufferPointer(start: scratch, count: scratchCount)
        (scratch, scratchCount) = (other.baseAddress!, other.count)
        other = mine
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
