// Merging long words in linear time: in chunks side by side, then over their seams.

import Glibc

/// Merges words of any length.
///
/// A word is cut into chunks of up to 64 symbols, which are merged by themselves. Then, at each seam, the last tokens before it and the
/// first behind it are merged again as one string. Where the outermost of these come out as they went in, they stand beside the same
/// neighbours as before; where not, more tokens are taken in.
///
/// Why that is exact: tokens are the result of merging a word if and only if merging every two neighbours of them gives just these two.
/// (Merging takes the best pair first. As long as no merge crosses the ends of a token, what happens inside it happens in the same order in
/// any surroundings. Take the first merge of the whole word that would cross a boundary between two of the tokens: up to then these two went
/// through what they go through alone, so merging just them would cross it as well.) Neighbours inside a chunk or inside a seam were merged
/// as one string, and so were an outermost token of a seam and the one beyond it.
final class LongWordMerger {
    /// Tokens on each side of a seam that are merged again, at first.
    private static let side = 4
    private static let chunk = ShortWordMerger.most

    /// Tokens in order, each with the first of its symbols.
    private struct Tokens {
        var ids: [UInt32] = []
        var firsts: [Int] = []
        var count: Int { ids.count }

        mutating func removeAll() {
            ids.removeAll(keepingCapacity: true)
            firsts.removeAll(keepingCapacity: true)
        }
        mutating func append(_ id: UInt32, _ first: Int) {
            ids.append(id)
            firsts.append(first)
        }
        mutating func removeLast(_ count: Int) {
            ids.removeLast(count)
            firsts.removeLast(count)
        }
        /// As for the same symbols so many places on.
        func moved(_ by: Int) -> Tokens { Tokens(ids: ids, firsts: firsts.map { $0 + by }) }
        mutating func append(_ other: Tokens, from start: Int) {
            ids.append(contentsOf: other.ids[start...])
            firsts.append(contentsOf: other.firsts[start...])
        }
    }

    private let short: ShortWordMerger
    private let whole: WholeWordMerger
    /// The tokens so far.
    private var made = Tokens()
    /// The tokens of a stretch of chunks, and what their seams became where that was tried.
    private var chunks = [Tokens](repeating: Tokens(), count: ShortWordMerger.lanes)
    private var seams = [Tokens](repeating: Tokens(), count: ShortWordMerger.lanes)
    private var tried: [Int] = []
    /// Which chunks have the symbols of those before them: runs of spaces or dashes have the same tokens again and again.
    private var repeats = [Bool](repeating: false, count: ShortWordMerger.lanes)
    /// The last symbols that were merged all at once, and their tokens.
    private var wide = Tokens()
    private var wideRange = 0..<0
    private var again = Tokens()
    private var ids: [UInt32] = []
    private var spans: [UInt64] = []

    init(_ table: MergeTable, _ whole: WholeWordMerger) {
        self.whole = whole
        short = ShortWordMerger(table)
        ids = [UInt32](repeating: 0, count: Self.chunk)
        spans = [UInt64](repeating: 0, count: Self.chunk)
    }

    /// Merges `count` symbols in place and returns how many are left; `starts` has one more entry, the end.
    func merge(_ symbols: UnsafeMutablePointer<UInt32>, _ places: UnsafeMutablePointer<UInt32>, _ count: Int) -> Int {
        if count <= Self.chunk { return short.merge(symbols, places, count) }
        made.removeAll()
        wideRange = 0..<0
        let pieces = (count + Self.chunk - 1) / Self.chunk
        let size = (count + pieces - 1) / pieces
        // What widened seams may cost before merging all at once is cheaper.
        var budget = 8 * count
        var start = 0
        while start < count {
            if let long = longTokens(start) {
                // Chunks would hold a token or two.
                let stop = min(count, start + 16 * long)
                chunks[0].removeAll()
                guard join(0, start..<stop, symbols, &budget) else { return whole.merge(symbols, places, count) }
                start = stop
                continue
            }
            let stop = min(count, start + ShortWordMerger.lanes * size)
            mergeChunks(symbols, start..<stop, size)
            trySeams(symbols, start..<stop, size)
            for (lane, begin) in stride(from: start, to: stop, by: size).enumerated() {
                guard join(lane, begin..<min(begin + size, stop), symbols, &budget) else { return whole.merge(symbols, places, count) }
            }
            start = stop
        }
        let end = places[count]
        for token in 0..<made.count {
            symbols[token] = made.ids[token]
            places[token] = places[made.firsts[token]]
        }
        places[made.count] = end
        return made.count
    }

    /// The symbols of a token of late, where they are many.
    private func longTokens(_ end: Int) -> Int? {
        guard made.count > 1 else { return nil }
        let length = (end - made.firsts[made.count - 2]) / 2
        return length > Self.chunk / (2 * Self.side) ? length : nil
    }

    private func mergeChunks(_ symbols: UnsafePointer<UInt32>, _ range: Range<Int>, _ size: Int) {
        let begins = stride(from: range.lowerBound, to: range.upperBound, by: size)
        tried.removeAll(keepingCapacity: true)
        for lane in repeats.indices { repeats[lane] = false }
        for (lane, begin) in begins.enumerated() {
            let chunk = begin..<min(begin + size, range.upperBound)
            repeats[lane] = lane > 0 && chunk.count == size && isSame(symbols, chunk, begin - size)
            if repeats[lane] { continue }
            stage(symbols, chunk)
            tried.append(lane)
        }
        mergeStaged { [self] lane, tokens in swap(&chunks[tried[lane]], &tokens) }
        for (lane, _) in begins.enumerated() where repeats[lane] { chunks[lane] = chunks[lane - 1].moved(size) }
    }

    /// Merges the seams between the chunks, and that to the tokens before them, as far as there are enough tokens on both sides.
    private func trySeams(_ symbols: UnsafePointer<UInt32>, _ range: Range<Int>, _ size: Int) {
        tried.removeAll(keepingCapacity: true)
        for (lane, begin) in stride(from: range.lowerBound, to: range.upperBound, by: size).enumerated() {
            seams[lane].removeAll()
            if lane > 1 && repeats[lane] && repeats[lane - 1] { continue }
            let before = lane == 0 ? made : chunks[lane - 1]
            guard before.count >= 2 * Self.side, chunks[lane].count >= 2 * Self.side else { continue }
            let seam = before.firsts[before.count - Self.side]..<chunks[lane].firsts[Self.side]
            guard begin > 0, seam.count <= Self.chunk else { continue }
            stage(symbols, seam)
            tried.append(lane)
        }
        mergeStaged { [self] lane, tokens in swap(&seams[tried[lane]], &tokens) }
        for lane in 2..<seams.count where repeats[lane] && repeats[lane - 1] { seams[lane] = seams[lane - 1].moved(size) }
    }

    private func isSame(_ symbols: UnsafePointer<UInt32>, _ range: Range<Int>, _ start: Int) -> Bool {
        memcmp(symbols + range.lowerBound, symbols + start, range.count * MemoryLayout<UInt32>.stride) == 0
    }

    private func stage(_ symbols: UnsafePointer<UInt32>, _ range: Range<Int>) {
        let lane = short.nextLane()
        lane.ids.update(from: symbols + range.lowerBound, count: range.count)
        for at in 0...range.count { lane.starts[at] = UInt32(truncatingIfNeeded: range.lowerBound + at) }
        short.stageLookingUp(range.count)
    }

    private func mergeStaged(_ take: (_ lane: Int, _ tokens: inout Tokens) -> Void) {
        short.merge()
        for lane in 0..<short.staged {
            let count = short.write(lane, &ids, &spans)
            again.removeAll()
            for token in 0..<count { again.append(ids[token], Int(spans[token] & 0xFFFF_FFFF)) }
            take(lane, &again)
        }
        short.removeAll()
    }

    /// Joins a chunk of the symbols `range`, whose tokens may not be there, to the tokens before it. False where that costs too much.
    private func join(_ lane: Int, _ range: Range<Int>, _ symbols: UnsafePointer<UInt32>, _ budget: inout Int) -> Bool {
        guard made.count > 0 else {
            made.append(chunks[lane], from: 0)
            return true
        }
        if chunks[lane].count > 0, seams[lane].count > 0, fits(seams[lane], lane, Self.side, Self.side, range) == (true, true) {
            take(seams[lane], lane, Self.side, Self.side)
            return true
        }
        var (left, right) = (2, Self.side)
        while true {
            (left, right) = (min(left, made.count), min(right, chunks[lane].count))
            let seam = made.firsts[made.count - left]..<(right < chunks[lane].count ? chunks[lane].firsts[right] : range.upperBound)
            budget -= seam.count
            guard budget >= 0 else { return false }
            mergeAgain(symbols, seam)
            let (leftFits, rightFits) = fits(wide, lane, left, right, range)
            if leftFits && rightFits {
                take(wide, lane, left, right)
                return true
            }
            if !leftFits { left *= 4 }
            if !rightFits { right *= 4 }
        }
    }

    /// Whether the outermost tokens of a seam are those that were there, or the seam reaches to where tokens end anyway.
    private func fits(_ seam: Tokens, _ lane: Int, _ left: Int, _ right: Int, _ range: Range<Int>) -> (Bool, Bool) {
        let chunk = chunks[lane]
        let first = made.count - left
        let firstEnd = left > 1 ? made.firsts[first + 1] : range.lowerBound
        let leftFits =
            seam.firsts[0] == made.firsts[first]
            && (first == 0 || seam.count > 1 && seam.ids[0] == made.ids[first] && seam.firsts[1] == firstEnd)
        let rightFits =
            right == chunk.count
            || seam.ids[seam.count - 1] == chunk.ids[right - 1] && seam.firsts[seam.count - 1] == chunk.firsts[right - 1]
        return (leftFits, rightFits)
    }

    private func take(_ seam: Tokens, _ lane: Int, _ left: Int, _ right: Int) {
        made.removeLast(left)
        made.append(seam, from: 0)
        made.append(chunks[lane], from: right)
    }

    private func mergeAgain(_ symbols: UnsafePointer<UInt32>, _ range: Range<Int>) {
        let start = wideRange.lowerBound
        if range.count == wideRange.count && isSame(symbols, range, start) {
            wide = wide.moved(range.lowerBound - start)
            wideRange = range
            return
        }
        wide.removeAll()
        wideRange = range
        var ids = [UInt32](UnsafeBufferPointer(start: symbols + range.lowerBound, count: range.count))
        var starts = (range.lowerBound...range.upperBound).map { UInt32(truncatingIfNeeded: $0) }
        let count = whole.merge(&ids, &starts, range.count)
        for token in 0..<count { wide.append(ids[token], Int(starts[token])) }
    }
}
