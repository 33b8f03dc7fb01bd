// What the forward pass of a training step leaves for its backward pass. Allocated once, used again for every batch that fits.

/// Buffers of a forward and backward pass over at most `rows` rows.
struct Activations {
    let rows: Int
    let layers: [LayerBuffers]
    /// (N, C): the last block's output, and 1/rms of its rows (N).
    let last: Buffer
    let lastRoot: Buffer
    /// (N, C): the head's input, and its gradient.
    let headInput: Buffer
    let dHeadInput: Buffer
    /// (N, C): the gradient of the residual stream.
    let dx: Buffer
    /// (N)
    let losses: Buffer
    let scratch: BackwardScratch

    init(_ c: LlamaConfiguration, rows N: Int) {
        let (C, Q, K, F) = (c.width, c.queryWidth, c.keyWidth, c.hiddenWidth)
        rows = N
        layers = (0..<c.layers).map { _ in
            LayerBuffers(
                x: Buffer(count: N * C), q: Buffer(count: N * Q), k: Buffer(count: N * K), v: Buffer(count: N * K),
                o: Buffer(count: N * Q), middle: Buffer(count: N * C), gate: Buffer(count: N * F), up: Buffer(count: N * F),
                attentionRoot: Buffer(count: N), feedForwardRoot: Buffer(count: N), logSumExp: Buffer(count: N * c.heads))
        }
        last = Buffer(count: N * C)
        lastRoot = Buffer(count: N)
        headInput = Buffer(count: N * C)
        dHeadInput = Buffer(count: N * C)
        dx = Buffer(count: N * C)
        losses = Buffer(count: N)
        scratch = BackwardScratch(
            normed: Buffer(count: N * C), dNormed: Buffer(count: N * C), dO: Buffer(count: N * Q), dQ: Buffer(count: N * Q),
            dK: Buffer(count: N * K), dV: Buffer(count: N * K), h: Buffer(count: N * F), dGate: Buffer(count: N * F),
            dUp: Buffer(count: N * F))
    }

    /// The block inputs, and after them the last block's output: where block `layer` writes.
    func output(of layer: Int) -> Buffer {
        layer + 1 < layers.count ? layers[layer + 1].x : last
    }

    /// float32 values that these buffers hold for one row.
    static func values(_ c: LlamaConfiguration) -> Int {
        let (C, Q, K, F) = (c.width, c.queryWidth, c.keyWidth, c.hiddenWidth)
        let layer = 2 * C + 2 * Q + 2 * K + 2 * F + 2 + c.heads
        let scratch = 2 * C + 2 * Q + 2 * K + 3 * F
        return c.layers * layer + 4 * C + 2 + scratch
    }
}
