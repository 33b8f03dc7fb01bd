// The language-model head with more than the target's probability: the largest, draws, statistics, in the same blocked pass.
import Glibc

extension CPUOperations {
    public func headDistributions(
        losses: Buffer, x: Buffer, w: Weight, targets: [Int32], keys: [UInt64], rows: Int, width: Int, vocabulary: Int,
        request: DistributionRequest
    ) -> Distributions {
        let lists = HeadLists(targets: targets)
        requireHead(x: x, w: w, lists: lists, rows: rows, width: width, vocabulary: vocabulary)
        require(losses, rows, "losses")
        precondition(request.draws == 0 || keys.count >= rows, "bug: \(keys.count) keys for \(rows) rows")
        for i in 0..<rows { losses.pointer[i] = .nan }
        let places = lists.places(rows)
        let shape = HeadShape(width: width, vocabulary: vocabulary)
        let head = packHead(w, shape, forGradients: false)
        var result = Distributions()
        for start in stride(from: 0, to: places.count, by: HeadShape.lossRegionRows) {
            let rows = gather(x, places[start..<min(start + HeadShape.lossRegionRows, places.count)], lists, shape)
            let rowKeys = request.draws > 0 ? rows.places.map { keys[$0] } : []
            distributions(of: rows, w: w, head, keys: rowKeys, shape, request, losses: losses, into: &result)
        }
        return result
    }

    /// Tasks are parts of the rows, each of which takes the tiles in their order.
    private func distributions(
        of rows: HeadRows, w: Weight, _ head: PackedHead?, keys: [UInt64], _ shape: HeadShape,
        _ request: DistributionRequest, losses: Buffer, into result: inout Distributions
    ) {
        let statistics = TileStatistics(rows: rows.count, tiles: shape.tiles)
        let top = request.top.map { TopSelection(rows: rows.count, count: min($0.count, shape.vocabulary)) }
        let draws = request.draws > 0 ? TiledDraws(keys: keys[...], draws: request.draws) : nil
        let sums = Buffer64(count: request.statistics ? rows.count * shape.tiles * 4 : 0)
        let parts = (rows.count + HeadShape.distributionRows - 1) / HeadShape.distributionRows
        let tileValues = if case .stored = w, head == nil { shape.tileColumns * shape.width } else { 0 }
        pool.run(parts) { part, worker in
            let first = part * HeadShape.distributionRows
            let range = first..<min(first + HeadShape.distributionRows, rows.count)
            let size = max(range.count, shape.leastRows) * shape.tileColumns
            let logits = scratch.take(size + tileValues + shape.tileColumns, worker: worker)
            let indices = UnsafeMutableRawPointer(logits + size + tileValues).assumingMemoryBound(to: UInt32.self)
            for tile in 0..<shape.tiles {
                score(rows, range, tile: tile, w: w, head, shape, logits: logits, weight: logits + size, statistics)
                let columns = shape.columns(tile)
                for i in range {
                    let row = logits + (i - range.lowerBound) * columns.count
                    let place = i * shape.tiles + tile
                    let (largest, sum) = (statistics.largest[place], statistics.sums[place])
                    if let top, largest > top.limit(i) {
                        let found = kernels.above(indices, row, columns.count, top.limit(i))
                        top.add(i, UnsafeBufferPointer(start: indices, count: found), of: row, first: columns.lowerBound)
                    }
                    if request.statistics {
                        kernels.distribution_sums(sums.pointer + 4 * place, row, columns.count, largest, Float(1 / request.temperature))
                    }
                    // Last: it takes the logits' place.
                    draws?.add(i, tile: tile, columns: columns, largest: largest, sum: sum) {
                        kernels.scaled_exponentials(row, columns.count, largest, 1)
                        return UnsafePointer(row)
                    }
                }
            }
        }
        for i in 0..<rows.count {
            let (peak, sum) = statistics.total(i)
            let logSumExp = logSumExpDouble(peak, sum)
            losses.pointer[rows.place(i)] = Float(logSumExp - Double(rows.logits[i]))
            if let top, let wanted = request.top { result.appendTop(top, row: i, logSumExp: logSumExp, mass: wanted.mass) }
            draws?.append(i, to: &result.sampled)
            if request.statistics {
                result.appendStatistics(
                    tiles: (0..<shape.tiles).map { tile in
                        let place = i * shape.tiles + tile
                        return (statistics.largest[place], statistics.sums[place], UnsafePointer(sums.pointer + 4 * place))
                    }, peak: peak, sum: sum, temperature: request.temperature, vocabulary: shape.vocabulary)
            }
        }
    }
}

extension Distributions {
    /// The smallest set of the largest whose mass reaches `mass`; the selection holds no more than are wanted.
    fileprivate mutating func appendTop(_ selection: TopSelection, row: Int, logSumExp: Double, mass: Double) {
        var kept = 0.0
        selection.each(row) { id, logit in
            let logProb = Double(logit) - logSumExp
            top.append(id: id, value: Float(logProb))
            kept += exp(logProb)
            return mass == 1 || kept < mass
        }
        top.endRow()
        keptMasses.append(Float(kept))
    }

    /// With S = Σ e^(z − peak): entropy = ln S − Σ (z − peak) e^(z − peak) / S; Σ p^(1/τ) = Σ e^((z − peak)/τ) / S^(1/τ).
    fileprivate mutating func appendStatistics(
        tiles: [(largest: Float, sum: Double, sums: UnsafePointer<Double>)], peak: Float, sum: Double, temperature: Double, vocabulary: Int
    ) {
        var (energy, power, first, second) = (0.0, 0.0, 0.0, 0.0)
        for tile in tiles {
            let shift = Double(tile.largest) - Double(peak)
            energy += exp(shift) * (tile.sums[0] + shift * tile.sum)
            power += exp(shift / temperature) * tile.sums[1]
            first += tile.sums[2]
            second += tile.sums[3]
        }
        let mean = first / Double(vocabulary)
        entropies.append(Float(max(0, log(sum) - energy / sum)))
        logitDeviations.append(Float(max(0, second / Double(vocabulary) - mean * mean).squareRoot()))
        powerSums.append(Float(power / pow(sum, 1 / temperature)))
    }
}

/// Doubles that tasks write side by side.
private final class Buffer64: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<Double>
    init(count: Int) { pointer = .allocate(capacity: count) }
    deinit { pointer.deallocate() }
}
