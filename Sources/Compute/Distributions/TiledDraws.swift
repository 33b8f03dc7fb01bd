// Draws from distributions whose mass arrives a tile of the vocabulary at a time.
import Glibc

/// Independent draws with replacement for each of some rows, in one pass over the tiles and without the total in advance.
///
/// Reservoir sampling (Chao 1982) of size one for each draw: a tile of mass s, after which the mass is S, takes a draw over with
/// probability s / S, and places it by the inverse of its cumulated mass. Then a draw lies in each tile with probability s / S at the end.
/// The random numbers are Philox's for (the row's key; draw, tile), so that nothing but these decides.
final class TiledDraws {
    private let draws: Int
    private let keys: ArraySlice<UInt64>
    /// (rows, draws)
    private let ids: UnsafeMutablePointer<UInt32>
    /// (rows) The mass so far, in units of e^peak.
    private let totals: UnsafeMutablePointer<Double>
    private let peaks: UnsafeMutablePointer<Float>

    /// - keys: one a row.
    init(keys: ArraySlice<UInt64>, draws: Int) {
        self.draws = draws
        self.keys = keys
        ids = .allocate(capacity: keys.count * draws)
        totals = .allocate(capacity: keys.count)
        peaks = .allocate(capacity: keys.count)
        ids.initialize(repeating: 0, count: keys.count * draws)
        totals.initialize(repeating: 0, count: keys.count)
        peaks.initialize(repeating: -.infinity, count: keys.count)
    }

    deinit {
        ids.deallocate()
        totals.deallocate()
        peaks.deallocate()
    }

    /// Takes the row's next tile.
    ///
    /// - sum: Σ e^(logit − largest) over the tile. - exponentials: gives the tile's e^(logit − largest); called once where a draw needs it.
    func add(
        _ row: Int, tile: Int, columns: Range<Int>, largest: Float, sum: Double, exponentials: () -> UnsafePointer<Float>
    ) {
        guard sum > 0, largest.isFinite else { return }
        let peak = max(peaks[row], largest)
        let share = sum * scale(largest, peak)
        let total = totals[row] * scale(peaks[row], peak) + share
        peaks[row] = peak
        totals[row] = total
        // u < s / S, u one of 2³² numbers; of the first tile every one.
        let limit = UInt64((share / total * 0x1p32).rounded())
        let generator = Philox(seed: keys[keys.startIndex + row])
        let mine = ids + row * draws
        var sums: ChunkSums?
        for first in stride(from: 0, to: draws, by: 4) {
            let numbers = generator.block((UInt32(first / 4), UInt32(tile), 0, 0))
            for lane in 0..<min(4, draws - first) where UInt64(word(numbers, lane)) < limit {
                if sums == nil { sums = ChunkSums(exponentials(), columns.count) }
                let place = generator.block((UInt32(first + lane), UInt32(tile), 1, 0))
                let uniform = Double(UInt64(place.0) << 21 ^ UInt64(place.1) >> 11) * 0x1p-53
                mine[first + lane] = UInt32(columns.lowerBound + sums!.index(uniform))
            }
        }
    }

    /// The row's draws as ids, rising, with the share of the draws that fell on each.
    func append(_ row: Int, to rows: inout SparseRows) {
        var mine = UnsafeMutableBufferPointer(start: ids + row * draws, count: draws)
        mine.sort()
        var first = 0
        while first < draws {
            var end = first + 1
            while end < draws, mine[end] == mine[first] { end += 1 }
            rows.append(id: mine[first], value: Float(Double(end - first) / Double(draws)))
            first = end
        }
        rows.endRow()
    }

    private func scale(_ from: Float, _ to: Float) -> Double {
        from == to ? 1 : from == -.infinity ? 0 : exp(Double(from) - Double(to))
    }

    private func word(_ block: (UInt32, UInt32, UInt32, UInt32), _ lane: Int) -> UInt32 {
        switch lane {
        case 0: block.0
        case 1: block.1
        case 2: block.2
        default: block.3
        }
    }
}

/// Finds the place of a share of a tile's mass, by the sums of chunks of 64 first.
private struct ChunkSums {
    private static let chunk = 64
    private let values: UnsafePointer<Float>
    private let count: Int
    private let sums: [Double]
    /// The last chunk with any mass.
    private let last: Int

    init(_ values: UnsafePointer<Float>, _ count: Int) {
        self.values = values
        self.count = count
        sums = stride(from: 0, to: count, by: ChunkSums.chunk).map { first in
            var sum = 0.0
            for i in first..<min(first + ChunkSums.chunk, count) { sum += Double(values[i]) }
            return sum
        }
        last = sums.lastIndex { $0 > 0 } ?? 0
    }

    /// The index i with Σ_{j<i} v_j <= uniform · Σ v < Σ_{j<=i} v_j; never one whose value is 0.
    func index(_ uniform: Double) -> Int {
        var left = uniform * sums.reduce(0, +)
        var chunk = 0
        while chunk < last, left >= sums[chunk] {
            left -= sums[chunk]
            chunk += 1
        }
        let first = chunk * ChunkSums.chunk
        var found = first
        for i in first..<min(first + ChunkSums.chunk, count) where values[i] > 0 {
            found = i
            if left < Double(values[i]) { return i }
            left -= Double(values[i])
        }
        return found
    }
}
