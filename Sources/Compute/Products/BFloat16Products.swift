// Matrix products in bfloat16: operands are packed by all threads, then tiles of the result are computed from what was packed.
import CKernels

/// The left operand of a product, float32 values in memory.
enum LeftOperand {
    /// (m, k), rows `stride` values apart.
    case rows(UnsafePointer<Float>, stride: Int)
    /// The transpose of (k, m), rows `stride` values apart.
    case transposed(UnsafePointer<Float>, stride: Int)
}

/// The right operand of a product.
enum RightOperand {
    /// (k, n) of float32, rows `stride` values apart.
    case rows(UnsafePointer<Float>, stride: Int)
    /// The transpose of (n, k) of float32, rows `stride` values apart: a weight as Hugging Face stores it.
    case transposed(UnsafePointer<Float>, stride: Int)
    /// The transpose of (n, k) in a file, from term `from` on.
    case stored(StoredMatrix, from: Int)

    /// The transpose of a weight whose rows have `stride` values.
    init(_ weight: Weight, stride: Int) {
        switch weight {
        case .values(let buffer): self = .transposed(buffer.pointer, stride: stride)
        case .stored(let matrix): self = .stored(matrix, from: 0)
        }
    }
}

/// One of several products with the same left operand: c (m, n), rows `stride` apart.
struct ProductResult {
    let operand: RightOperand
    let c: UnsafeMutablePointer<Float>
    let stride: Int
    let n: Int
}

/// Products of matrices whose values are rounded to bfloat16.
///
/// An element of the result is a sum over k in one order, whatever the shape is cut into: its bits do not depend on the number of
/// threads nor on what is computed beside it. They depend on the processor's instructions (Products.h).
/// - Cost: 2 · m · n · k operations; each operand is read and packed once, about a quarter of a nanosecond a value and thread.
final class BFloat16Products {
    let loops: preceptor_products
    private let pool: ThreadPool
    private let scratch: Scratch
    private var left = GrowingBuffer()
    private var right = GrowingBuffer()

    init(pool: ThreadPool, scratch: Scratch, _ loops: UnsafePointer<preceptor_products>) {
        self.pool = pool
        self.scratch = scratch
        self.loops = loops.pointee
    }

    /// With the best loops that this processor runs.
    convenience init(pool: ThreadPool, scratch: Scratch) {
        self.init(pool: pool, scratch: scratch, preceptor_products_for(preceptor_best_level(), true))
    }

    /// Terms that are summed before the result is written: longer sums go on from what is there.
    static let longestSum = 2048
    /// Values of the right operand in one tile, about: half of a second level of cache.
    private static let tileValues = 192 << 10

    /// c = a · b, or c += a · b, for each of `results`.
    func multiply(_ a: LeftOperand, _ results: [ProductResult], m: Int, k: Int, accumulate: Bool) {
        let results = results.filter { $0.n > 0 }
        guard m > 0, !results.isEmpty else { return }
        precondition(k > 0, "bug: product over \(k) terms")
        let parts = (k + Self.longestSum - 1) / Self.longestSum
        let part = ((k + parts - 1) / parts + 1) / 2 * 2
        for first in Swift.stride(from: 0, to: k, by: part) {
            let count = min(part, k - first)
            let (rows, panels) = pack(a.from(first), results.map { ($0.operand.from(first), $0.n) }, m: m, k: count)
            multiply(rows, panels, results, k: count, accumulate: accumulate || first > 0)
        }
    }

    /// All operands in the forms that the loops read.
    private func pack(_ a: LeftOperand, _ b: [(operand: RightOperand, n: Int)], m: Int, k: Int) -> (PackedRows, [PackedPanels]) {
        let rows = PackedRows(memory: left.values(PackedRows.count(m: m, k: k, a, loops)), a, rows: m, k: k)
        var memory = right.values(b.reduce(0) { $0 + PackedPanels.count(k: k, n: $1.n) })
        var panels: [PackedPanels] = []
        // The tasks: those of the left operand, then those of each right operand.
        var ends = [rows.tasks(loops)]
        for (_, n) in b {
            panels.append(PackedPanels(memory: memory, k: k))
            memory += PackedPanels.count(k: k, n: n)
            ends.append(ends[ends.count - 1] + (n + PackedPanels.taskColumns - 1) / PackedPanels.taskColumns)
        }
        pool.run(ends[ends.count - 1]) { task, worker in
            guard task >= ends[0] else { return rows.pack(task, a, loops) }
            let i = ends.firstIndex { task < $0 }! - 1
            panels[i].pack(task - ends[i], b[i].operand, n: b[i].n, loops, scratch, worker: worker)
        }
        return (rows, panels)
    }

    /// The products of packed operands: tiles of rows and columns, a task each.
    private func multiply(_ a: PackedRows, _ b: [PackedPanels], _ results: [ProductResult], k: Int, accumulate: Bool) {
        let grids = results.map { grid(rows: a.rows, columns: $0.n, depth: k) }
        var ends = [0]
        for grid in grids { ends.append(ends[ends.count - 1] + grid.count) }
        pool.run(ends[ends.count - 1]) { task, _ in
            let i = ends.firstIndex { task < $0 }! - 1
            let (rows, columns) = grids[i].tile(task - ends[i])
            let (pointer, aStride) = a.rows(from: rows.lowerBound, loops)
            let (c, stride) = (results[i].c, results[i].stride)
            loops.multiply(
                c + rows.lowerBound * stride + columns.lowerBound, stride, pointer, aStride, b[i].columns(from: columns.lowerBound), b[i].stride,
                rows.count, columns.count, k, accumulate)
        }
    }

    /// Tiles whose panels stay in the second level of cache, and enough of them to even out the threads.
    private func grid(rows: Int, columns: Int, depth: Int) -> ProductGrid {
        let fitting = max(1, Self.tileValues / depth / 32) * 32
        let operations = 2 * Double(rows) * Double(columns) * Double(depth)
        // No smaller than about 10 microseconds.
        let wanted = min(6 * pool.threads, max(1, Int(operations / 4e6)))
        let columnTiles = max((columns + fitting - 1) / fitting, min(wanted, (columns + 63) / 64))
        let tileColumns = ((columns + columnTiles - 1) / columnTiles + 31) / 32 * 32
        let rowTiles = max(1, min((wanted + columnTiles - 1) / columnTiles, rows / 128))
        let unit = loops.strip_rows
        let tileRows = ((rows + rowTiles - 1) / rowTiles + unit - 1) / unit * unit
        return ProductGrid(rows: rows, columns: columns, tileRows: tileRows, tileColumns: tileColumns)
    }
}

extension LeftOperand {
    /// Without the first `terms` terms of the sums.
    fileprivate func from(_ terms: Int) -> LeftOperand {
        switch self {
        case .rows(let pointer, let stride): .rows(pointer + terms, stride: stride)
        case .transposed(let pointer, let stride): .transposed(pointer + terms * stride, stride: stride)
        }
    }
}

extension RightOperand {
    fileprivate func from(_ terms: Int) -> RightOperand {
        switch self {
        case .rows(let pointer, let stride): .rows(pointer + terms * stride, stride: stride)
        case .transposed(let pointer, let stride): .transposed(pointer + terms, stride: stride)
        case .stored(let matrix, let from): .stored(matrix, from: from + terms)
        }
    }
}

/// A cut of a result into tiles of equal size, the last ones smaller; neighbouring tasks share their columns.
private struct ProductGrid {
    let rows: Int, columns: Int, tileRows: Int, tileColumns: Int
    private var rowTiles: Int { (rows + tileRows - 1) / tileRows }
    var count: Int { rowTiles * ((columns + tileColumns - 1) / tileColumns) }

    func tile(_ task: Int) -> (rows: Range<Int>, columns: Range<Int>) {
        let (row, column) = (task % rowTiles * tileRows, task / rowTiles * tileColumns)
        return (row..<min(rows, row + tileRows), column..<min(columns, column + tileColumns))
    }
}
