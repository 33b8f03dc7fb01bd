// Words met before, with their tokens: most words of a corpus are.

import CSystem
import Glibc

/// Words and the tokens that tile them. Short words (up to 15 bytes) are their own keys and are found by one or two comparisons;
/// longer ones are compared byte by byte. The memory is bounded: when it is full, old words give way.
final class WordCache {
    /// The longest word that `find` looks up by its two key words.
    static let shortWord = 15
    /// Longer words are rare, and each costs its merges.
    static let longestWord = 512

    /// A short word: its bytes, padded with zeros, the length in the highest byte; zero length is a free entry.
    struct Key: Equatable {
        var low: UInt64
        var high: UInt64
    }

    private struct Entry {
        var key: Key
        /// The first three ids, then in 8 bits each: how many tokens there are, and where the first and the second end. With more than
        /// three tokens the first id is a place in `spilled` instead.
        var first: UInt32
        var second: UInt32
        var third: UInt32
        var shape: UInt32
    }

    private struct LongEntry {
        var hash: UInt64 = 0
        /// Where the word's bytes lie in `longBytes`.
        var bytes: UInt32 = 0
        var length: UInt32 = 0
        /// Where its tokens lie in `spilled`.
        var tokens: UInt32 = 0
        var count: UInt32 = 0
    }

    private var entries: UnsafeMutablePointer<Entry>
    /// Sets of `ways` entries, less one.
    private var mask: UInt64
    private var used = 0
    /// Counts how often places have changed.
    private(set) var generation = 0
    private static let ways = 4
    private static let firstSets = 1 << 12
    private static let mostSets = 1 << 16

    private var long: UnsafeMutablePointer<LongEntry>
    private var longSlots = firstLongSlots
    private var longUsed = 0
    private var longBytes: [UInt8] = []
    private static let firstLongSlots = 1 << 12
    private static let mostLongSlots = 1 << 16
    private static let mostLongBytes = 4 << 20

    /// Ids, each with the end of its token in the word.
    private var spilled: [UInt64] = []
    private static let mostSpilled = 1 << 20

    init() {
        entries = Self.empty(Self.firstSets)
        mask = UInt64(Self.firstSets - 1)
        long = Self.emptyLong(longSlots)
    }

    deinit {
        entries.deallocate()
        long.deallocate()
        awaited.deallocate()
    }

    private static func empty(_ sets: Int) -> UnsafeMutablePointer<Entry> {
        let raw = UnsafeMutableRawPointer.allocate(byteCount: sets * ways * MemoryLayout<Entry>.stride, alignment: 128)
        let entries = raw.bindMemory(to: Entry.self, capacity: sets * ways)
        entries.initialize(
            repeating: Entry(key: Key(low: 0, high: 0), first: 0, second: 0, third: 0, shape: 0), count: sets * ways)
        return entries
    }

    // MARK: Short words

    /// The key of a word of 1 to 15 bytes; `readable` bytes may be read from its start.
    @inline(__always)
    static func key(_ word: UnsafePointer<UInt8>, _ length: Int, readable: Int) -> Key {
        let raw = UnsafeRawPointer(word)
        if readable >= 16 {
            let low = UInt64(littleEndian: raw.loadUnaligned(as: UInt64.self))
            let high = UInt64(littleEndian: (raw + 8).loadUnaligned(as: UInt64.self))
            // Smart shifts past the width give zero.
            let lowMask = length >= 8 ? UInt64.max : (1 &<< UInt64(8 * length)) &- 1
            let highMask = length <= 8 ? 0 : (1 &<< UInt64(8 * (length - 8))) &- 1
            return Key(low: low & lowMask, high: high & highMask | UInt64(length) &<< 56)
        }
        var low: UInt64 = 0
        var high: UInt64 = UInt64(length) &<< 56
        for at in 0..<length {
            if at < 8 { low |= UInt64(word[at]) &<< UInt64(8 * at) } else { high |= UInt64(word[at]) &<< UInt64(8 * (at - 8)) }
        }
        return Key(low: low, high: high)
    }

    /// Where a short word's entries begin; brings them near.
    @inline(__always)
    func place(_ key: Key) -> Int {
        let first = firstEntry(key)
        preceptor_prefetch(entries + first)
        preceptor_prefetch(entries + (first + 2))
        return first
    }

    @inline(__always)
    private func firstEntry(_ key: Key) -> Int {
        let product = (key.low ^ 0x9e37_79b9_7f4a_7c15).multipliedFullWidth(by: key.high ^ 0xd1b5_4a32_d192_ed03)
        return Int(truncatingIfNeeded: (product.high ^ product.low) & mask) * Self.ways
    }

    func contains(_ key: Key) -> Bool {
        let first = firstEntry(key)
        for way in 0..<Self.ways where entries[first + way].key == key { return true }
        return false
    }

    /// Writes the tokens of a short word that begins at byte `start`, now or with `writeAwaited`, and returns how many; 0 where it is not
    /// known.
    ///
    /// - place: `place(key)` of this generation. - ids, spans: room for 16 more tokens; a span is its start in the lower
    ///   half and its end in the upper.
    @inline(__always)
    func find(
        _ key: Key, _ place: Int, _ length: Int, at start: Int, _ ids: UnsafeMutablePointer<UInt32>, _ spans: UnsafeMutablePointer<UInt64>
    ) -> Int {
        let first = place
        for way in 0..<Self.ways {
            let entry = entries + (first + way)
            guard entry.pointee.key == key else { continue }
            let shape = entry.pointee.shape
            let count = Int(shape & 0xFF)
            let begin = UInt64(truncatingIfNeeded: start)
            let end = begin &+ UInt64(truncatingIfNeeded: length)
            if count == 1 {
                ids[0] = entry.pointee.first
                spans[0] = begin | end &<< 32
                return 1
            }
            if count > 3 {
                wait(for: Int(entry.pointee.first), count, at: begin, ids, spans)
                return count
            }
            let one = begin &+ UInt64(shape &>> 8 & 0xFF)
            let two = begin &+ UInt64(shape &>> 16 & 0xFF)
            ids[0] = entry.pointee.first
            ids[1] = entry.pointee.second
            ids[2] = entry.pointee.third
            spans[0] = begin | one &<< 32
            spans[1] = one | two &<< 32
            spans[2] = two | end &<< 32
            return count
        }
        return 0
    }

    /// Tokens that are on their way from `spilled`, and where they will be written.
    private struct Awaited {
        var place: Int
        var count: Int
        var begin: UInt64
        var ids: UnsafeMutablePointer<UInt32>
        var spans: UnsafeMutablePointer<UInt64>
    }
    private let awaited = UnsafeMutablePointer<Awaited>.allocate(capacity: mostAwaited)
    private var awaitedCount = 0
    private static let mostAwaited = 32

    @inline(__always)
    private func wait(
        for place: Int, _ count: Int, at begin: UInt64, _ ids: UnsafeMutablePointer<UInt32>, _ spans: UnsafeMutablePointer<UInt64>
    ) {
        if awaitedCount == Self.mostAwaited { writeAwaited() }
        spilled.withUnsafeBufferPointer { preceptor_prefetch($0.baseAddress! + place) }
        awaited[awaitedCount] = Awaited(place: place, count: count, begin: begin, ids: ids, spans: spans)
        awaitedCount &+= 1
    }

    /// Writes the tokens that `find` and `findLong` only made room for. To be called before words are remembered and before tokens move.
    func writeAwaited() {
        for at in 0..<awaitedCount {
            let one = awaited[at]
            spill(one.place, one.count, at: one.begin, one.ids, one.spans)
        }
        awaitedCount = 0
    }

    private func spill(
        _ place: Int, _ count: Int, at begin: UInt64, _ ids: UnsafeMutablePointer<UInt32>, _ spans: UnsafeMutablePointer<UInt64>
    ) {
        var last = begin
        spilled.withUnsafeBufferPointer { spilled in
            for at in 0..<count {
                let token = spilled[place + at]
                ids[at] = UInt32(truncatingIfNeeded: token)
                let end = begin &+ token &>> 32
                spans[at] = last | end &<< 32
                last = end
            }
        }
    }

    /// Remembers the tokens of a short word: they tile it, the first beginning at byte `start`.
    func remember(
        _ key: Key, _ length: Int, at start: Int, _ ids: UnsafePointer<UInt32>, _ spans: UnsafePointer<UInt64>, _ count: Int
    ) {
        guard count > 0 && count <= length else { return }
        if used > Int(mask + 1) * Self.ways / 2 && mask + 1 < Self.mostSets { grow() }
        if spilled.count > Self.mostSpilled { removeAll() }
        var entry = Entry(key: key, first: ids[0], second: 0, third: 0, shape: UInt32(count))
        if count > 3 {
            entry.first = UInt32(spilled.count)
            spill(at: start, ids, spans, count)
        } else {
            func end(_ token: Int) -> UInt32 { UInt32(truncatingIfNeeded: Int(spans[token] >> 32) - start) }
            if count > 1 {
                entry.second = ids[1]
                entry.shape |= end(0) << 8 | end(1) << 16
            }
            if count > 2 { entry.third = ids[2] }
        }
        place(entry)
    }

    private func place(_ entry: Entry) {
        let first = firstEntry(entry.key)
        for way in 0..<Self.ways where entries[first + way].key.high == 0 {
            entries[first + way] = entry
            used += 1
            return
        }
        // The set is full: the newest goes first and pushes the oldest out.
        for way in (1..<Self.ways).reversed() { entries[first + way] = entries[first + way - 1] }
        entries[first] = entry
    }

    private func grow() {
        let (old, count) = (entries, Int(mask + 1) * Self.ways)
        mask = mask << 2 | 3
        generation += 1
        entries = Self.empty(Int(mask + 1))
        used = 0
        for at in 0..<count where old[at].key.high != 0 { place(old[at]) }
        old.deallocate()
    }

    private func spill(at start: Int, _ ids: UnsafePointer<UInt32>, _ spans: UnsafePointer<UInt64>, _ count: Int) {
        for at in 0..<count { spilled.append(UInt64(ids[at]) | UInt64(Int(spans[at] >> 32) - start) << 32) }
    }

    private func removeAll() {
        entries.deallocate()
        entries = Self.empty(Int(mask + 1))
        used = 0
        long.update(repeating: LongEntry(), count: longSlots)
        longUsed = 0
        longBytes.removeAll(keepingCapacity: true)
        spilled.removeAll(keepingCapacity: true)
    }

    // MARK: Longer words

    /// The hash of a word of 16 to `longestWord` bytes; brings its entry near.
    @inline(__always)
    func placeLong(_ word: UnsafePointer<UInt8>, _ length: Int) -> UInt64 {
        let hash = hashBytes(word, length) | 1
        preceptor_prefetch(long + longSlot(hash))
        return hash
    }

    @inline(__always)
    private func longSlot(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash >> 32) & (longSlots - 1) }

    /// As `find`, for words of 16 to `longestWord` bytes; there must be room for `length` more tokens.
    ///
    /// - hash: `placeLong(word, length)`.
    func findLong(
        _ word: UnsafePointer<UInt8>, _ length: Int, _ hash: UInt64, at start: Int, _ ids: UnsafeMutablePointer<UInt32>,
        _ spans: UnsafeMutablePointer<UInt64>
    ) -> Int {
        let entry = long[longSlot(hash)]
        guard entry.hash == hash, entry.length == UInt32(length) else { return 0 }
        let isSame = longBytes.withUnsafeBytes { memcmp($0.baseAddress! + Int(entry.bytes), word, length) == 0 }
        guard isSame else { return 0 }
        wait(for: Int(entry.tokens), Int(entry.count), at: UInt64(start), ids, spans)
        return Int(entry.count)
    }

    /// Remembers the tokens of a longer word, in the place of the one that lay in its slot.
    func rememberLong(
        _ word: UnsafePointer<UInt8>, _ length: Int, at start: Int, _ ids: UnsafePointer<UInt32>, _ spans: UnsafePointer<UInt64>,
        _ count: Int
    ) {
        if spilled.count > Self.mostSpilled || longBytes.count > Self.mostLongBytes { removeAll() }
        if 2 * longUsed > longSlots && longSlots < Self.mostLongSlots { growLong() }
        let hash = hashBytes(word, length) | 1
        let slot = longSlot(hash)
        if long[slot].hash == 0 { longUsed += 1 }
        long[slot] = LongEntry(
            hash: hash, bytes: UInt32(longBytes.count), length: UInt32(length), tokens: UInt32(spilled.count), count: UInt32(count))
        longBytes.append(contentsOf: UnsafeBufferPointer(start: word, count: length))
        spill(at: start, ids, spans, count)
    }

    private static func emptyLong(_ slots: Int) -> UnsafeMutablePointer<LongEntry> {
        let long = UnsafeMutablePointer<LongEntry>.allocate(capacity: slots)
        long.initialize(repeating: LongEntry(), count: slots)
        return long
    }

    private func growLong() {
        let (old, oldSlots) = (long, longSlots)
        longSlots *= 4
        long = Self.emptyLong(longSlots)
        longUsed = 0
        for at in 0..<oldSlots where old[at].hash != 0 {
            if long[longSlot(old[at].hash)].hash == 0 { longUsed += 1 }
            long[longSlot(old[at].hash)] = old[at]
        }
        old.deallocate()
    }
}
