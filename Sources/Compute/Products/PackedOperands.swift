// Operands of products in bfloat16, packed: the forms that Products.h describes.
import CKernels

/// The left operand: rows, or strips where it was given as its transpose.
struct PackedRows {
    let memory: UnsafeMutablePointer<UInt16>
    let rows: Int
    let k: Int
    /// Values from one row to the next; 0 for strips.
    let stride: Int

    init(memory: UnsafeMutablePointer<UInt16>, _ source: LeftOperand, rows: Int, k: Int) {
        self.memory = memory
        self.rows = rows
        self.k = k
        stride = if case .rows = source { preceptor_row_stride(k) } else { 0 }
    }

    /// Values that the packed operand takes.
    static func count(m: Int, k: Int, _ source: LeftOperand, _ loops: preceptor_products) -> Int {
        if case .rows = source { return m * preceptor_row_stride(k) }
        return (m + loops.strip_rows - 1) / loops.strip_rows * stripValues(k, loops)
    }

    private static func stripValues(_ k: Int, _ loops: preceptor_products) -> Int { (k + 1) / 2 * 2 * loops.strip_rows }

    /// Rows of one packing task: whole strips, some 32,000 values.
    private func taskRows(_ loops: preceptor_products) -> Int {
        max(1, 32_768 / max(k, 1) / loops.strip_rows) * loops.strip_rows
    }

    func tasks(_ loops: preceptor_products) -> Int { (rows + taskRows(loops) - 1) / taskRows(loops) }

    func pack(_ task: Int, _ source: LeftOperand, _ loops: preceptor_products) {
        let size = taskRows(loops)
        let first = task * size
        let count = min(size, rows - first)
        switch source {
        case .rows(let x, let xStride): loops.rows(memory + first * stride, stride, x + first * xStride, xStride, count, k)
        case .transposed(let x, let xStride):
            loops.strips_of_transpose(memory + first / loops.strip_rows * Self.stripValues(k, loops), x + first, xStride, count, k)
        }
    }

    /// The operand from row `first` on, a multiple of a strip's rows, with the stride that the product is told.
    func rows(from first: Int, _ loops: preceptor_products) -> (UnsafePointer<UInt16>, Int) {
        let offset = stride > 0 ? first * stride : first / loops.strip_rows * Self.stripValues(k, loops)
        return (UnsafePointer(memory) + offset, stride)
    }
}

/// The right operand: panels of 32 columns.
struct PackedPanels {
    let memory: UnsafeMutablePointer<UInt16>
    let k: Int

    static func count(k: Int, n: Int) -> Int { (n + 31) / 32 * preceptor_panel_values(k) }

    /// Columns of one packing task.
    static let taskColumns = 64

    func pack(_ task: Int, _ source: RightOperand, n: Int, _ loops: preceptor_products, _ scratch: Scratch, worker: Int) {
        let first = task * Self.taskColumns
        let count = min(Self.taskColumns, n - first)
        let target = memory + first / 32 * preceptor_panel_values(k)
        switch source {
        case .rows(let x, let stride): loops.panels(target, x + first, stride, k, count)
        case .transposed(let x, let stride): loops.panels_of_transpose(target, x + first * stride, stride, k, count)
        case .stored(let matrix, let terms):
            let rows = scratch.take(count * matrix.columns, worker: worker)
            matrix.read(first..<first + count, into: rows)
            loops.panels_of_transpose(target, rows + terms, matrix.columns, k, count)
        }
    }

    /// Values from one panel to the next.
    var stride: Int { preceptor_panel_values(k) }

    /// The panels from column `first` on, a multiple of 32.
    func columns(from first: Int) -> UnsafePointer<UInt16> { UnsafePointer(memory) + first / 32 * preceptor_panel_values(k) }
}

extension GrowingBuffer {
    /// `count` values of two bytes with any content.
    mutating func values(_ count: Int) -> UnsafeMutablePointer<UInt16> {
        UnsafeMutableRawPointer(take((count + 1) / 2)).assumingMemoryBound(to: UInt16.self)
    }
}
