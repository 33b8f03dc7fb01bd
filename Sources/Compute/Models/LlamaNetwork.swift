// One block of a Llama model, forward and backward, over buffers that its caller owns.

/// What the forward pass of one block reads and writes, and, in training, leaves for the backward pass.
///
/// N rows; C width, Q = heads · headWidth, K = keyValueHeads · headWidth, F hidden width.
struct LayerBuffers {
    /// (N, C): the block's input.
    let x: Buffer
    /// (N, Q), (N, K), (N, K): after the rotation.
    let q: Buffer
    let k: Buffer
    let v: Buffer
    /// (N, Q): what attention gives.
    let o: Buffer
    /// (N, C): the residual stream between attention and feed-forward.
    let middle: Buffer
    /// (N, F) each.
    let gate: Buffer
    let up: Buffer
    /// What only the backward pass needs: (N) each, and (N, heads).
    let attentionRoot: Buffer?
    let feedForwardRoot: Buffer?
    let logSumExp: Buffer?
}

/// Memory of one block that the next one uses again in the backward pass.
struct BackwardScratch {
    /// (N, C): a norm's output, computed again.
    let normed: Buffer
    /// (N, C): its gradient.
    let dNormed: Buffer
    let dO: Buffer
    let dQ: Buffer
    let dK: Buffer
    let dV: Buffer
    /// (N, F): the gated product computed again, then its gradient.
    let h: Buffer
    let dGate: Buffer
    let dUp: Buffer
}

/// A model's arithmetic on one set of operations.
struct LlamaNetwork {
    let configuration: LlamaConfiguration
    let weights: LlamaTensors
    let operations: any Operations

    init(_ model: LlamaModel, _ operations: any Operations) {
        configuration = model.configuration
        weights = model.tensors
        self.operations = operations
    }

    /// x_next = m + W_down (silu(W_gate n(m)) ⊙ W_up n(m)),  m = x + W_o attention(W_q n(x), W_k n(x), W_v n(x)),  n = RMS norm.
    ///
    /// - normed: (N, C) scratch. h: (N, F), may be `b.gate` when no backward pass follows. next: (N, C), may be `b.x`, then too.
    func blockForward(
        _ layer: Int, next: Buffer, _ b: LayerBuffers, normed: Buffer, h: Buffer, tokens: PackedTokens, table: Buffer
    ) {
        let (c, w, N) = (configuration, weights.layers[layer], tokens.count)
        // 1. Attention.
        operations.rmsNormForward(
            y: normed, r: b.attentionRoot, x: b.x, g: w.attentionNorm, rows: N, width: c.width, epsilon: c.normEpsilon)
        operations.linearForward(y: b.q, x: normed, w: w.query, rows: N, inputs: c.width, outputs: c.queryWidth)
        operations.linearForward(y: b.k, x: normed, w: w.key, rows: N, inputs: c.width, outputs: c.keyWidth)
        operations.linearForward(y: b.v, x: normed, w: w.value, rows: N, inputs: c.width, outputs: c.keyWidth)
        operations.rotaryForward(x: b.q, positions: tokens.positions, table: table, rows: N, heads: c.heads, layout: c.rotary.layout)
        operations.rotaryForward(x: b.k, positions: tokens.positions, table: table, rows: N, heads: c.keyValueHeads, layout: c.rotary.layout)
        operations.attentionForward(
            o: b.o, lse: b.logSumExp, q: b.q, k: b.k, v: b.v, splits: tokens.splits, heads: c.heads, keyValueHeads: c.keyValueHeads,
            headWidth: c.headWidth)
        operations.linearForward(y: b.middle, x: b.o, w: w.output, rows: N, inputs: c.queryWidth, outputs: c.width)
        operations.add(y: b.middle, x: b.x, count: N * c.width)
        // 2. Feed-forward.
        operations.rmsNormForward(
            y: normed, r: b.feedForwardRoot, x: b.middle, g: w.feedForwardNorm, rows: N, width: c.width, epsilon: c.normEpsilon)
        operations.linearForward(y: b.gate, x: normed, w: w.gate, rows: N, inputs: c.width, outputs: c.hiddenWidth)
        operations.linearForward(y: b.up, x: normed, w: w.up, rows: N, inputs: c.width, outputs: c.hiddenWidth)
        operations.gatedForward(h: h, gate: b.gate, up: b.up, count: N * c.hiddenWidth, activation: .silu)
        operations.linearForward(y: next, x: h, w: w.down, rows: N, inputs: c.hiddenWidth, outputs: c.width)
        operations.add(y: next, x: b.middle, count: N * c.width)
    }

    /// Turns `dx`, the gradient of the block's output, into that of its input, and adds the weights' gradients to `gradients`.
    ///
    /// The norms' outputs and the gated product are computed again: they would take 2C + F values a token and layer.
    func blockBackward(
        _ layer: Int, dx: Buffer, gradients: LlamaTensors, _ b: LayerBuffers, _ s: BackwardScratch, tokens: PackedTokens, table: Buffer
    ) {
        feedForwardBackward(weights.layers[layer], gradients.layers[layer], dx: dx, b, s, rows: tokens.count)
        attentionBackward(weights.layers[layer], gradients.layers[layer], dx: dx, b, s, tokens: tokens, table: table)
    }

    /// x_next = m + W_down h,  h = silu(gate) ⊙ up,  gate = W_gate n(m),  up = W_up n(m).
    private func feedForwardBackward(_ w: LlamaLayer, _ d: LlamaLayer, dx: Buffer, _ b: LayerBuffers, _ s: BackwardScratch, rows N: Int) {
        let (C, F) = (configuration.width, configuration.hiddenWidth)
        operations.gatedForward(h: s.h, gate: b.gate, up: b.up, count: N * F, activation: .silu)
        operations.linearBackwardWeight(dw: d.down, dy: dx, x: s.h, rows: N, inputs: F, outputs: C)
        // From here on s.h holds its gradient.
        operations.zero(s.h, count: N * F)
        operations.linearBackwardInput(dx: s.h, dy: dx, w: w.down, rows: N, inputs: F, outputs: C)
        operations.zero(s.dGate, count: N * F)
        operations.zero(s.dUp, count: N * F)
        operations.gatedBackward(dgate: s.dGate, dup: s.dUp, dh: s.h, gate: b.gate, up: b.up, count: N * F, activation: .silu)
        operations.rmsNormForward(
            y: s.normed, r: nil, x: b.middle, g: w.feedForwardNorm, rows: N, width: C, epsilon: configuration.normEpsilon)
        operations.zero(s.dNormed, count: N * C)
        for (weight, dWeight, dY) in [(w.gate, d.gate, s.dGate), (w.up, d.up, s.dUp)] {
            operations.linearBackwardWeight(dw: dWeight, dy: dY, x: s.normed, rows: N, inputs: C, outputs: F)
            operations.linearBackwardInput(dx: s.dNormed, dy: dY, w: weight, rows: N, inputs: C, outputs: F)
        }
        operations.rmsNormBackward(
            dx: dx, dg: d.feedForwardNorm, dy: s.dNormed, x: b.middle, g: w.feedForwardNorm, r: saved(b.feedForwardRoot), rows: N, width: C)
    }

    /// m = x + W_o o,  o = attention(R q, R k, v),  q = W_q n(x),  k = W_k n(x),  v = W_v n(x),  R the rotation.
    private func attentionBackward(
        _ w: LlamaLayer, _ d: LlamaLayer, dx: Buffer, _ b: LayerBuffers, _ s: BackwardScratch, tokens: PackedTokens, table: Buffer
    ) {
        let (c, N) = (configuration, tokens.count)
        operations.linearBackwardWeight(dw: d.output, dy: dx, x: b.o, rows: N, inputs: c.queryWidth, outputs: c.width)
        for (buffer, width) in [(s.dO, c.queryWidth), (s.dQ, c.queryWidth), (s.dK, c.keyWidth), (s.dV, c.keyWidth), (s.dNormed, c.width)] {
            operations.zero(buffer, count: N * width)
        }
        operations.linearBackwardInput(dx: s.dO, dy: dx, w: w.output, rows: N, inputs: c.queryWidth, outputs: c.width)
        operations.attentionBackward(
            dq: s.dQ, dk: s.dK, dv: s.dV, do: s.dO, o: b.o, lse: saved(b.logSumExp), q: b.q, k: b.k, v: b.v, splits: tokens.splits,
            heads: c.heads, keyValueHeads: c.keyValueHeads, headWidth: c.headWidth)
        operations.rotaryBackward(dx: s.dQ, positions: tokens.positions, table: table, rows: N, heads: c.heads, layout: c.rotary.layout)
        operations.rotaryBackward(
            dx: s.dK, positions: tokens.positions, table: table, rows: N, heads: c.keyValueHeads, layout: c.rotary.layout)
        operations.rmsNormForward(y: s.normed, r: nil, x: b.x, g: w.attentionNorm, rows: N, width: c.width, epsilon: c.normEpsilon)
        for (weight, dWeight, dY, width) in [
            (w.query, d.query, s.dQ, c.queryWidth), (w.key, d.key, s.dK, c.keyWidth), (w.value, d.value, s.dV, c.keyWidth),
        ] {
            operations.linearBackwardWeight(dw: dWeight, dy: dY, x: s.normed, rows: N, inputs: c.width, outputs: width)
            operations.linearBackwardInput(dx: s.dNormed, dy: dY, w: weight, rows: N, inputs: c.width, outputs: width)
        }
        operations.rmsNormBackward(
            dx: dx, dg: d.attentionNorm, dy: s.dNormed, x: b.x, g: w.attentionNorm, r: saved(b.attentionRoot), rows: N, width: c.width)
    }

    private func saved(_ buffer: Buffer?) -> Buffer {
        guard let buffer else { preconditionFailure("bug: the forward pass saved nothing for the backward pass") }
        return buffer
    }
}
