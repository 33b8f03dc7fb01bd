// Merges: which two neighbouring symbols become which, and how early.

/// What a pair becomes. Lower ranks go first.
struct Merge {
    var rank: UInt32
    var result: UInt32
}

/// Pairs of symbols to their merges, open addressing.
struct MergeTable {
    /// Left symbol in the upper half, right in the lower, plus one so that 0 is free.
    private var keys: [UInt64]
    private var merges: [Merge]
    private(set) var count = 0

    init(capacity: Int) {
        var size = 16
        while size < 2 * capacity { size *= 2 }
        keys = [UInt64](repeating: 0, count: size)
        merges = [Merge](repeating: Merge(rank: 0, result: 0), count: size)
    }

    /// Adds a pair; one that is there already gets the new merge, as in the tokenizers package.
    mutating func insert(_ left: UInt32, _ right: UInt32, _ merge: Merge) {
        if 2 * (count + 1) > keys.count { grow() }
        let slot = slot(of: key(left, right))
        if keys[slot] == 0 {
            keys[slot] = key(left, right)
            count += 1
        }
        merges[slot] = merge
    }

    func merge(_ left: UInt32, _ right: UInt32) -> Merge? {
        let slot = slot(of: key(left, right))
        return keys[slot] == 0 ? nil : merges[slot]
    }

    private func key(_ left: UInt32, _ right: UInt32) -> UInt64 {
        (UInt64(left) << 32 | UInt64(right)) &+ 1
    }

    private func slot(of key: UInt64) -> Int {
        let mask = keys.count - 1
        var slot = Int(truncatingIfNeeded: (key &* 0x9e37_79b9_7f4a_7c15) >> 24) & mask
        while keys[slot] != 0 && keys[slot] != key { slot = (slot + 1) & mask }
        return slot
    }

    private mutating func grow() {
        let (oldKeys, oldMerges) = (keys, merges)
        keys = [UInt64](repeating: 0, count: 2 * keys.count)
        merges = [Merge](repeating: Merge(rank: 0, result: 0), count: keys.count)
        for (key, merge) in zip(oldKeys, oldMerges) where key != 0 {
            let slot = slot(of: key)
            keys[slot] = key
            merges[slot] = merge
        }
    }
}
