// How a matrix product is cut into tasks: by its shape alone, so that the number of threads changes no byte.

/// A cut of a (rows, columns) result into tiles, one task each.
struct TileGrid {
    let rows: Int
    let columns: Int
    let rowStep: Int
    let columnStep: Int
    let rowParts: Int
    let columnParts: Int

    /// Tasks in the grid.
    var count: Int { rowParts * columnParts }

    /// The grid for a product of inner size `depth`.
    ///
    /// About 8 tiles from 130 MFLOP on, then one more for each 256 MFLOP: enough for the threads to even out. Among the ways to cut, the one
    /// that loses least: a call with r rows and c columns runs at about 1 / (1 + 22/r + 8/c) of the peak (measured, r, c from 16 to 2,048:
    /// OpenBLAS packs both operands anew in each call).
    init(rows: Int, columns: Int, depth: Int) {
        self.rows = rows
        self.columns = columns
        let operations = 2.0 * Double(rows) * Double(columns) * Double(depth)
        let wanted = max(1, min(8, Int(operations / 16e6)) + Int(operations / 256e6))
        var best = (cost: Double.infinity, rowStep: max(rows, 1), columnStep: max(columns, 1))
        for rowParts in 1...wanted {
            let rowStep = roundedUp(rows, parts: rowParts)
            let columnStep = roundedUp(columns, parts: (wanted + rowParts - 1) / rowParts)
            guard rowStep >= min(rows, 16), columnStep >= min(columns, 48) else { continue }
            let cost = 22 / Double(rowStep) + 8 / Double(columnStep)
            if cost < best.cost { best = (cost, rowStep, columnStep) }
        }
        rowStep = best.rowStep
        columnStep = best.columnStep
        rowParts = (rows + rowStep - 1) / rowStep
        columnParts = (columns + columnStep - 1) / columnStep
    }

    /// The rows and columns of a task.
    func tile(_ task: Int) -> (row: Int, rows: Int, column: Int, columns: Int) {
        let row = task / columnParts * rowStep
        let column = task % columnParts * columnStep
        return (row, min(rowStep, rows - row), column, min(columnStep, columns - column))
    }
}

/// The size of each of `parts` equal parts of `count`, rounded up to whole multiples of 16, at least 16.
private func roundedUp(_ count: Int, parts: Int) -> Int {
    max(16, ((count + parts - 1) / parts + 15) / 16 * 16)
}
