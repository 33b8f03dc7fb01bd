// The ids of documents that have passed, in little memory: a stream may hold hundreds of millions.
import Streams

/// The ids met so far, by two hashes of 64 bits: two of a billion are taken for one with a probability of 10^-21.
///
/// 20 to 25 bytes an id, also while it grows: many small tables, each with linear probing, at most 4/5 full and a quarter larger each time.
struct SeenIDs {
    private var tables = [Table](repeating: Table(), count: 64)

    /// False where the id is there already.
    mutating func insert(_ id: [UInt8]) -> Bool {
        // No key is that of a free slot.
        let key = Key(first: SeenIDs.hash(id, seed: 1), second: max(1, SeenIDs.hash(id, seed: 2)))
        return tables[Int(key.first >> 58)].insert(key)
    }

    private static func hash(_ id: [UInt8], seed: UInt64) -> UInt64 {
        var hash = XXH64(seed: seed)
        id.withUnsafeBytes { hash.update($0) }
        return hash.digest()
    }

    private struct Key: Equatable {
        var first: UInt64 = 0
        var second: UInt64 = 0
    }

    private struct Table {
        private var slots = [Key](repeating: Key(), count: 16)
        private var count = 0

        mutating func insert(_ key: Key) -> Bool {
            if 5 * (count + 1) > 4 * slots.count { grow() }
            let at = place(key)
            if slots[at] == key { return false }
            slots[at] = key
            count += 1
            return true
        }

        /// Where a key stands, or the free slot for it.
        private func place(_ key: Key) -> Int {
            var at = Int(truncatingIfNeeded: key.second.multipliedFullWidth(by: UInt64(slots.count)).high)
            while slots[at] != Key(), slots[at] != key { at = at + 1 == slots.count ? 0 : at + 1 }
            return at
        }

        private mutating func grow() {
            let old = slots
            slots = [Key](repeating: Key(), count: old.count * 5 / 4 + 1)
            for key in old where key != Key() { slots[place(key)] = key }
        }
    }
}
