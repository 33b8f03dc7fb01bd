// The gradient of the selective scan: a task is a tile of channels in all segments; states are computed again in blocks of rows.
import CKernels

/// How a scan is cut: by its shape alone.
struct ScanShape {
    let channels: Int
    let states: Int
    let splits: [Int]

    /// Channels of one vector.
    static let group = 16
    /// Rows whose states exist at one time: with their decays and the lanes of db and dc 128 KiB for 16 states, in the second-level cache.
    static let blockRows = 32

    /// Channels of one task: the sums over channels, db and dc, are finished once for each. 16 to 64, about 24 tasks where there are as many.
    var tile: Int { min(64, max(1, channels / 24 / ScanShape.group) * ScanShape.group) }
    var tiles: Int { (channels + tile - 1) / tile }
    /// Floats of the states of a group.
    var size: Int { states * ScanShape.group }
    var rows: Int { splits[splits.count - 1] }

    func blocks(_ segment: Range<Int>) -> Int { (segment.count + ScanShape.blockRows - 1) / ScanShape.blockRows }
    var mostBlocks: Int { zip(splits, splits.dropFirst()).map { blocks($0..<$1) }.max() ?? 0 }
}

/// Memory of one task.
private struct ScanScratch {
    /// (blocks, groups, states, 16): states before each block.
    let checkpoints: UnsafeMutablePointer<Float>
    /// (groups, states, 16).
    let carry: UnsafeMutablePointer<Float>
    /// (block rows, states, 16) each.
    let dbLanes: UnsafeMutablePointer<Float>
    let dcLanes: UnsafeMutablePointer<Float>
    let work: UnsafeMutablePointer<Float>
    /// (groups, states, 16) and (groups, 16), in Double.
    let da: UnsafeMutablePointer<Double>
    let dd: UnsafeMutablePointer<Double>

    static func floats(_ shape: ScanShape) -> Int {
        let (groups, rows) = (shape.tile / ScanShape.group, ScanShape.blockRows)
        return shape.size * (groups * (shape.mostBlocks + 3) + 2 * rows + 2 * rows + 2) + 2 * shape.tile
    }

    init(_ memory: UnsafeMutablePointer<Float>, _ shape: ScanShape) {
        let (groups, rows, size) = (shape.tile / ScanShape.group, ScanShape.blockRows, shape.size)
        // Doubles first: the memory is aligned for them.
        let doubles = groups * size + shape.tile
        da = UnsafeMutableRawPointer(memory).assumingMemoryBound(to: Double.self)
        dd = da + groups * size
        checkpoints = memory + 2 * doubles
        carry = checkpoints + shape.mostBlocks * groups * size
        dbLanes = carry + groups * size
        dcLanes = dbLanes + rows * size
        work = dcLanes + rows * size
        for i in 0..<doubles { da[i] = 0 }
    }
}

/// The buffers of one backward call.
private struct ScanGradient {
    let shape: ScanShape
    let dx: Buffer, ddelta: Buffer
    let dy: Buffer, x: Buffer, delta: Buffer
    let a: UnsafeMutablePointer<Float>
    let b: Buffer, c: Buffer, d: Buffer
    /// (tiles, rows, states) each: sums over a tile's channels.
    let db: UnsafeMutablePointer<Float>
    let dc: UnsafeMutablePointer<Float>
}

extension CPUOperations {
    public func selectiveScanBackward(
        dx: Buffer, ddelta: Buffer, da: Buffer, db: Buffer, dc: Buffer, dd: Buffer, dy: Buffer, x: Buffer, delta: Buffer, a: Buffer,
        b: Buffer, c: Buffer, d: Buffer, splits: [Int], channels: Int, states: Int
    ) {
        let rows = rowsOfSegments(splits)
        for (buffer, name) in [(dx, "dx"), (ddelta, "ddelta"), (dy, "dy"), (x, "x"), (delta, "delta")] as [(Buffer, StaticString)] {
            require(buffer, rows * channels, name)
        }
        for (buffer, name) in [(db, "db"), (dc, "dc"), (b, "b"), (c, "c")] as [(Buffer, StaticString)] {
            require(buffer, rows * states, name)
        }
        require(da, channels * states, "da")
        require(a, channels * states, "a")
        require(dd, channels, "dd")
        require(d, channels, "d")
        let shape = ScanShape(channels: channels, states: states, splits: splits)
        let sums = tileMemory.take(2 * shape.tiles * rows * states)
        let gradient = ScanGradient(
            shape: shape, dx: dx, ddelta: ddelta, dy: dy, x: x, delta: delta, a: packedStates(a, channels: channels, states: states), b: b,
            c: c, d: d, db: sums, dc: sums + shape.tiles * rows * states)
        // 1. Every tile of channels.
        pool.run(shape.tiles) { tile, worker in
            let memory = ScanScratch(scratch.take(ScanScratch.floats(shape), worker: worker), shape)
            for (start, end) in zip(splits, splits.dropFirst()) { backpropagate(gradient, tile, start..<end, memory) }
            for channel in tile * shape.tile..<min((tile + 1) * shape.tile, channels) {
                let i = channel - tile * shape.tile
                let (group, lane) = (i / ScanShape.group, i % ScanShape.group)
                for j in 0..<states {
                    let place = da.pointer + channel * states + j
                    place.pointee = Float(Double(place.pointee) + memory.da[group * shape.size + j * ScanShape.group + lane])
                }
                dd.pointer[channel] = Float(Double(dd.pointer[channel]) + memory.dd[i])
            }
        }
        // 2. Sums over the tiles, in their order.
        eachChunk(rows * states) { i, n in
            kernels.add_columns(db.pointer + i, gradient.db + i, shape.tiles, rows * states, n)
            kernels.add_columns(dc.pointer + i, gradient.dc + i, shape.tiles, rows * states, n)
        }
    }

    /// One tile of channels in one segment.
    private func backpropagate(_ g: ScanGradient, _ tile: Int, _ segment: Range<Int>, _ memory: ScanScratch) {
        let (shape, size, states) = (g.shape, g.shape.size, g.shape.states)
        let first = tile * shape.tile
        let groups = (min(shape.tile, shape.channels - first) + ScanShape.group - 1) / ScanShape.group
        let blocks = shape.blocks(segment)
        func rows(_ block: Int) -> Range<Int> {
            let start = segment.lowerBound + block * ScanShape.blockRows
            return start..<min(start + ScanShape.blockRows, segment.upperBound)
        }
        func checkpoint(_ block: Int, _ group: Int) -> UnsafeMutablePointer<Float> { memory.checkpoints + (block * groups + group) * size }
        // 1. The states before each block.
        for group in 0..<groups where blocks > 0 {
            let channel = first + group * ScanShape.group
            checkpoint(0, group).update(repeating: 0, count: size)
            for block in 0..<blocks - 1 {
                let start = rows(block).lowerBound
                let state = checkpoint(block + 1, group)
                state.update(from: checkpoint(block, group), count: size)
                kernels.scan_forward(
                    nil, state, g.x.pointer + start * shape.channels + channel, g.delta.pointer + start * shape.channels + channel,
                    g.a + channel / ScanShape.group * size, g.b.pointer + start * states, g.c.pointer + start * states,
                    g.d.pointer + channel, rows(block).count, shape.channels, states, min(ScanShape.group, shape.channels - channel))
            }
        }
        // 2. Blocks from the last to the first; a block's sums over channels end in the tile's own rows.
        memory.carry.update(repeating: 0, count: groups * size)
        for block in (0..<blocks).reversed() {
            let range = rows(block)
            memory.dbLanes.update(repeating: 0, count: range.count * size)
            memory.dcLanes.update(repeating: 0, count: range.count * size)
            for group in 0..<groups {
                let channel = first + group * ScanShape.group
                let place = range.lowerBound * shape.channels + channel
                var scan = preceptor_scan(
                    dx: g.dx.pointer + place, ddelta: g.ddelta.pointer + place, da: memory.da + group * size,
                    dd: memory.dd + group * ScanShape.group, db: memory.dbLanes, dc: memory.dcLanes, carry: memory.carry + group * size,
                    dy: g.dy.pointer + place, x: g.x.pointer + place, delta: g.delta.pointer + place,
                    a: g.a + channel / ScanShape.group * size, b: g.b.pointer + range.lowerBound * states,
                    c: g.c.pointer + range.lowerBound * states, d: g.d.pointer + channel, state: checkpoint(block, group), work: memory.work
                )
                kernels.scan_backward(&scan, range.count, shape.channels, states, min(ScanShape.group, shape.channels - channel))
            }
            let place = (tile * shape.rows + range.lowerBound) * states
            kernels.sum_lanes(g.db + place, memory.dbLanes, range.count * states)
            kernels.sum_lanes(g.dc + place, memory.dcLanes, range.count * states)
        }
    }
}
