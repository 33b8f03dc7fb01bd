// Shapes of grouped-query attention, and how its segments are cut into blocks of query rows.

/// The sizes of one attention call, checked.
struct AttentionShape {
    let heads: Int
    let keyValueHeads: Int
    let headWidth: Int
    let splits: [Int]

    init(splits: [Int], heads: Int, keyValueHeads: Int, headWidth: Int) {
        precondition(keyValueHeads > 0 && heads % keyValueHeads == 0, "bug: \(heads) heads over \(keyValueHeads) key heads")
        precondition(headWidth > 0, "bug: head width \(headWidth)")
        precondition(splits.first == 0, "bug: splits do not start at 0")
        for i in 1..<max(splits.count, 1) { precondition(splits[i - 1] <= splits[i], "bug: splits fall") }
        self.splits = splits
        self.heads = heads
        self.keyValueHeads = keyValueHeads
        self.headWidth = headWidth
    }

    var rows: Int { splits[splits.count - 1] }
    var segments: Int { splits.count - 1 }
    /// Floats from one row of q or o, and of k or v, to the next.
    var queryStride: Int { heads * headWidth }
    var keyStride: Int { keyValueHeads * headWidth }
    var scale: Float { Float(1 / Double(headWidth).squareRoot()) }

    /// Query heads that read one key head; their rows are stacked, so that OpenBLAS packs the keys once for all.
    var group: Int { heads / keyValueHeads }
    /// Query rows of one block: about 96 in a stack. Of 32 to 384, the fastest or within 4 % of it (compute-bench attention, groups of 1 and 3,
    /// segments of 32 to 2,048 rows): higher stacks compute more hidden scores, lower ones pack the keys more often.
    var blockRows: Int { max(16, 96 / group) }

    /// Blocks of query rows of all segments.
    var blocks: [AttentionBlock] {
        var blocks: [AttentionBlock] = []
        let step = blockRows
        for segment in 0..<segments {
            var first = splits[segment]
            while first < splits[segment + 1] {
                let end = min(first + step, splits[segment + 1])
                blocks.append(AttentionBlock(segment: splits[segment], first: first, end: end))
                first = end
            }
        }
        return blocks
    }
}

/// Query rows [first, end) of the segment that starts at row `segment`.
struct AttentionBlock {
    let segment: Int
    let first: Int
    let end: Int

    var rows: Int { end - first }
    /// Keys that the block's last row sees.
    var keys: Int { end - segment }
    /// Floats from one row of scores to the next: whole vectors.
    var stride: Int { (keys + 15) / 16 * 16 }
    /// Keys that row `i` of the stack sees: itself and all before.
    func visible(_ i: Int) -> Int { first - segment + i % rows + 1 }
}

/// The rows of a block in all heads that share a key head, one head after the other: row i of the stack is row i % block.rows of
/// head i / block.rows of the group.
struct QueryStack {
    let shape: AttentionShape
    let block: AttentionBlock
    let keyHead: Int

    var rows: Int { shape.group * block.rows }
    /// Where the segment's first key of the key head lies in k and v.
    var keyOffset: Int { block.segment * shape.keyStride + keyHead * shape.headWidth }
    /// Where row `i` lies in the log-sum-exps: (rows, heads).
    func statistic(_ i: Int) -> Int { (block.first + i % block.rows) * shape.heads + keyHead * shape.group + i / block.rows }
    /// Where row `i` lies in q and o.
    func offset(_ i: Int) -> Int { statistic(i) * shape.headWidth }

    /// Copies the rows from q's layout, one behind the other.
    func gather(_ source: Buffer, into stacked: UnsafeMutablePointer<Float>) {
        let D = shape.headWidth
        for i in 0..<rows { (stacked + i * D).update(from: source.pointer + offset(i), count: D) }
    }
}
