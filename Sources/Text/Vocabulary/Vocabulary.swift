// A vocabulary: ids to bytes and bytes to ids, one arena and one open-addressing table.

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

    init(capacity: Int) {
        self.capacity = max(16, capacity)
        arenaCapacity = 8 * self.capacity
        size = 32
        while size < 2 * self.capacity { size *= 2 }
        arena = .allocate(capacity: arenaCapacity)
        starts = .allocate(capacity: self.capacity + 1)
        starts[0] = 0
        slots = .allocate(capacity: size)
        slots.initialize(repeating: 0, count: size)
    }

    deinit {
        arena.deallocate()
        starts.deallocate()
        slots.deallocate()
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
        let start = Int(starts[count])
        precondition(start + bytes.count < Int(UInt32.max), "bug: a vocabulary of 4 GiB")
        if start + bytes.count > arenaCapacity { growArena(start + bytes.count) }
        if let source = bytes.baseAddress { UnsafeMutableRawPointer(arena + start).copyMemory(from: source, byteCount: bytes.count) }
        let id = endEntry(start + bytes.count)
        if 2 * count > size { growSlots() } else { insert(id) }
        return id
    }

    @discardableResult
    func append(_ bytes: [UInt8]) -> Int { bytes.withUnsafeBytes { append($0) } }

    /// Appends an entry, and tells whether its bytes were not there yet.
    func appendNew(_ bytes: [UInt8]) -> Bool {
        let id = append(bytes)
        return bytes.withUnsafeBytes { self.id(of: $0) } == id
    }

    /// Appends an entry that stands for no bytes and that nothing looks up.
    @discardableResult
    func appendUnnamed() -> Int { endEntry(Int(starts[count])) }

    private func endEntry(_ end: Int) -> Int {
        if count == capacity { growStarts() }
        count += 1
        starts[count] = UInt32(end)
        return count - 1
    }

    @inline(__always)
    func id(of bytes: UnsafeRawBufferPointer) -> Int? {
        guard let start = bytes.baseAddress, bytes.count > 0 else { return nil }
        let hash = hashBytes(start, bytes.count)
        var slot = Int(truncatingIfNeeded: hash) & (size - 1)
        while slots[slot] != 0 {
            if slots[slot] >> 32 == hash >> 32 {
                let id = Int(truncatingIfNeeded: slots[slot] & 0xFFFF_FFFF) - 1
                let known = view(id)
                if known.count == bytes.count && memcmp(known.baseAddress!, start, bytes.count) == 0 { return id }
            }
            slot = (slot + 1) & (size - 1)
        }
        return nil
    }

    func id(of bytes: [UInt8]) -> Int? { bytes.withUnsafeBytes { id(of: $0) } }

    private func insert(_ id: Int) {
        let bytes = view(id)
        guard bytes.count > 0 else { return }
        let hash = hashBytes(bytes.baseAddress!, bytes.count)
        var slot = Int(truncatingIfNeeded: hash) & (size - 1)
        while slots[slot] != 0 {
            if slots[slot] >> 32 == hash >> 32, view(Int(truncatingIfNeeded: slots[slot] & 0xFFFF_FFFF) - 1).elementsEqual(bytes) { return }
            slot = (slot + 1) & (size - 1)
        }
        slots[slot] = hash & 0xFFFF_FFFF_0000_0000 | UInt64(id + 1)
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
        slots.deallocate()
        size *= 2
        slots = .allocate(capacity: size)
        slots.initialize(repeating: 0, count: size)
        for id in 0..<count { insert(id) }
    }
}
