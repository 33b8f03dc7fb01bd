// Causal grouped-query attention by blocks of query rows: scores through sgemm, never a square of a whole segment.

extension CPUOperations {
    public func attentionForward(
        o: Buffer, lse: Buffer?, q: Buffer, k: Buffer, v: Buffer, splits: [Int], heads: Int, keyValueHeads: Int, headWidth: Int
    ) {
        let shape = AttentionShape(splits: splits, heads: heads, keyValueHeads: keyValueHeads, headWidth: headWidth)
        require(o, shape.rows * shape.queryStride, "o")
        require(q, shape.rows * shape.queryStride, "q")
        require(k, shape.rows * shape.keyStride, "k")
        require(v, shape.rows * shape.keyStride, "v")
        if let lse { require(lse, shape.rows * heads, "lse") }
        let blocks = shape.blocks
        blocks.withUnsafeBufferPointer { blocks in
            pool.run(blocks.count * keyValueHeads) { task, worker in
                let stack = QueryStack(shape: shape, block: blocks[task / keyValueHeads], keyHead: task % keyValueHeads)
                attend(o: o, lse: lse, q: q, k: k, v: v, stack, worker: worker)
            }
        }
    }

    /// One block of query rows of the heads that share a key head.
    private func attend(o: Buffer, lse: Buffer?, q: Buffer, k: Buffer, v: Buffer, _ stack: QueryStack, worker: Int) {
        let (shape, rows, keys, stride, D) = (stack.shape, stack.rows, stack.block.keys, stack.block.stride, stack.shape.headWidth)
        let p = scratch.take(rows * (stride + D), worker: worker)
        let stacked = p + rows * stride
        stack.gather(q, into: stacked)
        // 1. p = scale · q · kᵀ
        OpenBLAS.sgemm(
            transposeB: true, m: rows, n: keys, k: D, alpha: shape.scale,
            a: stacked, lda: D, b: k.pointer + stack.keyOffset, ldb: shape.keyStride, beta: 0, c: p, ldc: stride)
        // 2. p = exp(p − max) on the keys that a row sees, 0 beyond; the row's factor 1/Σ waits for the product.
        withUnsafeTemporaryAllocation(of: Float.self, capacity: rows) { factors in
            for i in 0..<rows {
                var largest: Float = 0
                let sum = kernels.softmax_row(p + i * stride, stack.block.visible(i), stride, &largest)
                factors[i] = Float(1 / sum)
                if let lse { lse.pointer[stack.statistic(i)] = logSumExp(largest, sum) }
            }
            // 3. o = p · v, then the factors.
            OpenBLAS.sgemm(
                m: rows, n: D, k: keys, a: p, lda: stride, b: v.pointer + stack.keyOffset, ldb: shape.keyStride,
                beta: 0, c: stacked, ldc: D)
            for i in 0..<rows {
                kernels.scale(stacked + i * D, factors[i], D)
                (o.pointer + stack.offset(i)).update(from: stacked + i * D, count: D)
            }
        }
    }
}
