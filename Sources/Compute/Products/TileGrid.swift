// How a matrix product is cut into tasks: by its shape alone, so that the number of threads changes no byte.

/// A cut of a (rows, columns) result into tiles, one task each; the tiles start at multiples of 16 and differ by at most 16 in each direction.
struct TileGrid {
    private let rows: Cut
    private let columns: Cut

    /// Tasks in the grid.
    var count: Int { rows.parts * columns.parts }

    /// The grid for a product of inner size `depth`.
    ///
    /// About 8 tiles from 130 MFLOP on, then one more for each 256 MFLOP: enough for the threads to even out. Among the ways to cut, the one
    /// that loses least: a call with r rows and c columns runs at about 1 / (1 + 22/r + 8/c) of the peak (measured, r, c from 16 to 2,048:
    /// OpenBLAS packs both operands anew in each call). No tile is so small that OpenBLAS takes its kernel for small products, unless
    /// the whole product is.
    init(rows: Int, columns: Int, depth: Int) {
        let operations = 2.0 * Double(rows) * Double(columns) * Double(depth)
        let wanted = max(1, min(8, Int(operations / 16e6)) + Int(operations / 256e6))
        var best = (cost: Double.infinity, rows: Cut(count: rows, parts: 1), columns: Cut(count: columns, parts: 1))
        for rowParts in 1...wanted {
            let r = Cut(count: rows, parts: rowParts)
            let c = Cut(count: columns, parts: (wanted + rowParts - 1) / rowParts)
            guard r.smallest >= 16, c.smallest >= 48, r.smallest * c.smallest * depth > OpenBLAS.smallProductLimit else { continue }
            let cost = 22 * Double(r.parts) / Double(rows) + 8 * Double(c.parts) / Double(columns)
            if cost < best.cost { best = (cost, r, c) }
        }
        self.rows = best.rows
        self.columns = best.columns
    }

    /// The rows and columns of a task.
    func tile(_ task: Int) -> (row: Int, rows: Int, column: Int, columns: Int) {
        let (r, c) = (rows.part(task / columns.parts), columns.part(task % columns.parts))
        return (r.lowerBound, r.count, c.lowerBound, c.count)
    }
}

/// 0..<count in even parts that start at multiples of 16.
private struct Cut {
    let count: Int
    let parts: Int

    /// At most one part for each 16.
    init(count: Int, parts: Int) {
        self.count = count
        self.parts = max(1, min(parts, (count + 15) / 16))
    }

    func part(_ i: Int) -> Range<Int> {
        let units = (count + 15) / 16
        return i * units / parts * 16..<min(count, (i + 1) * units / parts * 16)
    }

    /// A lower bound of the parts' sizes: the last may lack up to 15.
    var smallest: Int { parts == 1 ? count : (count + 15) / 16 / parts * 16 - 15 }
}
