// Matrix products in bfloat16: operands are packed by all threads, then tiles of the result are computed from what was packed.
import CKernels

/// The left operand of a product, float32 values in memory.
enum LeftOperand {
    /// (m, k), rows `stride` values apart.
    case rows(UnsafePointer<Float>, stride: Int)
    /// The transpose of (k, m), rows `stride` values apart.
    case transposed(UnsafePointer<Float>, stride: Int)
}

/// The right operand of a product, float32 values in memory.
enum RightOperand {
    /// (k, n), rows `stride` values apart.
    case rows(UnsafePointer<Float>, stride: Int)
    /// The transpose of (n, k), rows `stride` values apart: a weight as Hugging Face stores it.
    case transposed(UnsafePointer<Float>, stride: Int)
}

/// Products of matrices whose values are rounded to bfloat16.
///
/// An element of the result is a sum over k in one order, whatever the shape is cut into: its bits do not depend on the number of
/// threads nor on what is computed beside it. They depend on the processor's instructions (Products.h).
/// - Cost: 2 · m · n · k operations; each operand is read and packed once, about a quarter of a nanosecond a value and thread.
final class BFloat16Products {
    let loops: preceptor_products
    private let pool: ThreadPool
    private var left = GrowingBuffer()
    private var right = GrowingBuffer()

    init(pool: ThreadPool, _ loops: UnsafePointer<preceptor_products>) {
        self.pool = pool
        self.loops = loops.pointee
    }

    /// With the best loops that this processor runs.
    convenience init(pool: ThreadPool) {
        self.init(pool: pool, preceptor_products_for(preceptor_best_level(), true))
    }

    /// Terms that are summed before the result is written: longer sums go on from what is there.
    static let longestSum = 2048
    /// Values of the right operand in one tile, about: half of a second level of cache.
    private static let tileValues = 192 << 10

    /// c = a · b, or c += a · b: (m, n), rows `stride` apart.
    func multiply(
        _ a: LeftOperand, _ b: RightOperand, into c: UnsafeMutablePointer<Float>, stride: Int, m: Int, n: Int, k: Int, accumulate: Bool
    ) {
        guard m > 0, n > 0 else { return }
        precondition(k > 0, "bug: product over \(k) terms")
        let parts = (k + Self.longestSum - 1) / Self.longestSum
        let part = ((k + parts - 1) / parts + 1) / 2 * 2
        for first in Swift.stride(from: 0, to: k, by: part) {
            let count = min(part, k - first)
            let packed = pack(a.from(first), b.from(first), m: m, n: n, k: count)
            multiply(packed.a, packed.b, into: c, stride: stride, n: n, k: count, accumulate: accumulate || first > 0)
        }
    }

    /// Both operands in the forms that the loops read.
    private func pack(_ a: LeftOperand, _ b: RightOperand, m: Int, n: Int, k: Int) -> (a: PackedRows, b: PackedPanels) {
        let packedLeft = PackedRows(memory: left.values(PackedRows.count(m: m, k: k, a, loops)), a, rows: m, k: k)
        let packedRight = PackedPanels(memory: right.values(PackedPanels.count(k: k, n: n)), k: k)
        let (leftTasks, rightTasks) = (packedLeft.tasks(loops), (n + PackedPanels.taskColumns - 1) / PackedPanels.taskColumns)
        pool.run(leftTasks + rightTasks) { task, _ in
            if task < leftTasks {
                packedLeft.pack(task, a, loops)
            } else {
                packedRight.pack(task - leftTasks, b, n: n, loops)
            }
        }
        return (packedLeft, packedRight)
    }

    /// The product of packed operands: tiles of rows and columns, a task each.
    private func multiply(
        _ a: PackedRows, _ b: PackedPanels, into c: UnsafeMutablePointer<Float>, stride: Int, n: Int, k: Int, accumulate: Bool
    ) {
        let grid = grid(rows: a.rows, columns: n, depth: k)
        pool.run(grid.count) { task, _ in
            let (rows, columns) = grid.tile(task)
            let (pointer, aStride) = a.rows(from: rows.lowerBound, loops)
            loops.multiply(
                c + rows.lowerBound * stride + columns.lowerBound, stride, pointer, aStride, b.columns(from: columns.lowerBound),
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
