// Linear maps and their gradients: OpenBLAS over a fixed grid of tiles, or products in bfloat16.
import Glibc

extension CPUOperations {
    public func linearForward(y: Buffer, x: Buffer, w: Buffer, rows: Int, inputs: Int, outputs: Int) {
        require(y, rows * outputs, "y")
        require(x, rows * inputs, "x")
        require(w, outputs * inputs, "w")
        guard rows > 0, outputs > 0 else { return }
        guard inputs > 0 else { return zero(y, count: rows * outputs) }
        if let products {
            return products.multiply(
                .rows(x.pointer, stride: inputs), .transposed(w.pointer, stride: inputs), into: y.pointer, stride: outputs,
                m: rows, n: outputs, k: inputs, accumulate: false)
        }
        if rows * outputs * inputs <= OpenBLAS.smallProductLimit {
            return linearForwardPadded(y: y, x: x, w: w, rows: rows, inputs: inputs, outputs: outputs)
        }
        let grid = TileGrid(rows: rows, columns: outputs, depth: inputs)
        pool.run(grid.count) { task, _ in
            let t = grid.tile(task)
            OpenBLAS.sgemm(
                transposeB: true, m: t.rows, n: t.columns, k: inputs,
                a: x.pointer + t.row * inputs, lda: inputs, b: w.pointer + t.column * inputs, ldb: inputs,
                beta: 0, c: y.pointer + t.row * outputs + t.column, ldc: outputs)
        }
    }

    /// A small product with rows of zeros appended until OpenBLAS takes its general kernel, so that a row's bits are those
    /// it has among many rows. Costs at most 2 MFLOP, about 20 microseconds.
    private func linearForwardPadded(y: Buffer, x: Buffer, w: Buffer, rows: Int, inputs: Int, outputs: Int) {
        let padded = OpenBLAS.smallProductLimit / (outputs * inputs) + 1
        pool.run(1) { _, worker in
            let paddedX = scratch.take(padded * (inputs + outputs), worker: worker)
            let paddedY = paddedX + padded * inputs
            paddedX.update(from: x.pointer, count: rows * inputs)
            (paddedX + rows * inputs).update(repeating: 0, count: (padded - rows) * inputs)
            OpenBLAS.sgemm(
                transposeB: true, m: padded, n: outputs, k: inputs, a: paddedX, lda: inputs, b: w.pointer, ldb: inputs,
                beta: 0, c: paddedY, ldc: outputs)
            y.pointer.update(from: paddedY, count: rows * outputs)
        }
    }

    public func linearBackwardInput(dx: Buffer, dy: Buffer, w: Buffer, rows: Int, inputs: Int, outputs: Int) {
        require(dx, rows * inputs, "dx")
        require(dy, rows * outputs, "dy")
        require(w, outputs * inputs, "w")
        guard rows > 0, outputs > 0, inputs > 0 else { return }
        if let products {
            return products.multiply(
                .rows(dy.pointer, stride: outputs), .rows(w.pointer, stride: inputs), into: dx.pointer, stride: inputs,
                m: rows, n: inputs, k: outputs, accumulate: true)
        }
        let grid = TileGrid(rows: rows, columns: inputs, depth: outputs)
        pool.run(grid.count) { task, _ in
            let t = grid.tile(task)
            // y = x · wᵀ
            OpenBLAS.sgemm(
                m: t.rows, n: t.columns, k: outputs,
                a: dy.pointer + t.row * outputs, lda: outputs, b: w.pointer + t.column, ldb: inputs,
                beta: 1, c: dx.pointer + t.row * inputs + t.column, ldc: inputs)
        }
    }

    public func linearBackwardWeight(dw: Buffer, dy: Buffer, x: Buffer, rows: Int, inputs: Int, outputs: Int) {
        require(dw, outputs * inputs, "dw")
        require(dy, rows * outputs, "dy")
        require(x, rows * inputs, "x")
        guard rows > 0, outputs > 0, inputs > 0 else { return }
        if let products {
            return products.multiply(
                .transposed(dy.pointer, stride: outputs), .rows(x.pointer, stride: inputs), into: dw.pointer, stride: inputs,
                m: outputs, n: inputs, k: rows, accumulate: true)
        }
        let grid = TileGrid(rows: outputs, columns: inputs, depth: rows)
        pool.run(grid.count) { task, _ in
            let t = grid.tile(task)
            // y = x · wᵀ
            OpenBLAS.sgemm(
                transposeA: true, m: t.rows, n: t.columns, k: rows,
                a: dy.pointer + t.row, lda: outputs, b: x.pointer + t.column, ldb: inputs,
                beta: 1, c: dw.pointer + t.row * inputs + t.column, ldc: inputs)
        }
    }
}
