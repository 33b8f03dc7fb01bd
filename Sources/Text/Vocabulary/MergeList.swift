// Merges as a file lists them, before they are looked up.

/// What a pair becomes. Lower ranks go first.
struct Merge {
    var rank: UInt32
    var result: UInt32
}

/// Pairs of symbols with their merges, in the order of a file. A pair that is listed again has its last merge, as in the tokenizers package.
struct MergeList {
    struct Entry {
        var left: UInt32
        var right: UInt32
        var merge: Merge
    }
    private(set) var entries: [Entry] = []

    init(capacity: Int) { entries.reserveCapacity(capacity) }

    mutating func append(_ left: UInt32, _ right: UInt32, _ merge: Merge) {
        entries.append(Entry(left: left, right: right, merge: merge))
    }
}
