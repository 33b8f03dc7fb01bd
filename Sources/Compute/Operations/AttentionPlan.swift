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

    /// Query rows of one block. Of 32 to 256, 64 is the fastest or within 4 % of it for segments of 32 to 2,048 rows (compute-bench attention):
    /// larger blocks compute more hidden scores (256: 10 % slower at 512 rows), smaller ones pack the keys more often.
    static let blockRows = 64

    /// Blocks of query rows of all segments.
    var blocks: [AttentionBlock] {
        var blocks: [AttentionBlock] = []
        for segment in 0..<segments {
            var first = splits[segment]
            while first < splits[segment + 1] {
                let end = min(first + AttentionShape.blockRows, splits[segment + 1])
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
    /// Keys that the block's row `i` sees: itself and all before.
    func visible(_ i: Int) -> Int { first - segment + i + 1 }
}
