// Byte-pair encoding of one word: the pair with the lowest rank merges first, the leftmost among equals.

/// Merges the symbols of a word, with memory that is kept from word to word.
///
/// Short words are searched for the best pair again and again; longer ones are short ones joined, so that one letter a million times costs
/// little more a byte than a word of a hundred. Where results are to be cut again, all is merged at once.
final class BytePairMerger {
    /// The symbols: set by `begin` and `append`, then what is left of them after `merge`.
    private(set) var count = 0
    private(set) var ids: UnsafeMutablePointer<UInt32>
    /// Where each symbol begins; one more, the end of the word, behind the last.
    private(set) var starts: UnsafeMutablePointer<UInt32>
    /// For words that are encoded with others; nil where results are to be cut again.
    let staged: ShortWordMerger?

    private var capacity = 64
    private let whole: WholeWordMerger
    private let long: LongWordMerger?

    /// - unused: results that are only steps to others: those that are left in the end are cut again.
    init(_ table: MergeTable, unused: Set<UInt32> = []) {
        whole = WholeWordMerger(table, unused: unused)
        staged = unused.isEmpty ? ShortWordMerger(table) : nil
        long = unused.isEmpty ? LongWordMerger(table, whole) : nil
        ids = .allocate(capacity: capacity)
        starts = .allocate(capacity: capacity + 1)
    }

    deinit {
        ids.deallocate()
        starts.deallocate()
    }

    /// Forgets the symbols and makes room for `most` new ones.
    func begin(most: Int) {
        count = 0
        guard most > capacity else { return }
        ids.deallocate()
        starts.deallocate()
        capacity = max(most, 2 * capacity)
        ids = .allocate(capacity: capacity)
        starts = .allocate(capacity: capacity + 1)
    }

    @inline(__always)
    func append(_ id: UInt32, at start: Int) {
        ids[count] = id
        starts[count] = UInt32(truncatingIfNeeded: start)
        count += 1
    }

    /// Merges until no pair is left that does.
    func merge(end: Int) {
        starts[count] = UInt32(truncatingIfNeeded: end)
        guard count > 1 else { return }
        count = long?.merge(ids, starts, count) ?? whole.merge(ids, starts, count)
    }
}
