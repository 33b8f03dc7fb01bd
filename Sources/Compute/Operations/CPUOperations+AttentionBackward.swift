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
        let gradient = AttentionGradient(dq: dq, dk: dk, dv: dv, dO: dO, o: o, lse: lse, q: q, k: k, v: v)
        let blocks = shape.blocks
        // The blocks of each segment, as a range of `blocks`.
        var starts = blocks.indices.filter { blocks[$0].first == blocks[$0].segment }
        let segments = starts.count
        starts.append(blocks.count)
        // A segment's keys of one key head belong to one task: it adds the blocks that read them in their order.
        pool.run(segments * keyValueHeads) { task, worker in
            let segment = task / keyValueHeads
            for block in blocks[starts[segment]..<starts[segment + 1]] {
                backpropagate(gradient, QueryStack(shape: shape, block: block, keyHead: task % keyValueHeads), worker: worker)
            }
        }
    }

    /// One block of query rows of the heads that share a key head.
    ///
    ///     s = scale · q kᵀ,  p = softmax(s),  o = p v
    ///     dv += pᵀ do,  dp = do vᵀ,  ds = p ⊙ (dp − Σ(do ⊙ o)) · scale,  dq += ds k,  dk += dsᵀ q
    private func backpropagate(_ g: AttentionGradient, _ stack: QueryStack, worker: Int) {
        let (shape, rows, keys, stride, D) = (stack.shape, stack.rows, stack.block.keys, stack.block.stride, stack.shape.headWidth)
        let (k, v) = (g.k.pointer + stack.keyOffset, g.v.pointer + stack.keyOffset)
        let p = scratch.take(rows * (2 * stride + 3 * D), worker: worker)
        let ds = p + rows * stride
        let q = ds + rows * stride
        let (dO, dq) = (q + rows * D, q + 2 * rows * D)
        stack.gather(g.q, into: q)
        stack.gather(g.dO, into: dO)
        // 1. Scores, and dp = do · vᵀ.
        OpenBLAS.sgemm(
            transposeB: true, m: rows, n: keys, k: D, alpha: shape.scale, a: q, lda: D, b: k, ldb: shape.keyStride,
            beta: 0, c: p, ldc: stride)
        OpenBLAS.sgemm(
            transposeB: true, m: rows, n: keys, k: D, a: dO, lda: D, b: v, ldb: shape.keyStride, beta: 0, c: ds, ldc: stride)
        // 2. p and ds on the keys that a row sees, 0 beyond.
        for i in 0..<rows {
            let delta = Float(kernels.dot(dO + i * D, g.o.pointer + stack.offset(i), D))
            kernels.softmax_row_gradient(
                p + i * stride, ds + i * stride, stack.block.visible(i), stride, g.lse.pointer[stack.statistic(i)], delta, shape.scale)
        }
        // 3. dq += ds · k;  dk += dsᵀ · q;  dv += pᵀ · do.
        OpenBLAS.sgemm(m: rows, n: D, k: keys, a: ds, lda: stride, b: k, ldb: shape.keyStride, beta: 0, c: dq, ldc: D)
        for i in 0..<rows { kernels.add(g.dq.pointer + stack.offset(i), dq + i * D, D) }
        OpenBLAS.sgemm(
            transposeA: true, m: keys, n: D, k: rows, a: ds, lda: stride, b: q, ldb: D,
            beta: 1, c: g.dk.pointer + stack.keyOffset, ldc: shape.keyStride)
        OpenBLAS.sgemm(
            transposeA: true, m: keys, n: D, k: rows, a: p, lda: stride, b: dO, ldb: D,
            beta: 1, c: g.dv.pointer + stack.keyOffset, ldc: shape.keyStride)
    }
}

/// The buffers of one backward call.
private struct AttentionGradient {
    let dq: Buffer, dk: Buffer, dv: Buffer
    let dO: Buffer, o: Buffer, lse: Buffer, q: Buffer, k: Buffer, v: Buffer
}
