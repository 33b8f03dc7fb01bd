// The largest logits of rows that arrive a tile of the vocabulary at a time.

/// For each of some rows the `count` largest logits seen so far, in memory for a few times as many.
///
/// Candidates gather until the memory is full; then the best are kept, and the last of them is the limit that others must pass.
final class TopSelection {
    private let count: Int
    private let capacity: Int
    /// (rows, capacity) keys: rising keys are falling logits, and rising ids among equal ones.
    private let keys: UnsafeMutablePointer<UInt64>
    private let used: UnsafeMutablePointer<Int>
    private let limits: UnsafeMutablePointer<Float>

    init(rows: Int, count: Int) {
        self.count = count
        capacity = 4 * count + 64
        keys = .allocate(capacity: rows * capacity)
        used = .allocate(capacity: rows)
        limits = .allocate(capacity: rows)
        used.initialize(repeating: 0, count: rows)
        limits.initialize(repeating: -.infinity, count: rows)
    }

    deinit {
        keys.deallocate()
        used.deallocate()
        limits.deallocate()
    }

    /// The logit that another must pass to be among the row's largest.
    func limit(_ row: Int) -> Float { limits[row] }

    /// Takes the candidates of one tile, in rising order of their ids: `logits[i]` for each index, the id being `first` + index.
    func add(_ row: Int, _ indices: UnsafeBufferPointer<UInt32>, of logits: UnsafePointer<Float>, first: Int) {
        let mine = keys + row * capacity
        var n = used[row]
        var limit = limits[row]
        for index in indices {
            let logit = logits[Int(index)]
            guard logit > limit else { continue }
            mine[n] = TopSelection.key(logit, id: UInt32(first) + index)
            n += 1
            if n == capacity {
                n = keepBest(mine, n)
                limit = TopSelection.logit(mine[n - 1])
            }
        }
        if n > count {
            n = keepBest(mine, n)
            limit = TopSelection.logit(mine[n - 1])
        }
        used[row] = n
        limits[row] = limit
    }

    /// The row's largest logits, falling, with their ids.
    func each(_ row: Int, _ body: (_ id: UInt32, _ logit: Float) -> Bool) {
        let mine = keys + row * capacity
        _ = keepBest(mine, used[row])
        for i in 0..<min(used[row], count) where !body(UInt32(truncatingIfNeeded: mine[i]), TopSelection.logit(mine[i])) { return }
    }

    private func keepBest(_ mine: UnsafeMutablePointer<UInt64>, _ n: Int) -> Int {
        var candidates = UnsafeMutableBufferPointer(start: mine, count: n)
        candidates.sort()
        return min(n, count)
    }

    /// Floats as integers in falling order: the sign bit turned for positive ones, all bits for negative ones, then all turned.
    private static func key(_ logit: Float, id: UInt32) -> UInt64 {
        // Of the two zeros one, so that they are equal.
        let bits = (logit == 0 ? 0 : logit).bitPattern
        let rising = bits >> 31 == 0 ? bits | 1 << 31 : ~bits
        return UInt64(~rising) << 32 | UInt64(id)
    }

    private static func logit(_ key: UInt64) -> Float {
        let rising = ~UInt32(truncatingIfNeeded: key >> 32)
        return Float(bitPattern: rising >> 31 == 1 ? rising & ~(1 << 31) : ~rising)
    }
}
