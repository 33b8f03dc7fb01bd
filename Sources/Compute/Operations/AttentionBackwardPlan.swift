// How the backward pass of attention is shared out: by each segment's length and the number of key heads, whatever the threads.

/// Blocks of query rows of one segment and one key head that one task takes in their order.
struct AttentionPart {
    let keyHead: Int
    let blocks: ArraySlice<AttentionBlock>
    /// Keys that the blocks see.
    let keys: Range<Int>
    /// Where the part's own sums begin, dk then dv, each (keys, headWidth); nil if it adds to dk and dv themselves.
    let partial: Int?
}

/// Where a task adds gradients of keys and values: rows of keys from `firstKey` on, `stride` floats apart.
struct KeyGradients {
    let dk: UnsafeMutablePointer<Float>
    let dv: UnsafeMutablePointer<Float>
    let firstKey: Int
    let stride: Int
}

/// The parts of one backward call, and the sums of those that could not add to dk and dv themselves.
///
/// Parts of a segment see the same keys, so all but the last have sums of their own: at most `mostParts` − 1 times the memory of dk and dv
/// of a segment, two thirds of it on average, none for a segment below 2 · `leastRows` rows.
struct AttentionBackwardPlan {
    let shape: AttentionShape
    private(set) var parts: [AttentionPart] = []
    /// Keys whose sums one task adds, and the parts that have some.
    private(set) var sums: [(keys: Range<Int>, parts: [AttentionPart])] = []
    private(set) var partialFloats = 0

    /// Fewest query rows of a part: fewer, and zeroing and adding its sums would cost more than 5 %.
    private static let leastRows = 256
    private static let mostParts = 12
    /// Tasks aimed at for one segment: the key heads times the parts.
    private static let tasks = 48
    private static let keysOfSum = 512

    init(_ shape: AttentionShape) {
        self.shape = shape
        for segment in 0..<shape.segments { append(shape.blocks(segment: segment)) }
    }

    private mutating func append(_ blocks: [AttentionBlock]) {
        guard let first = blocks.first, let last = blocks.last else { return }
        let rows = last.end - first.first
        let wanted = (AttentionBackwardPlan.tasks + shape.keyValueHeads - 1) / shape.keyValueHeads
        let count = max(1, min(wanted, AttentionBackwardPlan.mostParts, rows / AttentionBackwardPlan.leastRows))
        let cuts = AttentionBackwardPlan.cuts(blocks, parts: count)
        for keyHead in 0..<shape.keyValueHeads {
            let own = parts.count
            for (from, to) in zip(cuts, cuts.dropFirst()) {
                let keys = blocks[from].firstKey..<blocks[to - 1].end
                let partial = to == blocks.count ? nil : partialFloats
                if partial != nil { partialFloats += 2 * keys.count * shape.headWidth }
                parts.append(AttentionPart(keyHead: keyHead, blocks: blocks[from..<to], keys: keys, partial: partial))
            }
            let partials = parts[own..<parts.count - 1]
            for key in stride(from: first.firstKey, to: last.end, by: AttentionBackwardPlan.keysOfSum) {
                let keys = key..<min(key + AttentionBackwardPlan.keysOfSum, last.end)
                let overlapping = partials.filter { $0.keys.overlaps(keys) }
                if !overlapping.isEmpty { sums.append((keys, overlapping)) }
            }
        }
    }

    /// Places between blocks that cut their scores into even parts.
    private static func cuts(_ blocks: [AttentionBlock], parts: Int) -> [Int] {
        let total = blocks.reduce(0) { $0 + $1.rows * $1.keys }
        var (cuts, scores) = ([0], 0)
        for (i, block) in blocks.enumerated() {
            scores += block.rows * block.keys
            if cuts.count < parts && scores * parts >= total * cuts.count && i + 1 < blocks.count { cuts.append(i + 1) }
        }
        return cuts + [blocks.count]
    }

    /// Where a part adds.
    func target(_ part: AttentionPart, dk: Buffer, dv: Buffer, partial: UnsafeMutablePointer<Float>) -> KeyGradients {
        let D = shape.headWidth
        guard let start = part.partial else {
            let place = part.keyHead * D
            return KeyGradients(dk: dk.pointer + place, dv: dv.pointer + place, firstKey: 0, stride: shape.keyStride)
        }
        let dk = partial + start
        return KeyGradients(dk: dk, dv: dk + part.keys.count * D, firstKey: part.keys.lowerBound, stride: D)
    }
}
