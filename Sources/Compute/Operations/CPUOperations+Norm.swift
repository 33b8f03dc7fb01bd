// RMS normalisation and rotary positions.

extension CPUOperations {
    public func rmsNormForward(y: Buffer, r: Buffer?, x: Buffer, g: Buffer, rows: Int, width: Int, epsilon: Float) {
        require(y, rows * width, "y")
        require(x, rows * width, "x")
        require(g, width, "g")
        if let r { require(r, rows, "r") }
        eachRows(rows, width: width) { first, end in
            for t in first..<end {
                let root = kernels.rms_forward(y.pointer + t * width, x.pointer + t * width, g.pointer, width, epsilon)
                if let r { r.pointer[t] = root }
            }
        }
    }

    public func rmsNormBackward(dx: Buffer, dg: Buffer, dy: Buffer, x: Buffer, g: Buffer, r: Buffer, rows: Int, width: Int) {
        require(dx, rows * width, "dx")
        require(dg, width, "dg")
        require(dy, rows * width, "dy")
        require(x, rows * width, "x")
        require(g, width, "g")
        require(r, rows, "r")
        eachRows(rows, width: width) { first, end in
            for t in first..<end {
                let offset = t * width
                kernels.rms_backward(dx.pointer + offset, dy.pointer + offset, x.pointer + offset, g.pointer, r.pointer[t], width)
            }
        }
        eachColumns(width) { first, count in
            kernels.rms_backward_gain(dg.pointer + first, dy.pointer + first, x.pointer + first, r.pointer, rows, width, count)
        }
    }

    public func rotaryForward(x: Buffer, positions: [Int32], table: Buffer, rows: Int, heads: Int, headWidth: Int) {
        rotate(x, positions, table, rows: rows, heads: heads, headWidth: headWidth, sign: 1)
    }

    public func rotaryBackward(dx: Buffer, positions: [Int32], table: Buffer, rows: Int, heads: Int, headWidth: Int) {
        rotate(dx, positions, table, rows: rows, heads: heads, headWidth: headWidth, sign: -1)
    }

    private func rotate(_ x: Buffer, _ positions: [Int32], _ table: Buffer, rows: Int, heads: Int, headWidth: Int, sign: Float) {
        require(x, rows * heads * headWidth, "x")
        precondition(positions.count >= rows, "bug: \(positions.count) positions for \(rows) rows")
        precondition(headWidth % 2 == 0, "bug: odd head width \(headWidth)")
        guard heads > 0, headWidth > 0 else { return }
        let limit = table.count / headWidth
        for t in 0..<rows {
            precondition(positions[t] >= 0 && Int(positions[t]) < limit, "bug: position \(positions[t]) in a table of \(limit)")
        }
        positions.withUnsafeBufferPointer { positions in
            eachRows(rows, width: heads * headWidth) { first, end in
                for t in first..<end {
                    let row = table.pointer + Int(positions[t]) * headWidth
                    for h in 0..<heads { kernels.rotate(x.pointer + (t * heads + h) * headWidth, row, headWidth / 2, sign) }
                }
            }
        }
    }
}
