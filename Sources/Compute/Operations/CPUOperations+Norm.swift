// Normalisation of rows, and biases.

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

    public func layerNormForward(
        y: Buffer, mean: Buffer?, r: Buffer?, x: Buffer, g: Buffer, b: Buffer, rows: Int, width: Int, epsilon: Float
    ) {
        require(y, rows * width, "y")
        require(x, rows * width, "x")
        require(g, width, "g")
        require(b, width, "b")
        if let mean { require(mean, rows, "mean") }
        if let r { require(r, rows, "r") }
        eachRows(rows, width: width) { first, end in
            for t in first..<end {
                var middle: Float = 0
                let root = kernels.layer_forward(
                    y.pointer + t * width, x.pointer + t * width, g.pointer, b.pointer, width, epsilon, &middle)
                if let mean { mean.pointer[t] = middle }
                if let r { r.pointer[t] = root }
            }
        }
    }

    public func layerNormBackward(
        dx: Buffer, dg: Buffer, db: Buffer, dy: Buffer, x: Buffer, g: Buffer, mean: Buffer, r: Buffer, rows: Int, width: Int
    ) {
        require(dx, rows * width, "dx")
        require(dg, width, "dg")
        require(dy, rows * width, "dy")
        require(x, rows * width, "x")
        require(g, width, "g")
        require(mean, rows, "mean")
        require(r, rows, "r")
        eachRows(rows, width: width) { first, end in
            for t in first..<end {
                let offset = t * width
                kernels.layer_backward(
                    dx.pointer + offset, dy.pointer + offset, x.pointer + offset, g.pointer, mean.pointer[t], r.pointer[t], width)
            }
        }
        eachColumns(width) { first, count in
            kernels.layer_backward_gain(
                dg.pointer + first, dy.pointer + first, x.pointer + first, mean.pointer, r.pointer, rows, width, count)
        }
        biasBackward(db: db, dy: dy, rows: rows, width: width)
    }

    public func biasForward(y: Buffer, b: Buffer, rows: Int, width: Int) {
        require(y, rows * width, "y")
        require(b, width, "b")
        eachRows(rows, width: width) { first, end in
            for t in first..<end { kernels.add(y.pointer + t * width, b.pointer, width) }
        }
    }

    public func biasBackward(db: Buffer, dy: Buffer, rows: Int, width: Int) {
        require(db, width, "db")
        require(dy, rows * width, "dy")
        eachColumns(width) { first, count in kernels.add_columns(db.pointer + first, dy.pointer + first, rows, width, count) }
    }
}
