// The language-model head with cross-entropy, fused and blocked: losses alone.

/// Shared memory of the head, kept between calls.
struct HeadMemory {
    var x = GrowingBuffer()
    var logits = GrowingBuffer()
    var gradients = GrowingBuffer()
    // For products in bfloat16: the weight in both forms, the rows in both forms.
    var weight = GrowingBuffer()
    var weightTiles = GrowingBuffer()
    var rows = GrowingBuffer()
    var rowPanels = GrowingBuffer()
}

/// The head's weight for products in bfloat16.
struct PackedHead {
    let products: BFloat16Products
    /// For logits: (width, vocabulary).
    let panels: PackedPanels
    /// For the gradient of x: each tile of the vocabulary as (columns, width); nil for losses alone.
    let tiles: UnsafeMutablePointer<UInt16>?
    let shape: HeadShape

    /// Values of a tile.
    static func tileCount(_ shape: HeadShape) -> Int { PackedPanels.count(k: shape.tileColumns, n: shape.width) }

    func tile(_ i: Int) -> UnsafeMutablePointer<UInt16> {
        guard let tiles else { preconditionFailure("bug: the head's weight is packed for losses alone") }
        return tiles + i * Self.tileCount(shape)
    }
}

extension CPUOperations {
    public func headForward(losses: Buffer, x: Buffer, w: Weight, targets: [Int32], rows: Int, width: Int, vocabulary: Int) {
        requireHead(x: x, w: w, targets: targets, rows: rows, width: width, vocabulary: vocabulary)
        require(losses, rows, "losses")
        for i in 0..<rows { losses.pointer[i] = .nan }
        let places = (0..<rows).filter { targets[$0] >= 0 }
        headLosses(losses: losses, x: x, w: w, targets: targets, places: places, shape: HeadShape(width: width, vocabulary: vocabulary))
    }

    func requireHead(x: Buffer, w: Weight, targets: [Int32], rows: Int, width: Int, vocabulary: Int) {
        require(x, rows * width, "x")
        require(w, vocabulary * width, "w")
        precondition(targets.count >= rows, "bug: \(targets.count) targets for \(rows) rows")
        for i in 0..<rows { precondition(Int(targets[i]) < vocabulary, "bug: target \(targets[i]) of \(vocabulary)") }
    }

    /// Losses of the rows at `places`. Tasks are pairs of 512 rows and a tile of the vocabulary, each with its own logits.
    func headLosses(losses: Buffer, x: Buffer, w: Weight, targets: [Int32], places: [Int], shape: HeadShape) {
        guard !places.isEmpty else { return }
        let statistics = TileStatistics(rows: min(places.count, HeadShape.lossRegionRows), tiles: shape.tiles)
        let head = packHead(w, shape, forGradients: false)
        // A tile of a stored weight is converted beside the logits.
        let tileValues = if case .stored = w, head == nil { shape.tileColumns * shape.width } else { 0 }
        for start in stride(from: 0, to: places.count, by: HeadShape.lossRegionRows) {
            let rows = gather(x, places[start..<min(start + HeadShape.lossRegionRows, places.count)], shape)
            let parts = (rows.count + HeadShape.lossRows - 1) / HeadShape.lossRows
            targets.withUnsafeBufferPointer { targets in
                pool.run(parts * shape.tiles) { task, worker in
                    let first = task / shape.tiles * HeadShape.lossRows
                    let range = first..<min(first + HeadShape.lossRows, rows.count)
                    let size = max(range.count, shape.leastRows) * shape.tileColumns
                    let logits = scratch.take(size + tileValues, worker: worker)
                    score(rows, range, tile: task % shape.tiles, w: w, head, targets: targets, shape, logits: logits, weight: logits + size, statistics)
                }
            }
            for i in 0..<rows.count { losses.pointer[rows.place(i)] = Float(statistics.loss(i)) }
        }
    }

    /// Copies rows of `x` together, with room for the zeros that a small product needs behind any part of them.
    func gather(_ x: Buffer, _ places: ArraySlice<Int>, _ shape: HeadShape) -> HeadRows {
        let width = shape.width
        let padded = places.count + shape.leastRows
        let gathered = headMemory.x.take(padded * width)
        eachRows(places.count, width: width) { first, end in
            for i in first..<end {
                (gathered + i * width).update(from: x.pointer + places[places.startIndex + i] * width, count: width)
            }
        }
        (gathered + places.count * width).update(repeating: 0, count: shape.leastRows * width)
        return HeadRows(places: places, x: gathered, padded: padded, packed: packRows(gathered, places.count, width))
    }

    private func packRows(_ x: UnsafePointer<Float>, _ rows: Int, _ width: Int) -> PackedRows? {
        guard let loops = products?.loops else { return nil }
        let source = LeftOperand.rows(x, stride: width)
        let packed = PackedRows(memory: headMemory.rows.values(PackedRows.count(m: rows, k: width, source, loops)), source, rows: rows, k: width)
        pool.run(packed.tasks(loops)) { task, _ in packed.pack(task, source, loops) }
        return packed
    }

    /// The weight in the forms that products in bfloat16 read, once for all rows; nil in float32.
    func packHead(_ w: Weight, _ shape: HeadShape, forGradients: Bool) -> PackedHead? {
        guard let products else { return nil }
        let (loops, width) = (products.loops, shape.width)
        let panels = PackedPanels(memory: headMemory.weight.values(PackedPanels.count(k: width, n: shape.vocabulary)), k: width)
        let tiles = forGradients ? headMemory.weightTiles.values(PackedHead.tileCount(shape) * shape.tiles) : nil
        let head = PackedHead(products: products, panels: panels, tiles: tiles, shape: shape)
        let panelTasks = (shape.vocabulary + PackedPanels.taskColumns - 1) / PackedPanels.taskColumns
        let source = RightOperand(w, stride: width)
        pool.run(panelTasks + (forGradients ? shape.tiles : 0)) { task, worker in
            if task < panelTasks { return panels.pack(task, source, n: shape.vocabulary, loops, scratch, worker: worker) }
            let columns = shape.columns(task - panelTasks)
            loops.panels(head.tile(task - panelTasks), w.buffer.pointer + columns.lowerBound * width, width, columns.count, width)
        }
        return head
    }

    /// Logits of the rows `range` in one tile of the vocabulary, and what the tile says of them.
    ///
    /// `logits`: (max(range.count, leastRows), columns of the tile); the rows of zeros behind the range are computed and not used.
    /// `weight`: room for the tile's values where `w` is stored and products are in float32.
    func score(
        _ rows: HeadRows, _ range: Range<Int>, tile: Int, w: Weight, _ head: PackedHead?, targets: UnsafeBufferPointer<Int32>, _ shape: HeadShape,
        logits: UnsafeMutablePointer<Float>, weight: UnsafeMutablePointer<Float>, _ statistics: TileStatistics
    ) {
        let columns = shape.columns(tile)
        let (width, n) = (shape.width, columns.count)
        if let head, let packed = rows.packed {
            let (a, stride) = packed.rows(from: range.lowerBound, head.products.loops)
            head.products.loops.multiply(
                logits, n, a, stride, head.panels.columns(from: columns.lowerBound), head.panels.stride, range.count, n, width, false)
        } else {
            if case .stored(let matrix) = w { matrix.read(columns, into: weight) }
            let b = if case .values(let buffer) = w { buffer.pointer + columns.lowerBound * width } else { weight }
            OpenBLAS.sgemm(
                transposeB: true, m: max(range.count, shape.leastRows), n: n, k: width,
                a: rows.x + range.lowerBound * width, lda: width, b: b, ldb: width,
                beta: 0, c: logits, ldc: n)
        }
        for i in range {
            let row = logits + (i - range.lowerBound) * n
            let largest = kernels.maximum(row, n)
            statistics.largest[i * shape.tiles + tile] = largest
            statistics.sums[i * shape.tiles + tile] = kernels.sum_exponentials(row, n, largest)
            let target = Int(targets[rows.place(i)])
            if columns.contains(target) { statistics.target[i] = row[target - columns.lowerBound] }
        }
    }
}
