// Words met before, with their tokens: most words of a corpus are.

/// A table of fixed size, where a new word takes the place of the one that lay in its slot.
struct WordCache {
    private static let slots = 1 << 15
    /// Longer words are rare, and each costs its merges.
    private static let longestWord = 32
    private static let mostTokens = 12

    private struct Entry {
        var length: UInt8 = 0
        var count: UInt8 = 0
    }
    private var entries = [Entry](repeating: Entry(), count: WordCache.slots)
    private var words = [UInt8](repeating: 0, count: WordCache.slots * WordCache.longestWord)
    private var ids = [UInt32](repeating: 0, count: WordCache.slots * WordCache.mostTokens)
    private var ends = [UInt8](repeating: 0, count: WordCache.slots * WordCache.mostTokens)

    /// Appends the word's tokens where it is known.
    func append(_ word: UnsafeRawBufferPointer, at start: Int, to tokens: inout TokenSequence) -> Bool {
        guard word.count <= Self.longestWord else { return false }
        let slot = slot(of: word)
        let entry = entries[slot]
        guard Int(entry.length) == word.count else { return false }
        let base = slot * Self.longestWord
        for at in 0..<word.count where words[base + at] != word[at] { return false }
        var begin = start
        for at in slot * Self.mostTokens..<slot * Self.mostTokens + Int(entry.count) {
            tokens.append(ids[at], begin, start + Int(ends[at]))
            begin = start + Int(ends[at])
        }
        return true
    }

    /// Remembers tokens that tile a word.
    mutating func remember(_ word: UnsafeRawBufferPointer, _ tokens: TokenSequence, from first: Int, at start: Int) {
        let count = tokens.ids.count - first
        guard word.count <= Self.longestWord && count <= Self.mostTokens && count > 0 else { return }
        let slot = slot(of: word)
        entries[slot] = Entry(length: UInt8(word.count), count: UInt8(count))
        for at in 0..<word.count { words[slot * Self.longestWord + at] = word[at] }
        for at in 0..<count {
            ids[slot * Self.mostTokens + at] = tokens.ids[first + at]
            ends[slot * Self.mostTokens + at] = UInt8(Int(tokens.offsets[2 * (first + at) + 1]) - start)
        }
    }

    private func slot(of word: UnsafeRawBufferPointer) -> Int {
        var value: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in word { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Int(truncatingIfNeeded: (value &* 0x9e37_79b9_7f4a_7c15) >> 40) & (Self.slots - 1)
    }
}
