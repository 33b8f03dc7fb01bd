// Byte strings in the order of their bytes, each with a number: what tries are built from.

import Glibc

/// Keys in one arena, sorted stably: of equal ones the first added comes first.
struct SortedKeys {
    /// Where a key's bytes lie, and its number.
    struct Key {
        fileprivate(set) var start: UInt32
        fileprivate(set) var count: UInt32
        fileprivate(set) var value: UInt32
    }
    private(set) var arena: [UInt8] = []
    private(set) var keys: [Key] = []

    /// Places in the arena are numbers of 32 bits.
    static let mostBytes = Int(UInt32.max) - 1

    /// So few keys are sorted by insertion.
    private static let fewKeys = 24

    /// Keys and bytes that there will be at least.
    init(keys count: Int = 0, bytes: Int = 0) {
        keys.reserveCapacity(count)
        arena.reserveCapacity(bytes)
    }

    /// - unsorted: none empty.
    init(_ unsorted: some Sequence<(bytes: ArraySlice<UInt8>, value: UInt32)>) {
        for key in unsorted { append(key.bytes, key.value) }
        sort()
    }

    var count: Int { keys.count }

    func bytes(_ at: Int) -> ArraySlice<UInt8> { arena[Int(keys[at].start)..<Int(keys[at].start + keys[at].count)] }

    /// Adds a key, behind the others until they are sorted.
    mutating func append(_ bytes: some Collection<UInt8>, _ value: UInt32) {
        precondition(arena.count + bytes.count <= Self.mostBytes, "bug: keys of 4 GiB")
        keys.append(Key(start: UInt32(arena.count), count: UInt32(bytes.count), value: value))
        arena.append(contentsOf: bytes)
    }

    /// The longer keys that begin so, without their beginning. Of sorted keys they are sorted too.
    func dropping(_ prefix: [UInt8]) -> SortedKeys {
        var result = self
        result.keys = keys.indices.lazy.filter { bytes($0).count > prefix.count && bytes($0).starts(with: prefix) }.map {
            Key(start: keys[$0].start + UInt32(prefix.count), count: keys[$0].count - UInt32(prefix.count), value: keys[$0].value)
        }
        return result
    }

    /// The first key that is equal to the one behind it.
    var firstTwice: Int? { keys.indices.dropLast().first { isEqual($0, $0 + 1) } }

    /// Of equal keys leaves the last.
    mutating func keepLastOfEqual() {
        guard firstTwice != nil else { return }
        keys = keys.indices.filter { $0 + 1 == keys.count || !isEqual($0, $0 + 1) }.map { keys[$0] }
    }

    /// Removes the keys with such numbers.
    mutating func removeAll(where isUnwanted: (UInt32) -> Bool) { keys.removeAll { isUnwanted($0.value) } }

    /// Bytes of the longest key.
    var longest: Int { Int(keys.lazy.map(\.count).max() ?? 0) }

    private func isEqual(_ one: Int, _ other: Int) -> Bool {
        let (one, other) = (keys[one], keys[other])
        guard one.count == other.count else { return false }
        return arena.withUnsafeBytes { memcmp($0.baseAddress! + Int(one.start), $0.baseAddress! + Int(other.start), Int(one.count)) == 0 }
    }

    /// By the first byte, then each group by the second, and so on. Cost: about 5 ns for every byte in which large groups differ.
    mutating func sort() {
        guard keys.count > 1 else { return }
        var groups = [(keys: 0..<keys.count, depth: 0)]
        withUnsafeTemporaryAllocation(of: Key.self, capacity: keys.count) { room in
            arena.withUnsafeBufferPointer { arena in
                keys.withUnsafeMutableBufferPointer { keys in
                    while let (range, depth) = groups.popLast() {
                        if range.count <= Self.fewKeys {
                            Self.insertionSort(arena.baseAddress!, keys.baseAddress! + range.lowerBound, range.count, depth)
                            continue
                        }
                        let ends = Self.distribute(arena.baseAddress!, keys.baseAddress! + range.lowerBound, range.count, depth, room)
                        // Keys that end here are all equal.
                        for bucket in 1...256 where ends[bucket] - ends[bucket - 1] > 1 {
                            groups.append(((range.lowerBound + ends[bucket - 1])..<(range.lowerBound + ends[bucket]), depth + 1))
                        }
                    }
                }
            }
        }
    }

    /// Moves keys into the order of the byte at a depth; returns the ends of the groups, that of keys without such a byte first.
    private static func distribute(
        _ arena: UnsafePointer<UInt8>, _ keys: UnsafeMutablePointer<Key>, _ count: Int, _ depth: Int,
        _ room: UnsafeMutableBufferPointer<Key>
    ) -> [Int] {
        func bucket(_ key: Key) -> Int { Int(key.count) == depth ? 0 : Int(arena[Int(key.start) + depth]) + 1 }
        var ends = [Int](repeating: 0, count: 257)
        for at in 0..<count { ends[bucket(keys[at])] += 1 }
        var sum = 0
        for at in 0..<257 {
            sum += ends[at]
            ends[at] = sum - ends[at]
        }
        for at in 0..<count {
            let bucket = bucket(keys[at])
            room[ends[bucket]] = keys[at]
            ends[bucket] += 1
        }
        keys.update(from: room.baseAddress!, count: count)
        return ends
    }

    private static func insertionSort(_ arena: UnsafePointer<UInt8>, _ keys: UnsafeMutablePointer<Key>, _ count: Int, _ depth: Int) {
        for at in 1..<max(1, count) {
            let key = keys[at]
            var to = at
            while to > 0 && precedes(arena, key, keys[to - 1], depth) {
                keys[to] = keys[to - 1]
                to -= 1
            }
            keys[to] = key
        }
    }

    private static func precedes(_ arena: UnsafePointer<UInt8>, _ one: Key, _ other: Key, _ depth: Int) -> Bool {
        let (first, second) = (arena + Int(one.start) + depth, arena + Int(other.start) + depth)
        let order = memcmp(first, second, Int(min(one.count, other.count)) - depth)
        return order == 0 ? one.count < other.count : order < 0
    }
}
