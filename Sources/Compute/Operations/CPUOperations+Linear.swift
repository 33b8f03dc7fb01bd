// Linear maps and their gradients: OpenBLAS over a fixed grid of tiles, or products in bfloat16.
import Glibc

extension CPUOperations {
    public func linearForward(_ maps: [LinearOutput], x: Buffer, rows: Int, inputs: Int) {
        require(x, rows * inputs, "x")
        for map in maps {
            require(map.y, rows * map.outputs, "y")
            require(map.w, map.outputs * inputs, "w")
        }
        guard rows > 0 else { return }
        guard inputs > 0 else { return maps.forEach { zero($0.y, count: rows * $0.outputs) } }
        if let products {
            return products.multiply(
                .rows(x.pointer, stride: inputs),
                maps.map { ProductResult(operand: RightOperand($0.w, stride: inputs), c: $0.y.pointer, stride: $0.outputs, n: $0.outputs) },
                m: rows, k: inputs, accumulate: false)
        }
        for map in maps where map.outputs > 0 {
            linearForward(y: map.y, x: x, w: values(map.w), rows: rows, inputs: inputs, outputs: map.outputs)
        }
    }

    /// The values of a matrix; those of a stored one in memory that the next call uses again.
    private func values(_ weight: Weight) -> UnsafePointer<Float> {
        switch weight {
        case .values(let buffer): return UnsafePointer(buffer.pointer)
        case .stored(let matrix):
            let memory = storedValues.take(matrix.rows * matrix.columns)
            eachRows(matrix.rows, width: matrix.columns) { first, end in matrix.read(first..<end, into: memory + first * matrix.columns) }
            return UnsafePointer(memory)
        }
    }

    private func linearForward(y: Buffer, x: Buffer, w: UnsafePointer<Float>, rows: Int, inputs: Int, outputs: Int) {
        if rows * outputs * inputs <= OpenBLAS.smallProductLimit {
            return linearForwardPadded(y: y, x: x, w: w, rows: rows, inputs: inputs, outputs: outputs)
        }
        let grid = TileGrid(rows: rows, columns: outputs, depth: inputs)
        pool.run(grid.count) { task, _ in
            let t = grid.tile(task)
            OpenBLAS.sgemm(
                transposeB: true, m: t.rows, n: t.columns, k: inputs,
                a: x.pointer + t.row * inputs, lda: inputs, b: w + t.column * inputs, ldb: inputs,
                beta: 0, c: y.pointer + t.row * outputs + t.column, ldc: outputs)
        }
    }

    /// A small product with rows of zeros appended until OpenBLAS takes its general kernel, so that a row's bits are those
    /// it has among many rows. Costs at most 2 MFLOP, about 20 microseconds.
    private func linearForwardPadded(y: Buffer, x: Buffer, w: UnsafePointer<Float>, rows: Int, inputs: Int, outputs: Int) {
        let padded = OpenBLAS.smallProductLimit / (outputs * inputs) + 1
        pool.run(1) { _, worker in
            let paddedX = scratch.take(padded * (inputs + outputs), worker: worker)
            let paddedY = paddedX + padded * inputs
            paddedX.update(from: x.pointer, count: rows * inputs)
            (paddedX + rows * inputs).update(repeating: 0, count: (padded - rows) * inputs)
            OpenBLAS.sgemm(
                transposeB: true, m: padded, n: outputs, k: inputs, a: paddedX, lda: inputs, b: w, ldb: inputs,
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
                .rows(dy.pointer, stride: outputs),
                [ProductResult(operand: .rows(w.pointer, stride: inputs), c: dx.pointer, stride: inputs, n: inputs)],
                m: rows, k: outputs, accumulate: true)
        }
        let grid = TileGrid(rows: rows, columns: inputs, depth: outputs)
        pool.run(grid.count) { task, _ in
            let t = grid.tile(task)
            // dx += dy · w
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
                .transposed(dy.pointer, stride: outputs),
                [ProductResult(operand: .rows(x.pointer, stride: inputs), c: dw.pointer, stride: inputs, n: inputs)],
                m: outputs, k: rows, accumulate: true)
        }
        let grid = TileGrid(rows: outputs, columns: inputs, depth: rows)
        pool.run(grid.count) { task, _ in
            let t = grid.tile(task)
            // dw += dyᵀ · x
            OpenBLAS.sgemm(
                transposeA: true, m: t.rows, n: t.columns, k: rows,
                a: dy.pointer + t.row, lda: outputs, b: x.pointer + t.column, ldb: inputs,
                beta: 1, c: dw.pointer + t.row * inputs + t.column, ldc: inputs)
        }
    }
}
