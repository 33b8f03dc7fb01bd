// A vocabulary: ids to bytes and bytes to ids, one arena and one open-addressing table.

import CSystem
import Glibc

/// Entries keyed by their bytes. Filled once, then only read.
///
/// Never by `String`: Swift compares strings by canonical equivalence, and Llama-2's 32,000 entries would become 31,994.
final class Vocabulary: @unchecked Sendable {
    /// Entries, named or not.
    private(set) var count = 0

    private var arena: UnsafeMutablePointer<UInt8>
    private var arenaCapacity: Int
    /// Entry i is arena[starts[i]..<starts[i + 1]].
    private var starts: UnsafeMutablePointer<UInt32>
    private var capacity: Int
    /// Entry + 1 in the lower half, a part of its hash in the upper; 0 is free. The size is a power of two.
    private var slots: UnsafeMutablePointer<UInt64>
    private var size: Int
    private var memory: TableMemory

    /// Entries that there will be, and the bytes of all: more of either costs a move.
    init(capacity: Int, bytes: Int = 0) {
        self.capacity = max(16, capacity)
        arenaCapacity = max(bytes, 8 * self.capacity)
        size = 32
        while 2 * size < 3 * self.capacity { size *= 2 }
        arena = .allocate(capacity: arenaCapacity)
        starts = .allocate(capacity: self.capacity + 1)
        starts[0] = 0
        memory = TableMemory(bytes: 8 * size)
        slots = memory.view(of: UInt64.self)
    }

    deinit {
        arena.deallocate()
        starts.deallocate()
    }

    /// The bytes of an entry, as long as the vocabulary lives and does not grow.
    @inline(__always)
    func view(_ id: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: arena + Int(starts[id]), count: Int(starts[id + 1] - starts[id]))
    }

    func bytes(_ id: Int) -> [UInt8] { Array(view(id)) }

    /// Appends an entry and returns its id. An entry whose bytes are there already gets an id that `id(of:)` does not find.
    @discardableResult
    func append(_ bytes: UnsafeRawBufferPointer) -> Int {
        _ = add(bytes, hash: hash(bytes), evenTwice: true)
        return count - 1
    }

    @discardableResult
    func append(_ bytes: [UInt8]) -> Int { bytes.withUnsafeBytes { append($0) } }

    /// Appends an entry unless there is one with its bytes, whose id it then returns. Entries without bytes are all new.
    @inline(__always)
    func appendNew(_ bytes: UnsafeRawBufferPointer) -> Int? { appendNew(bytes, hash: hash(bytes)) }

    /// - hash: of the bytes.
    @inline(__always)
    func appendNew(_ bytes: UnsafeRawBufferPointer, hash: UInt64) -> Int? { add(bytes, hash: hash, evenTwice: false) }

    /// What entries are looked up by.
    @inline(__always)
    func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 { bytes.baseAddress.map { hashBytes($0, bytes.count) } ?? 0 }

    func appendNew(_ bytes: [UInt8]) -> Int? { bytes.withUnsafeBytes { appendNew($0) } }

    /// Appends an entry that stands for no bytes and that nothing looks up.
    @discardableResult
    func appendUnnamed() -> Int { endEntry(Int(starts[count])) }

    /// Returns the entry that has the bytes already.
    private func add(_ bytes: UnsafeRawBufferPointer, hash: UInt64, evenTwice: Bool) -> Int? {
        var known: Int?
        if let source = bytes.baseAddress, bytes.count > 0 {
            if 3 * (count + 1) > 2 * size { growSlots() }
            let slot = slot(of: bytes, hash)
            if slots[slot] == 0 {
                slots[slot] = Self.mark(hash, count)
            } else {
                known = Self.entry(slots[slot])
                guard evenTwice else { return known }
            }
            let start = Int(starts[count])
            precondition(start + bytes.count < Int(UInt32.max), "bug: a vocabulary of 4 GiB")
            if start + bytes.count > arenaCapacity { growArena(start + bytes.count) }
            UnsafeMutableRawPointer(arena + start).copyMemory(from: source, byteCount: bytes.count)
        }
        endEntry(Int(starts[count]) + bytes.count)
        return known
    }

    @discardableResult
    private func endEntry(_ end: Int) -> Int {
        if count == capacity { growStarts() }
        count += 1
        starts[count] = UInt32(end)
        return count - 1
    }

    @inline(__always)
    func id(of bytes: UnsafeRawBufferPointer) -> Int? {
        guard let start = bytes.baseAddress, bytes.count > 0 else { return nil }
        return id(of: bytes, hash: hashBytes(start, bytes.count))
    }

    /// - hash: of the bytes, which are not empty.
    @inline(__always)
    func id(of bytes: UnsafeRawBufferPointer, hash: UInt64) -> Int? {
        let found = slots[slot(of: bytes, hash)]
        return found == 0 ? nil : Self.entry(found)
    }

    func id(of bytes: [UInt8]) -> Int? { bytes.withUnsafeBytes { id(of: $0) } }

    /// Brings near what `id(of:hash:)` looks at first.
    @inline(__always)
    func prefetch(_ hash: UInt64) { preceptor_prefetch(slots + (Int(truncatingIfNeeded: hash) & (size &- 1))) }

    @inline(__always)
    private static func mark(_ hash: UInt64, _ id: Int) -> UInt64 { hash & 0xFFFF_FFFF_0000_0000 | UInt64(id + 1) }

    @inline(__always)
    private static func entry(_ mark: UInt64) -> Int { Int(truncatingIfNeeded: mark & 0xFFFF_FFFF) &- 1 }

    /// The slot of an entry with these bytes, or the free one where it belongs.
    @inline(__always)
    private func slot(of bytes: UnsafeRawBufferPointer, _ hash: UInt64) -> Int {
        var slot = Int(truncatingIfNeeded: hash) & (size &- 1)
        while slots[slot] != 0 {
            if slots[slot] >> 32 == hash >> 32, isEqual(bytes, Self.entry(slots[slot])) { break }
            slot = (slot &+ 1) & (size &- 1)
        }
        return slot
    }

    @inline(__always)
    private func isEqual(_ bytes: UnsafeRawBufferPointer, _ id: Int) -> Bool {
        let known = view(id)
        return known.count == bytes.count && memcmp(known.baseAddress!, bytes.baseAddress!, bytes.count) == 0
    }

    private func growArena(_ least: Int) {
        arenaCapacity = max(least, 2 * arenaCapacity)
        let grown = UnsafeMutablePointer<UInt8>.allocate(capacity: arenaCapacity)
        grown.update(from: arena, count: Int(starts[count]))
        arena.deallocate()
        arena = grown
    }

    private func growStarts() {
        capacity *= 2
        let grown = UnsafeMutablePointer<UInt32>.allocate(capacity: capacity + 1)
        grown.update(from: starts, count: count + 1)
        starts.deallocate()
        starts = grown
    }

    private func growSlots() {
        size *= 2
        memory = TableMemory(bytes: 8 * size)
        slots = memory.view(of: UInt64.self)
        for id in 0..<count {
            let bytes = view(id)
            guard bytes.count > 0 else { continue }
            let hash = hashBytes(bytes.baseAddress!, bytes.count)
            let slot = slot(of: bytes, hash)
            if slots[slot] == 0 { slots[slot] = Self.mark(hash, id) }
        }
    }
}
