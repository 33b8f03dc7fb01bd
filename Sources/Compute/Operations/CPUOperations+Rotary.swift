// Rotary positions: rows in groups, every head of a row by the same row of the table.

extension CPUOperations {
    public func rotaryForward(x: Buffer, positions: [Int32], table: Buffer, rows: Int, heads: Int, layout: RotaryLayout) {
        rotate(x, positions, table, rows: rows, heads: heads, layout: layout, sign: 1)
    }

    public func rotaryBackward(dx: Buffer, positions: [Int32], table: Buffer, rows: Int, heads: Int, layout: RotaryLayout) {
        rotate(dx, positions, table, rows: rows, heads: heads, layout: layout, sign: -1)
    }

    private func rotate(_ x: Buffer, _ positions: [Int32], _ table: Buffer, rows: Int, heads: Int, layout: RotaryLayout, sign: Float) {
        let (headWidth, width) = (layout.headWidth, layout.rotaryWidth)
        layout.check()
        require(x, rows * heads * headWidth, "x")
        precondition(positions.count >= rows, "bug: \(positions.count) positions for \(rows) rows")
        guard heads > 0, width > 0 else { return }
        let limit = table.count / width
        for t in 0..<rows {
            precondition(positions[t] >= 0 && Int(positions[t]) < limit, "bug: position \(positions[t]) in a table of \(limit)")
        }
        let turn = layout.interleaved ? kernels.rotate_neighbours : kernels.rotate_halves
        positions.withUnsafeBufferPointer { positions in
            eachRows(rows, width: heads * headWidth) { first, end in
                for t in first..<end {
                    let row = table.pointer + Int(positions[t]) * width
                    for h in 0..<heads { turn(x.pointer + (t * heads + h) * headWidth, row, width / 2, sign) }
                }
            }
        }
    }
}
