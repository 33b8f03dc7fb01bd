// The language-model head with cross-entropy, fused and blocked: losses and gradients in one pass over the logits.
import CKernels

extension CPUOperations {
    public func headBackward(
        dx: Buffer, dw: Buffer, x: Buffer, w: Buffer, targets: [Int32], weights: [Float], rows: Int, width: Int, vocabulary: Int
    ) {
        requireHead(x: x, w: .values(w), targets: targets, rows: rows, width: width, vocabulary: vocabulary)
        requireHeadGradients(dx: dx, dw: dw, weights: weights, rows: rows, width: width, vocabulary: vocabulary)
        let pass = HeadGradient(losses: nil, dx: dx, dw: dw, x: x, w: w, targets: targets, weights: weights)
        let places = (0..<rows).filter { targets[$0] >= 0 && weights[$0] != 0 }
        headGradients(pass, places: places, shape: HeadShape(width: width, vocabulary: vocabulary))
    }

    public func headForwardBackward(
        losses: Buffer, dx: Buffer, dw: Buffer, x: Buffer, w: Buffer, targets: [Int32], weights: [Float], rows: Int, width: Int,
        vocabulary: Int
    ) {
        requireHead(x: x, w: .values(w), targets: targets, rows: rows, width: width, vocabulary: vocabulary)
        requireHeadGradients(dx: dx, dw: dw, weights: weights, rows: rows, width: width, vocabulary: vocabulary)
        require(losses, rows, "losses")
        for i in 0..<rows { losses.pointer[i] = .nan }
        let shape = HeadShape(width: width, vocabulary: vocabulary)
        let places = (0..<rows).filter { targets[$0] >= 0 }
        let pass = HeadGradient(losses: losses, dx: dx, dw: dw, x: x, w: w, targets: targets, weights: weights)
        headGradients(pass, places: places.filter { weights[$0] != 0 }, shape: shape)
        headLosses(losses: losses, x: x, w: .values(w), targets: targets, places: places.filter { weights[$0] == 0 }, shape: shape)
    }

    private func requireHeadGradients(dx: Buffer, dw: Buffer, weights: [Float], rows: Int, width: Int, vocabulary: Int) {
        require(dx, rows * width, "dx")
        require(dw, vocabulary * width, "dw")
        precondition(weights.count >= rows, "bug: \(weights.count) weights for \(rows) rows")
    }

    /// Gradients (and losses, if asked) of the rows at `places`, block after block of rows; the tasks are tiles of the vocabulary.
    private func headGradients(_ pass: HeadGradient, places: [Int], shape: HeadShape) {
        guard !places.isEmpty else { return }
        let blockRows = min(places.count, shape.gradientRows)
        let statistics = TileStatistics(rows: blockRows, tiles: shape.tiles)
        // One run of logits for each tile: a tile's rows lie together.
        let tileSize = max(blockRows, shape.leastRows) * shape.tileColumns
        let logits = headMemory.logits.take(tileSize * shape.tiles)
        let parts = headMemory.gradients.take(blockRows * shape.width * shape.tiles)
        let head = packHead(.values(pass.w), shape, forGradients: true)
        for start in stride(from: 0, to: places.count, by: blockRows) {
            let rows = gather(pass.x, places[start..<min(start + blockRows, places.count)], shape)
            // 1. Logits and their statistics.
            pass.targets.withUnsafeBufferPointer { targets in
                pool.run(shape.tiles) { tile, _ in
                    score(
                        rows, 0..<rows.count, tile: tile, w: .values(pass.w), head, targets: targets, shape, logits: logits + tile * tileSize,
                        weight: logits, statistics)
                }
            }
            // 2. Losses, and for each row its shift and its factor: ∂loss/∂logit = weight · (exp(logit − shift) / Σ − [target]).
            let totals = (0..<rows.count).map { statistics.total($0) }
            if let losses = pass.losses {
                for i in 0..<rows.count { losses.pointer[rows.place(i)] = Float(statistics.loss(i)) }
            }
            let rowPanels = packPanels(rows, shape)
            // 3. In each tile: the gradient of the logits, dw, and the tile's part of dx.
            totals.withUnsafeBufferPointer { totals in
                pool.run(shape.tiles) { tile, worker in
                    backpropagate(
                        pass, rows, totals, tile: tile, shape, logits: logits + tile * tileSize,
                        part: parts + tile * rows.count * shape.width, head, rowPanels, worker: worker)
                }
            }
            // 4. dx, the tiles' parts added in their order.
            addParts(pass, rows, parts, shape)
        }
    }

    /// One tile of the vocabulary: logits become their gradient, dw += gradientᵀ · x, part = gradient · w.
    private func backpropagate(
        _ pass: HeadGradient, _ rows: HeadRows, _ totals: UnsafeBufferPointer<(largest: Float, sum: Double)>, tile: Int,
        _ shape: HeadShape, logits: UnsafeMutablePointer<Float>, part: UnsafeMutablePointer<Float>, _ head: PackedHead?,
        _ rowPanels: PackedPanels?, worker: Int
    ) {
        let columns = shape.columns(tile)
        let (width, n) = (shape.width, columns.count)
        for i in 0..<rows.count {
            let (place, row) = (rows.place(i), logits + i * n)
            let weight = pass.weights[place]
            kernels.scaled_exponentials(row, n, totals[i].largest, Float(Double(weight) / totals[i].sum))
            let target = Int(pass.targets[place])
            if columns.contains(target) { row[target - columns.lowerBound] -= weight }
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
    let losses: Buffer?
    let dx: Buffer, dw: Buffer, x: Buffer, w: Buffer
    let targets: [Int32]
    let weights: [Float]
}
