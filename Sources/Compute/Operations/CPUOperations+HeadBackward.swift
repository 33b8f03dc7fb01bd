// The language-model head, fused and blocked: losses of listed ids and their gradients in one pass over the logits.
import CKernels

extension CPUOperations {
    public func headBackward(
        dx: Buffer, dw: Buffer, x: Buffer, w: Buffer, lists: HeadLists, rows: Int, width: Int, vocabulary: Int, loss: HeadLoss
    ) {
        requireHead(x: x, w: .values(w), lists: lists, rows: rows, width: width, vocabulary: vocabulary)
        require(dx, rows * width, "dx")
        require(dw, vocabulary * width, "dw")
        let pass = HeadGradient(dx: dx, dw: dw, x: x, w: w, lists: lists)
        headGradients(pass, places: lists.places(rows), shape: HeadShape(width: width, vocabulary: vocabulary), loss)
    }

    /// Losses and gradients of the rows at `places`, block after block of rows; the tasks are tiles of the vocabulary.
    private func headGradients(_ pass: HeadGradient, places: [Int], shape: HeadShape, _ loss: HeadLoss) {
        guard !places.isEmpty else { return }
        let blockRows = min(places.count, shape.gradientRows)
        let statistics = TileStatistics(rows: blockRows, tiles: shape.tiles)
        // One run of logits for each tile: a tile's rows lie together.
        let tileSize = max(blockRows, shape.leastRows) * shape.tileColumns
        let logits = headMemory.logits.take(tileSize * shape.tiles)
        let parts = headMemory.gradients.take(blockRows * shape.width * shape.tiles)
        let head = packHead(.values(pass.w), shape, forGradients: true)
        for start in stride(from: 0, to: places.count, by: blockRows) {
            let rows = gather(pass.x, places[start..<min(start + blockRows, places.count)], pass.lists, shape)
            // 1. Logits and their statistics.
            pool.run(shape.tiles) { tile, _ in
                score(
                    rows, 0..<rows.count, tile: tile, w: .values(pass.w), head, shape, logits: logits + tile * tileSize, weight: logits,
                    statistics)
            }
            // 2. What the loss says of each row: ∂loss/∂logits = dense · softmax(logits) + a term for each id of its list.
            let shares = rowShares(rows, statistics, loss)
            let rowPanels = packPanels(rows, shape)
            // 3. In each tile: the gradient of the logits, dw, and the tile's part of dx.
            shares.withUnsafeBufferPointer { shares in
                pool.run(shape.tiles) { tile, worker in
                    backpropagate(
                        pass, rows, shares, tile: tile, shape, logits: logits + tile * tileSize,
                        part: parts + tile * rows.count * shape.width, head, rowPanels, worker: worker)
                }
            }
            // 4. dx, the tiles' parts added in their order.
            addParts(pass, rows, parts, shape)
        }
    }

    /// Asks the loss about every row; the terms of the ids take the place of their logits.
    private func rowShares(_ rows: HeadRows, _ statistics: TileStatistics, _ loss: HeadLoss) -> [RowShare] {
        [RowShare](unsafeUninitializedCapacity: rows.count) { shares, count in
            let memory = SharedPointer(shares.baseAddress!)
            eachRows(rows.count, width: CPUOperations.chunk / 64) { first, end in
                for i in first..<end {
                    let (largest, sum) = statistics.total(i)
                    let list = rows.entries(i)
                    let terms = UnsafeMutableBufferPointer(rebasing: rows.logits[list])
                    let dense = loss(rows.place(i), logSumExpDouble(largest, sum), terms)
                    (memory.pointer + i).initialize(to: RowShare(largest: largest, factor: Float(Double(dense) / sum)))
                }
            }
            count = rows.count
        }
    }

    /// One tile of the vocabulary: logits become their gradient, dw += gradientᵀ · x, part = gradient · w.
    private func backpropagate(
        _ pass: HeadGradient, _ rows: HeadRows, _ shares: UnsafeBufferPointer<RowShare>, tile: Int,
        _ shape: HeadShape, logits: UnsafeMutablePointer<Float>, part: UnsafeMutablePointer<Float>, _ head: PackedHead?,
        _ rowPanels: PackedPanels?, worker: Int
    ) {
        let columns = shape.columns(tile)
        let (width, n) = (shape.width, columns.count)
        for i in 0..<rows.count {
            let row = logits + i * n
            kernels.scaled_exponentials(row, n, shares[i].largest, shares[i].factor)
            for entry in rows.entries(i) where columns.contains(Int(rows.ids[entry])) {
                row[Int(rows.ids[entry]) - columns.lowerBound] += rows.logits[entry]
            }
        }
        // logits = x · wᵀ
        if let head, let rowPanels {
            return multiply(logits, rows.count, tile, into: part, pass.dw, head, rowPanels, worker: worker)
        }
        OpenBLAS.sgemm(
            transposeA: true, m: n, n: width, k: rows.count, a: logits, lda: n, b: rows.x, ldb: width,
            beta: 1, c: pass.dw.pointer + columns.lowerBound * width, ldc: width)
        OpenBLAS.sgemm(
            m: rows.count, n: width, k: n, a: logits, lda: n, b: pass.w.pointer + columns.lowerBound * width, ldb: width,
            beta: 0, c: part, ldc: width)
    }

    /// dw += gradientᵀ · x and part = gradient · w in bfloat16.
    private func multiply(
        _ gradient: UnsafePointer<Float>, _ rows: Int, _ tile: Int, into part: UnsafeMutablePointer<Float>, _ dw: Buffer,
        _ head: PackedHead, _ rowPanels: PackedPanels, worker: Int
    ) {
        let (loops, width, columns) = (head.products.loops, head.shape.width, head.shape.columns(tile))
        let n = columns.count
        let (upright, across) = (LeftOperand.rows(gradient, stride: n), LeftOperand.transposed(gradient, stride: n))
        let counts = (PackedRows.count(m: rows, k: n, upright, loops), PackedRows.count(m: n, k: rows, across, loops))
        let memory = UnsafeMutableRawPointer(scratch.take(max(counts.0, counts.1) / 2 + 1, worker: worker))
            .assumingMemoryBound(to: UInt16.self)
        let strips = PackedRows(memory: memory, across, rows: n, k: rows)
        for task in 0..<strips.tasks(loops) { strips.pack(task, across, loops) }
        loops.multiply(dw.pointer + columns.lowerBound * width, width, memory, 0, rowPanels.memory, rowPanels.stride, n, width, rows, true)
        let packed = PackedRows(memory: memory, upright, rows: rows, k: n)
        for task in 0..<packed.tasks(loops) { packed.pack(task, upright, loops) }
        loops.multiply(part, width, memory, packed.stride, head.tile(tile), preceptor_panel_values(n), rows, width, n, false)
    }

    /// The rows as the right operand of dw += gradientᵀ · x; nil in float32.
    private func packPanels(_ rows: HeadRows, _ shape: HeadShape) -> PackedPanels? {
        guard let loops = products?.loops else { return nil }
        let panels = PackedPanels(memory: headMemory.rowPanels.values(PackedPanels.count(k: rows.count, n: shape.width)), k: rows.count)
        pool.run((shape.width + PackedPanels.taskColumns - 1) / PackedPanels.taskColumns) { task, worker in
            panels.pack(task, .rows(rows.x, stride: shape.width), n: shape.width, loops, scratch, worker: worker)
        }
        return panels
    }

    private func addParts(_ pass: HeadGradient, _ rows: HeadRows, _ parts: UnsafeMutablePointer<Float>, _ shape: HeadShape) {
        let width = shape.width
        eachRows(rows.count, width: width * shape.tiles) { first, end in
            for i in first..<end {
                let row = pass.dx.pointer + rows.place(i) * width
                for tile in 0..<shape.tiles { kernels.add(row, parts + (tile * rows.count + i) * width, width) }
            }
        }
    }
}

/// The arguments of one pass with gradients.
private struct HeadGradient {
    let dx: Buffer, dw: Buffer, x: Buffer, w: Buffer
    let lists: HeadLists
}

/// The dense part of a row's gradient: factor · exp(logit − largest).
private struct RowShare {
    let largest: Float
    let factor: Float
}

/// Memory that tasks write side by side.
private struct SharedPointer<Element>: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<Element>
    init(_ pointer: UnsafeMutablePointer<Element>) { self.pointer = pointer }
}
