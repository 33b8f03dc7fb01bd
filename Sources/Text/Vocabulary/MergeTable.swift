// Merges: which two neighbouring symbols become which, and how early.

/// What a pair becomes. Lower ranks go first.
struct Merge {
    var rank: UInt32
    var result: UInt32
}

/// Pairs of symbols to their merges: open addressing, a key and its merge side by side. Filled once, then only read.
final class MergeTable: @unchecked Sendable {
    /// `packed` of a pair that does not merge: later than every rank.
    static let none = UInt64.max

    private struct Slot {
        /// Left symbol in the upper half, right in the lower, plus one so that 0 is free.
        var key: UInt64
        /// Rank in the upper half, result in the lower.
        var packed: UInt64
    }
    private var slots: UnsafeMutablePointer<Slot>
    private var size: Int
    /// One bit for each hash of a pair that is there: most pairs are not, and this fits a near cache where the slots do not.
    private let filter: UnsafeMutablePointer<UInt64>
    private static let filterBits: UInt64 = 21
    private(set) var count = 0
    /// One more than the highest rank.
    private(set) var rankCount = 0

    init(capacity: Int) {
        size = 16
        while 2 * size < 3 * capacity { size *= 2 }
        slots = Self.empty(size)
        filter = .allocate(capacity: 1 << (Self.filterBits - 6))
        filter.initialize(repeating: 0, count: 1 << (Self.filterBits - 6))
    }

    deinit {
        slots.deallocate()
        filter.deallocate()
    }

    private static func empty(_ size: Int) -> UnsafeMutablePointer<Slot> {
        let slots = UnsafeMutablePointer<Slot>.allocate(capacity: size)
        slots.initialize(repeating: Slot(key: 0, packed: none), count: size)
        return slots
    }

    /// Adds a pair; one that is there already gets the new merge, as in the tokenizers package.
    func insert(_ left: UInt32, _ right: UInt32, _ merge: Merge) {
        if 3 * (count + 1) > 2 * size { grow() }
        let key = key(left, right)
        let hash = hash(key)
        let bit = hash >> (64 - Self.filterBits)
        filter[Int(bit >> 6)] |= 1 << (bit & 63)
        let slot = slot(of: key, hash)
        if slots[slot].key == 0 { count += 1 }
        slots[slot] = Slot(key: key, packed: UInt64(merge.rank) << 32 | UInt64(merge.result))
        rankCount = max(rankCount, Int(merge.rank) + 1)
    }

    /// Rank in the upper half and result in the lower; `none` for a pair that does not merge.
    @inline(__always)
    func packed(_ left: UInt32, _ right: UInt32) -> UInt64 {
        let key = key(left, right)
        let hash = hash(key)
        let bit = hash &>> (64 - Self.filterBits)
        guard filter[Int(truncatingIfNeeded: bit &>> 6)] & 1 &<< (bit & 63) != 0 else { return Self.none }
        return slots[slot(of: key, hash)].packed
    }

    func merge(_ left: UInt32, _ right: UInt32) -> Merge? {
        let packed = packed(left, right)
        return packed == Self.none ? nil : Merge(rank: UInt32(packed >> 32), result: UInt32(truncatingIfNeeded: packed))
    }

    @inline(__always)
    private func key(_ left: UInt32, _ right: UInt32) -> UInt64 {
        (UInt64(left) << 32 | UInt64(right)) &+ 1
    }

    @inline(__always)
    private func hash(_ key: UInt64) -> UInt64 {
        let product = key.multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
        return product.high ^ product.low
    }

    /// The slot of a key, or the free one where it belongs.
    @inline(__always)
    private func slot(of key: UInt64, _ hash: UInt64) -> Int {
        var slot = Int(truncatingIfNeeded: hash) & (size - 1)
        while slots[slot].key != key && slots[slot].key != 0 { slot = (slot + 1) & (size - 1) }
        return slot
    }

    private func grow() {
        let (old, oldSize) = (slots, size)
        size *= 2
        slots = Self.empty(size)
        for at in 0..<oldSize where old[at].key != 0 { slots[slot(of: old[at].key, hash(old[at].key))] = old[at] }
        old.deallocate()
    }
}
