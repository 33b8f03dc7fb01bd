// A word of a text: where it ends, and its hash.

/// Where a word lies in a text in which ▁ stands for spaces: it goes up to the next ▁.
struct UnigramWord {
    var start: Int
    var stop: Int
    var hash: UInt64
    /// Where it is kept, -1 where it is not.
    var place = -1
    /// The exits from which a piece may go on,
    var exits = UInt64.max
    /// those from which it has been walked, and the first of these walks. Where the word is not kept, there is one from each character.
    var walked: UInt64 = 0
    var walk = -1

    /// The word that begins at a byte. Eight bytes at a time.
    @inline(__always)
    init(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) {
        var at = start
        if at &+ 3 <= end && text[at] == 0xE2 && text[at &+ 1] == 0x96 && text[at &+ 2] == 0x81 { at &+= 3 }
        self.start = start
        stop = Self.nextBoundary(text, at, end)
        hash = Self.hash(text, start, stop, end)
    }

    /// The next ▁ at or behind a byte.
    @inline(__always)
    private static func nextBoundary(_ text: UnsafePointer<UInt8>, _ from: Int, _ end: Int) -> Int {
        var at = from
        while at < end {
            let chunk = load(text, at, end)
            let zeros = chunk ^ 0xE2E2_E2E2_E2E2_E2E2
            var found = (zeros &- 0x0101_0101_0101_0101) & ~zeros & 0x8080_8080_8080_8080
            while found != 0 {
                let place = at &+ found.trailingZeroBitCount &>> 3
                // Past the first, a bit may be set where there is none.
                if place &+ 3 <= end && text[place] == 0xE2 && text[place &+ 1] == 0x96 && text[place &+ 2] == 0x81 { return place }
                found &= found &- 1
            }
            at &+= 8
        }
        return end
    }

    /// The hash of the bytes from `start` to `stop`, of a text that ends at `end`.
    @inline(__always)
    static func hash(_ text: UnsafePointer<UInt8>, _ start: Int, _ stop: Int, _ end: Int) -> UInt64 {
        var hash: UInt64 = 0x51_7c_c1_b7_27_22_0a_95
        var from = start
        while from &+ 8 <= stop {
            hash = mix(hash, load(text, from, end))
            from &+= 8
        }
        if from < stop { hash = mix(hash, load(text, from, end) & ((1 &<< UInt64(8 &* (stop &- from))) &- 1)) }
        return mix(hash, UInt64(truncatingIfNeeded: stop &- start))
    }

    @inline(__always)
    private static func mix(_ hash: UInt64, _ chunk: UInt64) -> UInt64 {
        let product = (hash ^ chunk).multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
        return product.high ^ product.low
    }

    /// Eight bytes of a text, zeros behind its end.
    @inline(__always)
    static func load(_ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> UInt64 {
        if at &+ 8 <= end { return UInt64(littleEndian: UnsafeRawPointer(text + at).loadUnaligned(as: UInt64.self)) }
        var result: UInt64 = 0
        var byte = end &- 1
        while byte >= at {
            result = result &<< 8 | UInt64(text[byte])
            byte &-= 1
        }
        return result
    }
}
