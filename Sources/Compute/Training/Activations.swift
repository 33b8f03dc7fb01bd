// What the forward pass of a training step leaves for its backward pass. Allocated once, used again for every batch that fits.

/// Buffers of a forward and backward pass over at most `rows` rows.
struct Activations {
    let rows: Int
    /// One for each block; with recomputation they share all but the block's input.
    let blocks: [BlockMemory]
    /// (N, C): the last block's output, and what its norm saves.
    let last: Buffer
    let lastRoot: Buffer
    let lastMean: Buffer?
    /// (N, C): the head's input, and its gradient.
    let headInput: Buffer
    let dHeadInput: Buffer
    /// (N, C): the gradient of the residual stream.
    let dx: Buffer
    /// (N)
    let losses: Buffer
    let scratch: BlockMemory
    /// (N, C): where a block that is computed again writes what nobody reads; nil without recomputation.
    let unused: Buffer?

    init(_ c: ModelConfiguration, rows N: Int, recompute: Bool) {
        let sizes = c.blockSlots(training: true)
        rows = N
        if recompute {
            let shared = BlockMemory(sizes.filter { $0.slot != .x }, rows: N)
            blocks = (0..<c.layers).map { _ in
                var block = shared
                block[.x] = Buffer(count: N * c.width)
                return block
            }
        } else {
            blocks = (0..<c.layers).map { _ in BlockMemory(sizes, rows: N) }
        }
        last = Buffer(count: N * c.width)
        lastRoot = Buffer(count: N)
        lastMean = c.norm == .layer ? Buffer(count: N) : nil
        headInput = Buffer(count: N * c.width)
        dHeadInput = Buffer(count: N * c.width)
        dx = Buffer(count: N * c.width)
        losses = Buffer(count: N)
        scratch = BlockMemory(c.scratchSlots(training: true), rows: N)
        unused = recompute ? Buffer(count: N * c.width) : nil
    }

    /// The block inputs, and after them the last block's output: where block `layer` writes.
    func output(of layer: Int) -> Buffer {
        layer + 1 < blocks.count ? blocks[layer + 1][.x] : last
    }

    /// float32 values that these buffers hold for one row: what blocks leave, and the rest.
    static func values(_ c: ModelConfiguration, recompute: Bool) -> (blocks: Int, rest: Int) {
        let block = c.blockSlots(training: true).width
        let blocks = recompute ? c.layers * c.width + block - c.width : c.layers * block
        let around = (recompute ? 5 : 4) * c.width + 2 + (c.norm == .layer ? 1 : 0)
        return (blocks, around + c.scratchSlots(training: true).width)
    }
}
