// Lookups, sums and the optimiser's update: bound by memory, cut into chunks.
import CKernels

extension CPUOperations {
    public func embeddingForward(x: Buffer, ids: [UInt32], table: Weight, width: Int) {
        require(x, ids.count * width, "x")
        requireIDs(ids, count: table.count, width: width)
        ids.withUnsafeBufferPointer { ids in
            eachRows(ids.count, width: width) { first, end in
                for t in first..<end {
                    let (row, id) = (x.pointer + t * width, Int(ids[t]))
                    switch table {
                    case .values(let table): row.update(from: table.pointer + id * width, count: width)
                    case .stored(let table): table.read(id..<id + 1, into: row)
                    }
                }
            }
        }
    }

    public func embeddingBackward(dtable: Buffer, dx: Buffer, ids: [UInt32], width: Int) {
        require(dx, ids.count * width, "dx")
        requireIDs(ids, count: dtable.count, width: width)
        // Equal ids meet in one task, in the order of t.
        ids.withUnsafeBufferPointer { ids in
            eachColumns(width) { first, count in
                for t in 0..<ids.count {
                    kernels.add(dtable.pointer + Int(ids[t]) * width + first, dx.pointer + t * width + first, count)
                }
            }
        }
    }

    private func requireIDs(_ ids: [UInt32], count: Int, width: Int) {
        precondition(width > 0, "bug: embedding of width \(width)")
        let limit = count / width
        for id in ids { precondition(Int(id) < limit, "bug: id \(id) in a table of \(limit)") }
    }

    public func add(y: Buffer, x: Buffer, count: Int) {
        require(y, count, "y")
        require(x, count, "x")
        eachChunk(count) { i, n in kernels.add(y.pointer + i, x.pointer + i, n) }
    }

    public func zero(_ x: Buffer, count: Int) {
        require(x, count, "x")
        eachChunk(count) { i, n in (x.pointer + i).update(repeating: 0, count: n) }
    }

    public func scale(_ x: Buffer, by factor: Float, count: Int) {
        require(x, count, "x")
        eachChunk(count) { i, n in kernels.scale(x.pointer + i, factor, n) }
    }

    public func sumOfSquares(_ x: Buffer, count: Int) -> Double {
        require(x, count, "x")
        var sums = [Double](repeating: 0, count: (count + CPUOperations.chunk - 1) / CPUOperations.chunk)
        sums.withUnsafeMutableBufferPointer { sums in
            eachChunk(count) { i, n in sums[i / CPUOperations.chunk] = kernels.sum_of_squares(x.pointer + i, n) }
        }
        return sums.reduce(0, +)
    }

    public func adamW(value: Buffer, first: Buffer, second: Buffer, gradient: Buffer, count: Int, update: AdamWUpdate) {
        require(value, count, "value")
        require(first, count, "first")
        require(second, count, "second")
        require(gradient, count, "gradient")
        var constants = preceptor_adamw(
            gradient_scale: Float(update.gradientScale),
            beta1: Float(update.beta1), one_minus_beta1: Float(1 - update.beta1),
            beta2: Float(update.beta2), one_minus_beta2: Float(1 - update.beta2),
            decay: Float(1 - update.learningRate * update.weightDecay),
            step: Float(update.learningRate / update.correction1),
            root_correction2: Float(1 / update.correction2.squareRoot()), epsilon: Float(update.epsilon))
        withUnsafePointer(to: &constants) { constants in
            eachChunk(count) { i, n in
                kernels.adamw(value.pointer + i, first.pointer + i, second.pointer + i, gradient.pointer + i, n, constants)
            }
        }
    }
}
