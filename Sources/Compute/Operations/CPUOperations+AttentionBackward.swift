// Gradients of attention: probabilities are computed again from the saved log-sum-exp, block by block.

extension CPUOperations {
    public func attentionBackward(
        dq: Buffer, dk: Buffer, dv: Buffer, do dO: Buffer, o: Buffer, lse: Buffer, q: Buffer, k: Buffer, v: Buffer, splits: [Int],
        heads: Int, keyValueHeads: Int, headWidth: Int
    ) {
        let shape = AttentionShape(splits: splits, heads: heads, keyValueHeads: keyValueHeads, headWidth: headWidth)
        let (queries, keys) = (shape.rows * shape.queryStride, shape.rows * shape.keyStride)
        require(dq, queries, "dq")
        require(dk, keys, "dk")
        require(dv, keys, "dv")
        require(dO, queries, "do")
        require(o, queries, "o")
        require(lse, shape.rows * heads, "lse")
        require(q, queries, "q")
        require(k, keys, "k")
        require(v, keys, "v")
        let gradient = AttentionGradient(dq: dq, dk: dk, dv: dv, dO: dO, o: o, lse: lse, q: q, k: k, v: v, shape: shape)
        let blocks = shape.blocks
        // The blocks of each segment, as a range of `blocks`.
        var starts = blocks.indices.filter { blocks[$0].first == blocks[$0].segment }
        let segments = starts.count
        starts.append(blocks.count)
        // A segment's keys of one key head belong to one task: it adds the heads and blocks that read them in their order.
        pool.run(segments * keyValueHeads) { task, worker in
            let segment = task / keyValueHeads
            let group = heads / keyValueHeads
            for head in task % keyValueHeads * group..<(task % keyValueHeads + 1) * group {
                for block in blocks[starts[segment]..<starts[segment + 1]] {
                    backpropagate(gradient, block, head: head, worker: worker)
                }
            }
        }
    }

    /// One block of query rows of one head.
    ///
    ///     s = scale · q kᵀ,  p = softmax(s),  o = p v
    ///     dv += pᵀ do,  dp = do vᵀ,  ds = p ⊙ (dp − Σ(do ⊙ o)) · scale,  dq += ds k,  dk += dsᵀ q
    private func backpropagate(_ g: AttentionGradient, _ block: AttentionBlock, head: Int, worker: Int) {
        let shape = g.shape
        let (rows, keys, stride, D) = (block.rows, block.keys, block.stride, shape.headWidth)
        let (queryStride, keyStride) = (shape.queryStride, shape.keyStride)
        let keyOffset = block.segment * keyStride + head / (shape.heads / shape.keyValueHeads) * D
        let queryOffset = block.first * queryStride + head * D
        let p = scratch.take(2 * rows * stride, worker: worker)
        let ds = p + rows * stride
        // 1. Scores, and dp = do · vᵀ.
        OpenBLAS.sgemm(
            transposeB: true, m: rows, n: keys, k: D, alpha: shape.scale,
            a: g.q.pointer + queryOffset, lda: queryStride, b: g.k.pointer + keyOffset, ldb: keyStride, beta: 0, c: p, ldc: stride)
        OpenBLAS.sgemm(
            transposeB: true, m: rows, n: keys, k: D,
            a: g.dO.pointer + queryOffset, lda: queryStride, b: g.v.pointer + keyOffset, ldb: keyStride, beta: 0, c: ds, ldc: stride)
        // 2. p and ds on the keys that a row sees, 0 beyond.
        for i in 0..<rows {
            let offset = queryOffset + i * queryStride
            let delta = Float(kernels.dot(g.dO.pointer + offset, g.o.pointer + offset, D))
            let lse = g.lse.pointer[(block.first + i) * shape.heads + head]
            kernels.softmax_row_gradient(p + i * stride, ds + i * stride, block.visible(i), stride, lse, delta, shape.scale)
        }
        // 3. dq += ds · k;  dk += dsᵀ · q;  dv += pᵀ · do.
        OpenBLAS.sgemm(
            m: rows, n: D, k: keys, a: ds, lda: stride, b: g.k.pointer + keyOffset, ldb: keyStride,
            beta: 1, c: g.dq.pointer + queryOffset, ldc: queryStride)
        OpenBLAS.sgemm(
            transposeA: true, m: keys, n: D, k: rows, a: ds, lda: stride, b: g.q.pointer + queryOffset, ldb: queryStride,
            beta: 1, c: g.dk.pointer + keyOffset, ldc: keyStride)
        OpenBLAS.sgemm(
            transposeA: true, m: keys, n: D, k: rows, a: p, lda: stride, b: g.dO.pointer + queryOffset, ldb: queryStride,
            beta: 1, c: g.dv.pointer + keyOffset, ldc: keyStride)
    }
}

/// The buffers of one backward call.
private struct AttentionGradient {
    let dq: Buffer, dk: Buffer, dv: Buffer
    let dO: Buffer, o: Buffer, lse: Buffer, q: Buffer, k: Buffer, v: Buffer
    let shape: AttentionShape
}
