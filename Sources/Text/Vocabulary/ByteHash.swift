// A hash of short byte strings, eight bytes at a time, for tables in memory: its values are never stored.

/// Mixes a word into a hash: the two halves of a product.
@inline(__always)
private func mix(_ value: UInt64, _ word: UInt64) -> UInt64 {
    let product = (value ^ word).multipliedFullWidth(by: 0xd1b5_4a32_d192_ed03)
    return product.high ^ product.low
}

/// The hash of `count` bytes; reads nothing outside them.
@inline(__always)
func hashBytes(_ bytes: UnsafeRawPointer, _ count: Int) -> UInt64 {
    var value = UInt64(truncatingIfNeeded: count) &* 0x9e37_79b9_7f4a_7c15
    if count >= 8 {
        var at = 0
        while at &+ 8 <= count {
            value = mix(value, (bytes + at).loadUnaligned(as: UInt64.self))
            at &+= 8
        }
        return mix(value, (bytes + (count &- 8)).loadUnaligned(as: UInt64.self))
    }
    if count >= 4 {
        let low = UInt64((bytes).loadUnaligned(as: UInt32.self))
        let high = UInt64((bytes + (count &- 4)).loadUnaligned(as: UInt32.self))
        return mix(value, low | high &<< 32)
    }
    var word: UInt64 = 0
    for at in 0..<count { word = word &<< 8 | UInt64(bytes.load(fromByteOffset: at, as: UInt8.self)) }
    return mix(value, word &+ 1)
}
