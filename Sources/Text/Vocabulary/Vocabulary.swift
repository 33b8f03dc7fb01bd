// A vocabulary: ids to bytes and bytes to ids, one arena and one open-addressing table.

/// Entries keyed by their bytes.
///
/// Never by `String`: Swift compares strings by canonical equivalence, and Llama-2's 32,000 entries would become 31,994.
struct Vocabulary: Sendable {
    private var arena: [UInt8] = []
    /// Entry i is arena[starts[i]..<starts[i + 1]].
    private var starts: [Int] = [0]
    /// Slots hold entry + 1; 0 is free. The size is a power of two.
    private var slots: [UInt32]

    init(capacity: Int) {
        var size = 16
        while size < 2 * capacity { size *= 2 }
        slots = [UInt32](repeating: 0, count: size)
        starts.reserveCapacity(capacity + 1)
    }

    /// Entries, named or not.
    var count: Int { starts.count - 1 }

    func bytes(_ id: Int) -> ArraySlice<UInt8> {
        arena[starts[id]..<starts[id + 1]]
    }

    func withBytes<Result>(_ id: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        arena.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[starts[id]..<starts[id + 1]])) }
    }

    /// Appends an entry and returns its id. An entry whose bytes are there already gets an id that `id(of:)` does not find.
    @discardableResult
    mutating func append(_ bytes: some Collection<UInt8>) -> Int {
        let id = count
        arena.append(contentsOf: bytes)
        starts.append(arena.count)
        if 2 * count > slots.count { grow() } else { insert(id) }
        return id
    }

    /// Appends an entry that stands for no bytes and that nothing looks up.
    @discardableResult
    mutating func appendUnnamed() -> Int {
        starts.append(arena.count)
        return count - 1
    }

    func id(of bytes: UnsafeRawBufferPointer) -> Int? {
        guard !bytes.isEmpty else { return nil }
        var slot = Int(truncatingIfNeeded: hash(bytes)) & (slots.count - 1)
        while slots[slot] != 0 {
            let id = Int(slots[slot]) - 1
            if equals(id, bytes) { return id }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    func id(of bytes: some Collection<UInt8>) -> Int? {
        Array(bytes).withUnsafeBytes { id(of: $0) }
    }

    private func equals(_ id: Int, _ bytes: UnsafeRawBufferPointer) -> Bool {
        let start = starts[id]
        guard starts[id + 1] - start == bytes.count else { return false }
        for at in 0..<bytes.count where arena[start + at] != bytes[at] { return false }
        return true
    }

    private mutating func insert(_ id: Int) {
        guard starts[id + 1] > starts[id] else { return }
        var slot = arena[starts[id]..<starts[id + 1]].withUnsafeBytes { Int(truncatingIfNeeded: hash($0)) } & (slots.count - 1)
        while slots[slot] != 0 {
            let other = Int(slots[slot]) - 1
            if bytes(other) == bytes(id) { return }
            slot = (slot + 1) & (slots.count - 1)
        }
        slots[slot] = UInt32(id + 1)
    }

    private mutating func grow() {
        slots = [UInt32](repeating: 0, count: 2 * slots.count)
        for id in 0..<count { insert(id) }
    }

    /// FNV-1a with a final mix: short keys, good low bits.
    private func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var value: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
        value ^= value >> 32
        return value &* 0x9e37_79b9_7f4a_7c15 >> 20
    }
}
