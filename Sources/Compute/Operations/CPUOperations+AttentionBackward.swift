// Gradients of attention: probabilities are computed again from the saved log-sum-exp, a block of rows and a run of keys at a time.

extension CPUOperations {
    public func attentionBackward(
        dq: Buffer, dk: Buffer, dv: Buffer, do dO: Buffer, o: Buffer, lse: Buffer, q: Buffer, k: Buffer, v: Buffer, splits: [Int],
        heads: Int, keyValueHeads: Int, headWidth: Int, options: AttentionOptions
    ) {
        let shape = AttentionShape(splits: splits, heads: heads, keyValueHeads: keyValueHeads, headWidth: headWidth, options: options)
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
        let plan = AttentionBackwardPlan(shape)
        let partial = attentionMemory.take(plan.partialFloats)
        let gradient = AttentionGradient(dq: dq, dk: dk, dv: dv, dO: dO, o: o, lse: lse, q: q, k: k, v: v)
        // 1. Each part of a segment adds the blocks of its rows in their order, to dk and dv or to a sum of its own.
        pool.run(plan.parts.count) { task, worker in
            let part = plan.parts[task]
            let target = plan.target(part, dk: dk, dv: dv, partial: partial)
            if part.partial != nil { partial.advanced(by: part.partial!).update(repeating: 0, count: 2 * part.keys.count * headWidth) }
            for block in part.blocks {
                backpropagate(gradient, QueryStack(shape: shape, block: block, keyHead: part.keyHead), target, worker: worker)
            }
        }
        // 2. The parts' sums, in their order.
        pool.run(plan.sums.count) { task, _ in
            let (sum, D) = (plan.sums[task], headWidth)
            for part in sum.parts {
                for key in sum.keys.clamped(to: part.keys) {
                    let from = partial + part.partial! + (key - part.keys.lowerBound) * D
                    let to = key * shape.keyStride + part.keyHead * D
                    kernels.add(dk.pointer + to, from, D)
                    kernels.add(dv.pointer + to, from + part.keys.count * D, D)
                }
            }
        }
    }

    /// One block of query rows of the heads that share a key head.
    ///
    ///     s = cap(scale · q kᵀ),  p = softmax(s),  o = p v
    ///     dv += pᵀ do,  dp = do vᵀ,  ds = p ⊙ (dp − Σ(do ⊙ o)) ⊙ cap′ · scale,  dq += ds k,  dk += dsᵀ q
    private func backpropagate(_ g: AttentionGradient, _ stack: QueryStack, _ target: KeyGradients, worker: Int) {
        let (shape, rows, stride, D) = (stack.shape, stack.rows, stack.block.stride, stack.shape.headWidth)
        let p = scratch.take(rows * (2 * stride + 3 * D + 1), worker: worker)
        let ds = p + rows * stride
        let q = ds + rows * stride
        let (dO, dq, delta) = (q + rows * D, q + 2 * rows * D, q + 3 * rows * D)
        stack.gather(g.q, into: q)
        stack.gather(g.dO, into: dO)
        stack.eachRow { i, _, statistic in delta[i] = Float(kernels.dot(dO + i * D, g.o.pointer + statistic * D, D)) }
        for j in 0..<stack.block.runs {
            let run = stack.block.run(j)
            let (k, v) = (g.k.pointer + stack.offset(run), g.v.pointer + stack.offset(run))
            // 1. Scores, and dp = do · vᵀ.
            score(p, q, k, stack, run)
            OpenBLAS.sgemm(
                transposeB: true, m: rows, n: run.count, k: D, a: dO, lda: D, b: v, ldb: shape.keyStride, beta: 0, c: ds, ldc: stride)
            // 2. p and ds on the keys that a row sees, 0 beyond.
            stack.eachRow { i, row, statistic in
                let (from, to) = run.visible(row)
                kernels.softmax_row_gradient(
                    p + i * stride, ds + i * stride, from, to, stride, g.lse.pointer[statistic], delta[i], shape.scale,
                    1 / (shape.softCap ?? .infinity))
            }
            // 3. dq += ds · k;  dk += dsᵀ · q;  dv += pᵀ · do.
            OpenBLAS.sgemm(
                m: rows, n: D, k: run.count, a: ds, lda: stride, b: k, ldb: shape.keyStride, beta: j == 0 ? 0 : 1, c: dq, ldc: D)
            let place = (run.first - target.firstKey) * target.stride
            OpenBLAS.sgemm(
                transposeA: true, m: run.count, n: D, k: rows, a: ds, lda: stride, b: q, ldb: D,
                beta: 1, c: target.dk + place, ldc: target.stride)
            OpenBLAS.sgemm(
                transposeA: true, m: run.count, n: D, k: rows, a: p, lda: stride, b: dO, ldb: D,
                beta: 1, c: target.dv + place, ldc: target.stride)
        }
        stack.eachRow { i, _, statistic in kernels.add(g.dq.pointer + statistic * D, dq + i * D, D) }
    }
}

/// The buffers of one backward call.
private struct AttentionGradient {
    let dq: Buffer, dk: Buffer, dv: Buffer
    let dO: Buffer, o: Buffer, lse: Buffer, q: Buffer, k: Buffer, v: Buffer
}
