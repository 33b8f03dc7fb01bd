// Merges: which two neighbouring symbols become which, and how early.

import CSystem
import Streams

/// Pairs of symbols to their merges; never changed.
///
/// A pair is looked up in one line of memory and without a branch that depends on what is found there: a bucket holds eight pairs, for each
/// a tag of 32 bits and a key. Tags are exact: a pair's bits are mixed by a bijection (an odd product), the bucket's number is the upper
/// part of the mixture and the tag its lower, and the two together are all of it.
final class MergeTable: @unchecked Sendable {
    /// The key of a merge is its rank times 64, which leaves room for a place; this is the key of pairs that do not merge, behind all others.
    static let noKey = Int32.max
    static let keyShift = 6
    /// Ranks are lower than this.
    static let rankLimit = 1 << (31 - keyShift)
    static let symbolLimit: UInt32 = 1 << 26
    /// `packed` of a pair that does not merge: later than every rank.
    static let none = UInt64.max

    private static let ways = 8
    private static let bucketBytes = 64
    /// So many buckets behind its own a pair lies at most: tags tell so many apart.
    private static let farthestBits = 4

    let pairs: Pairs
    /// What the merges of each rank become; `several` where that depends on the pair.
    private let results: UnsafeMutablePointer<UInt32>
    /// Every result is its rank and this, as in most byte-level vocabularies; nil where not. It saves a load to wait for.
    private let distance: UInt32?
    private static let several = UInt32.max
    /// The results of pairs whose rank stands for several.
    private let tied: [UInt64: UInt32]
    /// One more than the highest rank.
    let rankCount: Int

    /// What a lookup reads: eight tags, then eight keys with all of their bits turned, so that 0 is free; then the next bucket.
    struct Pairs {
        fileprivate let buckets: UnsafeMutableRawPointer
        fileprivate let bucketBits: UInt64
        /// Bits of a symbol. What is not a symbol of any pair counts as the highest number of so many bits.
        fileprivate let symbolBits: UInt64
        fileprivate let factor: UInt64

        /// Where a pair is looked up.
        struct Place {
            fileprivate let bucket: Int
            fileprivate let tag: UInt32
        }

        @inline(__always)
        func place(_ left: UInt32, _ right: UInt32) -> Place {
            let most = (1 &<< symbolBits) &- 1
            let (left, right) = (min(UInt64(left), most), min(UInt64(right), most))
            // The mixture is the product's upper 2 * symbolBits bits: the factor is shifted by the rest.
            let mixed = ((left &<< symbolBits | right) ^ left) &* factor
            return Place(
                bucket: Int(truncatingIfNeeded: mixed &>> (64 &- bucketBits)),
                tag: UInt32(truncatingIfNeeded: mixed &>> (64 &- 2 &* symbolBits)))
        }

        /// Brings the bucket near before it is used.
        @inline(__always)
        func prefetch(_ place: Place) { preceptor_prefetch(buckets + place.bucket &* MergeTable.bucketBytes) }

        /// The key of the pair's merge, or `noKey`.
        @inline(__always)
        func key(_ place: Place) -> Int32 {
            var bucket = place.bucket
            while true {
                let line = buckets + bucket &* MergeTable.bucketBytes
                let key = preceptor_tagged(line, place.tag)
                // A bucket that is full may have sent pairs on to the next.
                if key != 0 || (line + MergeTable.bucketBytes - 4).load(as: UInt32.self) == 0 {
                    return Int32(bitPattern: key ^ UInt32(MergeTable.noKey))
                }
                bucket = (bucket &+ 1) & ((1 &<< Int(bucketBits)) &- 1)
            }
        }
    }

    /// - name: the file, for the error.
    ///
    /// Throws 65 where ranks or symbols are not lower than their limits.
    init(_ list: MergeList, name: String = "merges") throws {
        let entries = list.entries
        var most: UInt32 = 0
        var highest: UInt32 = 0
        for entry in entries {
            most = max(most, entry.left, entry.right)
            highest = max(highest, entry.merge.rank)
        }
        guard highest < Self.rankLimit else {
            throw Failure(.badData, name, .whole, "a merge of rank \(highest); ranks must be lower than \(Self.rankLimit)")
        }
        guard most < Self.symbolLimit else {
            throw Failure(.badData, name, .whole, "a merge of symbol \(most); symbols must be lower than \(Self.symbolLimit)")
        }
        rankCount = entries.isEmpty ? 0 : Int(highest) + 1
        let symbolBits = 64 - (UInt64(most) + 1).leadingZeroBitCount
        var bucketBits = max(1, 2 * symbolBits + Self.farthestBits - 32)
        while 5 * Self.ways << bucketBits < 8 * entries.count { bucketBits += 1 }
        let buckets = UnsafeMutableRawPointer.allocate(byteCount: Self.bucketBytes << bucketBits, alignment: 64)
        buckets.initializeMemory(as: UInt8.self, repeating: 0, count: Self.bucketBytes << bucketBits)
        pairs = Pairs(
            buckets: buckets, bucketBits: UInt64(bucketBits), symbolBits: UInt64(symbolBits),
            factor: 0x9e37_79b9_7f4a_7c15 << UInt64(64 - 2 * symbolBits))
        (results, tied) = Self.results(entries, rankCount)
        let distance = entries.first.map { $0.merge.result &- $0.merge.rank }
        self.distance = entries.allSatisfy { $0.merge.result &- $0.merge.rank == distance } ? distance : nil
        let ahead = 16
        for (at, entry) in entries.enumerated() {
            if at + ahead < entries.count { pairs.prefetch(pairs.place(entries[at + ahead].left, entries[at + ahead].right)) }
            insert(entry)
        }
    }

    deinit {
        pairs.buckets.deallocate()
        results.deallocate()
    }

    private static func results(_ entries: [MergeList.Entry], _ rankCount: Int) -> (UnsafeMutablePointer<UInt32>, [UInt64: UInt32]) {
        let results = UnsafeMutablePointer<UInt32>.allocate(capacity: max(1, rankCount))
        var isSet = [Bool](repeating: false, count: rankCount)
        var ranks = Set<Int>()
        for entry in entries {
            let rank = Int(entry.merge.rank)
            if isSet[rank] && results[rank] != entry.merge.result { ranks.insert(rank) }
            results[rank] = entry.merge.result
            isSet[rank] = true
        }
        var tied: [UInt64: UInt32] = [:]
        for entry in ranks.isEmpty ? [] : entries where ranks.contains(Int(entry.merge.rank)) {
            tied[UInt64(entry.left) << 32 | UInt64(entry.right)] = entry.merge.result
            results[Int(entry.merge.rank)] = several
        }
        return (results, tied)
    }

    /// What the merge of a pair becomes, its rank being known.
    @inline(__always)
    func result(_ rank: Int, _ left: UInt32, _ right: UInt32) -> UInt32 {
        if let distance { return UInt32(truncatingIfNeeded: rank) &+ distance }
        let id = results[rank]
        return id == Self.several ? tiedResult(left, right) : id
    }

    @inline(never)
    private func tiedResult(_ left: UInt32, _ right: UInt32) -> UInt32 { tied[UInt64(left) << 32 | UInt64(right)]! }

    private func insert(_ entry: MergeList.Entry) {
        let place = pairs.place(entry.left, entry.right)
        let key = entry.merge.rank << UInt32(Self.keyShift) ^ UInt32(Self.noKey)
        var bucket = place.bucket
        while true {
            let tags = (pairs.buckets + bucket * Self.bucketBytes).assumingMemoryBound(to: UInt32.self)
            let keys = tags + Self.ways
            for way in 0..<Self.ways where keys[way] == 0 || tags[way] == place.tag {
                tags[way] = place.tag
                keys[way] = key
                return
            }
            bucket = (bucket + 1) & (1 << Int(pairs.bucketBits) - 1)
        }
    }

    @inline(__always)
    func key(_ left: UInt32, _ right: UInt32) -> Int32 { pairs.key(pairs.place(left, right)) }

    /// Rank in the upper half and result in the lower; `none` for a pair that does not merge.
    @inline(__always)
    func packed(_ left: UInt32, _ right: UInt32) -> UInt64 {
        let key = key(left, right)
        if key == Self.noKey { return Self.none }
        let rank = Int(key) >> Self.keyShift
        return UInt64(rank) << 32 | UInt64(result(rank, left, right))
    }

    func merge(_ left: UInt32, _ right: UInt32) -> Merge? {
        let packed = packed(left, right)
        return packed == Self.none ? nil : Merge(rank: UInt32(packed >> 32), result: UInt32(truncatingIfNeeded: packed))
    }
}
