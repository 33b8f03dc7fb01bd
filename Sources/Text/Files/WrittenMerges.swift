// The merges of a vocabulary as its file lists them, in the order of their ranks.

import Glibc
import Streams

/// Pairs of tokens by their bytes; looked up when the vocabulary is whole.
struct WrittenMerges: Sendable {
    /// Left and right parts, in turn.
    private var parts: ByteStrings

    /// What is wrong with a merge.
    enum Fault { case left, right, result }

    /// Merges that there will be, and the bytes of all.
    init(count: Int = 0, bytes: Int = 0) { parts = ByteStrings(count: 2 * count, bytes: bytes) }

    var count: Int { parts.count / 2 }
    func left(_ rank: Int) -> [UInt8] { parts[2 * rank] }
    func right(_ rank: Int) -> [UInt8] { parts[2 * rank + 1] }

    /// The left part of the next merge, or the right part of the last.
    mutating func append(part: UnsafeRawBufferPointer) { parts.append(part) }

    /// "left right". Throws 65 where it is not two parts.
    mutating func append(_ written: UnsafeRawBufferPointer, name: String) throws {
        guard let space = Self.space(written), Self.space(UnsafeRawBufferPointer(rebasing: written[(space + 1)...])) == nil else {
            let parts = written.split(separator: 0x20, omittingEmptySubsequences: false).count
            throw Failure(.badData, name, .whole, "merge \(count) ('\(printable(Array(written)))') has \(parts) parts, expected 2")
        }
        parts.append(UnsafeRawBufferPointer(rebasing: written[..<space]))
        parts.append(UnsafeRawBufferPointer(rebasing: written[(space + 1)...]))
    }

    private static func space(_ text: UnsafeRawBufferPointer) -> Int? {
        guard let base = text.baseAddress else { return nil }
        return memchr(base, 0x20, text.count).map { UnsafeRawPointer($0) - base }
    }

    // MARK: Looking up

    /// Merges looked up by one thread at a time.
    private static let pieceCount = 1 << 13

    /// The merges by ids, ranks in their order. Throws `refuse(rank, fault)` for the first one that names or makes what is no token.
    ///
    /// - inAlphabet: the parts are written in the printable alphabet, the vocabulary's entries are bytes.
    func list(_ vocabulary: Vocabulary, inAlphabet: Bool, refuse: @escaping (Int, Fault) -> Failure) throws -> MergeList {
        var list = MergeList(capacity: count)
        var next = 0
        let work = OrderedWork<Range<Int>, (first: Int, ids: [UInt32])>(
            threads: count > 2 * Self.pieceCount ? 2 : 1,
            next: {
                guard next < count else { return nil }
                defer { next = min(count, next + Self.pieceCount) }
                return next..<min(count, next + Self.pieceCount)
            },
            worker: {
                let search = MergeSearch(vocabulary, inAlphabet: inAlphabet)
                return { ranks in
                    try parts.withView { parts in (ranks.lowerBound, try search.ids(parts, ranks, refuse: refuse)) }
                }
            },
            write: { first, ids in
                for at in 0..<ids.count / 3 {
                    list.append(ids[3 * at], ids[3 * at + 1], Merge(rank: UInt32(first + at), result: ids[3 * at + 2]))
                }
            })
        try work.run()
        return list
    }
}

/// Looks up the parts and the results of merges, some at a time: memory that one waits for comes while others are hashed.
private final class MergeSearch {
    private let vocabulary: Vocabulary
    private let inAlphabet: Bool
    private static let batch = 32
    private var bytes = [UInt8](repeating: 0, count: 4096)
    private var found = [Parts](repeating: Parts(), count: batch)
    /// Merges mostly make the vocabulary's tokens one by one, in their order.
    private var lastResult = -1

    /// Where a merge's parts lie in `bytes`, side by side; a count of -1 is a part that the alphabet cannot write.
    private struct Parts {
        var start = 0
        var leftCount = 0
        var rightCount = 0
        var leftHash: UInt64 = 0
        var rightHash: UInt64 = 0
    }

    init(_ vocabulary: Vocabulary, inAlphabet: Bool) {
        self.vocabulary = vocabulary
        self.inAlphabet = inAlphabet
    }

    /// Left, right and result of each, in turn.
    func ids(_ parts: ByteStrings.View, _ ranks: Range<Int>, refuse: (Int, WrittenMerges.Fault) -> Failure) throws -> [UInt32] {
        var ids: [UInt32] = []
        ids.reserveCapacity(3 * ranks.count)
        for first in stride(from: ranks.lowerBound, to: ranks.upperBound, by: Self.batch) {
            let batch = first..<min(ranks.upperBound, first + Self.batch)
            hash(parts, batch)
            try bytes.withUnsafeBytes { bytes in
                for rank in batch {
                    let merge = found[rank - first]
                    func id(_ start: Int, _ count: Int, _ hash: UInt64, _ fault: WrittenMerges.Fault) throws -> UInt32 {
                        guard count > 0,
                            let id = vocabulary.id(of: UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]), hash: hash)
                        else { throw refuse(rank, fault) }
                        return UInt32(id)
                    }
                    ids.append(try id(merge.start, merge.leftCount, merge.leftHash, .left))
                    ids.append(try id(merge.start + merge.leftCount, merge.rightCount, merge.rightHash, .right))
                    let joined = UnsafeRawBufferPointer(
                        rebasing: bytes[merge.start..<merge.start + merge.leftCount + merge.rightCount])
                    guard let result = result(joined) else { throw refuse(rank, .result) }
                    ids.append(result)
                }
            }
        }
        return ids
    }

    @inline(__always)
    private func result(_ joined: UnsafeRawBufferPointer) -> UInt32? {
        let next = lastResult + 1
        if next < vocabulary.count {
            let view = vocabulary.view(next)
            if view.count == joined.count, memcmp(view.baseAddress!, joined.baseAddress!, joined.count) == 0 {
                lastResult = next
                return UInt32(next)
            }
        }
        guard let id = vocabulary.id(of: joined) else { return nil }
        lastResult = id
        return UInt32(id)
    }

    /// Writes the bytes of a batch and hashes its parts.
    private func hash(_ parts: ByteStrings.View, _ batch: Range<Int>) {
        let needed = batch.reduce(0) { $0 + parts[2 * $1].count + parts[2 * $1 + 1].count }
        if needed > bytes.count { bytes = [UInt8](repeating: 0, count: 2 * needed) }
        bytes.withUnsafeMutableBytes { bytes in
            let base = bytes.baseAddress!
            var end = 0
            for (at, rank) in batch.enumerated() {
                var merge = Parts(start: end)
                merge.leftCount = write(parts[2 * rank], base + end)
                end += max(0, merge.leftCount)
                merge.rightCount = write(parts[2 * rank + 1], base + end)
                if merge.leftCount > 0 { merge.leftHash = hashBytes(base + merge.start, merge.leftCount) }
                if merge.rightCount > 0 { merge.rightHash = hashBytes(base + end, merge.rightCount) }
                end += max(0, merge.rightCount)
                vocabulary.prefetch(merge.leftHash)
                vocabulary.prefetch(merge.rightHash)
                found[at] = merge
            }
        }
    }

    @inline(__always)
    private func write(_ part: UnsafeRawBufferPointer, _ to: UnsafeMutableRawPointer) -> Int {
        if inAlphabet { return ByteAlphabet.decode(part, to: to.assumingMemoryBound(to: UInt8.self)) ?? -1 }
        if let source = part.baseAddress { to.copyMemory(from: source, byteCount: part.count) }
        return part.count
    }
}
