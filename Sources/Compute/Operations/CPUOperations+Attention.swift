// Causal grouped-query attention by blocks of query rows and runs of keys: scores by matrix products, never more than a block's of a run.
import CKernels
import Glibc

extension CPUOperations {
    public func attentionForward(
        o: Buffer, lse: Buffer?, q: Buffer, k: Buffer, v: Buffer, splits: [Int], heads: Int, keyValueHeads: Int, headWidth: Int,
        options: AttentionOptions
    ) {
        let shape = AttentionShape(splits: splits, heads: heads, keyValueHeads: keyValueHeads, headWidth: headWidth, options: options)
        require(o, shape.rows * shape.queryStride, "o")
        require(q, shape.rows * shape.queryStride, "q")
        require(k, shape.rows * shape.keyStride, "k")
        require(v, shape.rows * shape.keyStride, "v")
        if let lse { require(lse, shape.rows * heads, "lse") }
        let blocks = shape.blocks
        let packed = packAttention(shape, k: k, v: v, backward: false)
        blocks.withUnsafeBufferPointer { blocks in
            pool.run(blocks.count * keyValueHeads) { task, worker in
                let stack = QueryStack(shape: shape, block: blocks[task / keyValueHeads], keyHead: task % keyValueHeads)
                attend(o: o, lse: lse, q: q, k: k, v: v, packed, stack, worker: worker)
            }
        }
    }

    /// One block of query rows of the heads that share a key head. Sums and products with values go on from run to run; where a run raises
    /// a row's largest score, what was there shrinks (Milakov & Gimelshein 2018).
    private func attend(
        o: Buffer, lse: Buffer?, q: Buffer, k: Buffer, v: Buffer, _ packed: PackedAttention?, _ stack: QueryStack, worker: Int
    ) {
        let (shape, rows, stride, D) = (stack.shape, stack.rows, stack.block.stride, stack.shape.headWidth)
        let (queryStride, weightStride) = (preceptor_row_stride(D), preceptor_row_stride(stride))
        let room = packed == nil ? 0 : OperandRoom.floats(rows * queryStride, rows * weightStride)
        let p = scratch.take(rows * (stride + 2 * D) + room, worker: worker)
        let queries = p + rows * stride
        var operands = OperandRoom(queries + 2 * rows * D)
        // One run needs its queries no more when it has its scores: less to keep in the first-level cache, 5 % for segments of 32.
        let sum = stack.block.runs == 1 ? queries : queries + rows * D
        stack.gather(q, into: queries)
        let packedQueries = packed.map { packScaled(queries, rows, D, shape.scale, into: operands.take(rows * queryStride), $0.loops) }
        withUnsafeTemporaryAllocation(of: SoftmaxRow.self, capacity: rows) { state in
            state.initialize(repeating: SoftmaxRow())
            for j in 0..<stack.block.runs {
                let run = stack.block.run(j)
                // 1. p = scale · q · kᵀ, capped.
                if let packed, let packedQueries {
                    let (keys, keyStride) = packed.scoreKeys.panels(packed.starts, run, keyHead: stack.keyHead)
                    packed.loops.multiply(p, stride, packedQueries, queryStride, keys, keyStride, rows, run.count, D, false)
                    cap(p, stack, run)
                } else {
                    score(p, queries, k.pointer + stack.offset(run), stack, run)
                }
                // 2. p = exp(p − max) on the keys that a row sees, 0 beyond.
                stack.eachRow { i, row, _ in
                    let shrink = exponentiate(p + i * stride, stride, run.visible(row), &state[i])
                    if j > 0 && shrink != 1 { kernels.scale(sum + i * D, shrink, D) }
                }
                // 3. sum += p · v.
                if let packed {
                    let (values, valueStride) = packed.values.panels(packed.starts, run, keyHead: stack.keyHead)
                    packed.loops.rows(operands.next, weightStride, p, stride, rows, run.count)
                    packed.loops.multiply(sum, D, operands.next, weightStride, values, valueStride, rows, D, run.count, j > 0)
                } else {
                    OpenBLAS.sgemm(
                        m: rows, n: D, k: run.count, a: p, lda: stride, b: v.pointer + stack.offset(run), ldb: shape.keyStride,
                        beta: j == 0 ? 0 : 1, c: sum, ldc: D)
                }
            }
            // 4. o = sum / Σ p.
            stack.eachRow { i, _, statistic in
                kernels.scale(sum + i * D, Float(1 / state[i].sum), D)
                (o.pointer + statistic * D).update(from: sum + i * D, count: D)
                if let lse { lse.pointer[statistic] = logSumExp(state[i].largest, state[i].sum) }
            }
        }
    }

    /// s = scale · q · kᵀ for the rows of a stack and a run of keys, capped if the shape asks.
    func score(
        _ s: UnsafeMutablePointer<Float>, _ queries: UnsafePointer<Float>, _ keys: UnsafePointer<Float>, _ stack: QueryStack, _ run: KeyRun
    ) {
        let (shape, stride, D) = (stack.shape, stack.block.stride, stack.shape.headWidth)
        OpenBLAS.sgemm(
            transposeB: true, m: stack.rows, n: run.count, k: D, alpha: shape.scale,
            a: queries, lda: D, b: keys, ldb: shape.keyStride, beta: 0, c: s, ldc: stride)
        cap(s, stack, run)
    }

    /// scale · x as the left operand of a product in bfloat16. x: (rows, width).
    func packScaled(
        _ x: UnsafeMutablePointer<Float>, _ rows: Int, _ width: Int, _ scale: Float, into y: UnsafeMutablePointer<UInt16>,
        _ loops: preceptor_products
    ) -> UnsafePointer<UInt16> {
        kernels.scale(x, scale, rows * width)
        loops.rows(y, preceptor_row_stride(width), x, width, rows, width)
        return UnsafePointer(y)
    }

    /// Scores capped, where the shape asks.
    func cap(_ s: UnsafeMutablePointer<Float>, _ stack: QueryStack, _ run: KeyRun) {
        let (shape, stride) = (stack.shape, stack.block.stride)
        guard let cap = shape.softCap else { return }
        stack.eachRow { i, row, _ in
            let (from, to) = run.visible(row)
            if from < to { kernels.soft_cap(s + i * stride + from, to - from, cap) }
        }
    }

    /// A row's scores of one run to exponentials; gives the factor on what the runs before left.
    private func exponentiate(
        _ p: UnsafeMutablePointer<Float>, _ stride: Int, _ visible: (from: Int, to: Int), _ row: inout SoftmaxRow
    ) -> Float {
        let before = row.largest
        let sum = kernels.softmax_row(p, visible.from, visible.to, stride, &row.largest)
        let shrink: Float
        switch before {
        case row.largest: shrink = 1
        case -.infinity: shrink = 0
        default: shrink = Float(exp(Double(before) - Double(row.largest)))
        }
        row.sum = row.sum * Double(shrink) + sum
        return shrink
    }
}

/// What a row of scores has come to.
private struct SoftmaxRow {
    var largest = -Float.infinity
    /// Σ exp(score − largest).
    var sum = 0.0
}
