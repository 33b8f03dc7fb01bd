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
            pool.run(blocks.count * heads) { task, worker in
                // The heads of a group follow each other: they read the same keys.
                attend(o: o, lse: lse, q: q, k: k, v: v, shape, blocks[task / heads], head: task % heads, worker: worker)
            }
        }
    }

    /// One block of query rows of one head.
    private func attend(
        o: Buffer, lse: Buffer?, q: Buffer, k: Buffer, v: Buffer, _ shape: AttentionShape, _ block: AttentionBlock, head: Int,
        worker: Int
    ) {
        let (rows, keys, stride, D) = (block.rows, block.keys, block.stride, shape.headWidth)
        let keyOffset = block.segment * shape.keyStride + head / (shape.heads / shape.keyValueHeads) * D
        let queryOffset = block.first * shape.queryStride + head * D
        let p = scratch.take(rows * stride, worker: worker)
        // 1. p = scale · q · kᵀ
        OpenBLAS.sgemm(
            transposeB: true, m: rows, n: keys, k: D, alpha: shape.scale,
            a: q.pointer + queryOffset, lda: shape.queryStride, b: k.pointer + keyOffset, ldb: shape.keyStride,
            beta: 0, c: p, ldc: stride)
        // 2. p = exp(p − max) on the keys that a row sees, 0 beyond; the row's factor 1/Σ waits in the product's place.
        withUnsafeTemporaryAllocation(of: Float.self, capacity: rows) { factors in
            for i in 0..<rows {
                var largest: Float = 0
                let sum = kernels.softmax_row(p + i * stride, block.visible(i), stride, &largest)
                factors[i] = Float(1 / sum)
                if let lse { lse.pointer[(block.first + i) * shape.heads + head] = logSumExp(largest, sum) }
            }
            // 3. o = p · v, then the factors.
            OpenBLAS.sgemm(
                m: rows, n: D, k: keys, a: p, lda: stride, b: v.pointer + keyOffset, ldb: shape.keyStride,
                beta: 0, c: o.pointer + queryOffset, ldc: shape.queryStride)
            for i in 0..<rows { kernels.scale(o.pointer + queryOffset + i * shape.queryStride, factors[i], D) }
        }
    }
}
