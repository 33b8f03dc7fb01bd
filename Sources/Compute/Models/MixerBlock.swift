// The block of a Mamba model, forward and backward: a selective state space around a causal convolution.
import Glibc

extension Network {
    /// next = x + W_out (y ⊙ silu(z)),  y = scan(u, δ, A, B, C, D),  u = silu(convolution(W_x n(x))),  z = W_z n(x),
    /// δ = softplus(W_δ W_low u + bias),  B = W_B u,  C = W_C u,  A = −exp(A_log).
    ///
    /// - Source: Gu & Dao 2023, as `MambaMixer` of transformers.
    func mixerForward(_ w: MixerTensors, next: Buffer, _ b: BlockMemory, _ s: BlockMemory, _ tokens: PackedTokens) {
        let (sizes, N) = (mixerSizes, tokens.count)
        let count = N * sizes.innerWidth
        normForward(s[.normed], x: b[.x], w.inputNorm, root: b.optional(.inputRoot), mean: b.optional(.inputMean), rows: N)
        linear([(b[.signal], w.signal), (b[.signalGate], w.gate)], x: s[.normed], rows: N)
        operations.convolutionForward(
            y: b[.convolved], x: b[.signal], w: w.convolution.weight.buffer, b: w.convolution.bias, splits: tokens.splits,
            channels: sizes.innerWidth, taps: sizes.taps)
        operations.activationForward(h: b[.activated], x: b[.convolved], count: count, activation: configuration.activation)
        let choices = [(b[.timeStepLow], w.timeStepLow), (b[.stateInput], w.stateInput), (b[.stateReading], w.stateReading)]
        linear(choices, x: b[.activated], rows: N)
        linear(b[.timeStepProduct], x: b[.timeStepLow], w.timeStep, rows: N)
        operations.softplusForward(y: b[.timeStep], x: b[.timeStepProduct], count: count)
        operations.selectiveScanForward(
            y: b[.scanned], x: b[.activated], delta: b[.timeStep], a: decayRates(w.decayLogarithm), b: b[.stateInput],
            c: b[.stateReading], d: w.skip, splits: tokens.splits, channels: sizes.innerWidth, states: sizes.states)
        operations.gatedForward(h: s[.h], gate: b[.signalGate], up: b[.scanned], count: count, activation: configuration.activation)
        // `normed` is free again, and `next` may be x.
        linear(s[.normed], x: s[.h], w.output, rows: N)
        if next !== b[.x] {
            operations.zero(next, count: N * configuration.width)
            operations.add(y: next, x: b[.x], count: N * configuration.width)
        }
        operations.add(y: next, x: s[.normed], count: N * configuration.width)
    }

    func mixerBackward(_ w: MixerTensors, _ d: MixerTensors, dx: Buffer, _ b: BlockMemory, _ s: BlockMemory, _ tokens: PackedTokens) {
        let (sizes, N) = (mixerSizes, tokens.count)
        let (I, count, activation) = (sizes.innerWidth, N * sizes.innerWidth, configuration.activation)
        // 1. next = x + W_out h,  h = y ⊙ silu(z).
        operations.gatedForward(h: s[.h], gate: b[.signalGate], up: b[.scanned], count: count, activation: activation)
        linearBackwardWeights(d.output, dy: dx, x: s[.h], rows: N)
        linearGradient(s[.h], dy: dx, w.output, rows: N)
        for slot in [Slot.dGate, .dScanned, .dActivated, .dTimeStep, .dTimeStepProduct, .dConvolved, .dSignal] {
            operations.zero(s[slot], count: count)
        }
        for slot in [Slot.dStateInput, .dStateReading] { operations.zero(s[slot], count: N * sizes.states) }
        operations.gatedBackward(
            dgate: s[.dGate], dup: s[.dScanned], dh: s[.h], gate: b[.signalGate], up: b[.scanned], count: count, activation: activation)
        // 2. y = scan(u, δ, A, B, C, D),  A = −exp(A_log).
        let rates = decayRates(w.decayLogarithm)
        let dRates = Buffer(count: rates.count)
        operations.selectiveScanBackward(
            dx: s[.dActivated], ddelta: s[.dTimeStep], da: dRates, db: s[.dStateInput], dc: s[.dStateReading], dd: d.skip,
            dy: s[.dScanned], x: b[.activated], delta: b[.timeStep], a: rates, b: b[.stateInput], c: b[.stateReading], d: w.skip,
            splits: tokens.splits, channels: I, states: sizes.states)
        for i in 0..<rates.count { d.decayLogarithm.pointer[i] += dRates.pointer[i] * rates.pointer[i] }
        // 3. δ = softplus(W_δ low + bias),  low = W_low u,  B = W_B u,  C = W_C u.
        operations.softplusBackward(dx: s[.dTimeStepProduct], dy: s[.dTimeStep], x: b[.timeStepProduct], count: count)
        linearBackwardWeights(d.timeStep, dy: s[.dTimeStepProduct], x: b[.timeStepLow], rows: N)
        linearGradient(s[.dTimeStepLow], dy: s[.dTimeStepProduct], w.timeStep, rows: N)
        for (map, dMap, slot) in [
            (w.timeStepLow, d.timeStepLow, Slot.dTimeStepLow), (w.stateInput, d.stateInput, .dStateInput),
            (w.stateReading, d.stateReading, .dStateReading),
        ] {
            linearBackwardWeights(dMap, dy: s[slot], x: b[.activated], rows: N)
            linearBackwardInput(s[.dActivated], dy: s[slot], map, rows: N)
        }
        // 4. u = silu(convolution(W_x n(x))),  z = W_z n(x).
        operations.activationBackward(dx: s[.dConvolved], dh: s[.dActivated], x: b[.convolved], count: count, activation: activation)
        operations.convolutionBackward(
            dx: s[.dSignal], dw: d.convolution.weight.buffer, db: d.convolution.bias, dy: s[.dConvolved], x: b[.signal],
            w: w.convolution.weight.buffer, splits: tokens.splits, channels: I, taps: sizes.taps)
        normForward(s[.normed], x: b[.x], w.inputNorm, root: nil, mean: nil, rows: N)
        linearGradient(s[.dNormed], dy: s[.dSignal], w.signal, rows: N)
        linearBackwardInput(s[.dNormed], dy: s[.dGate], w.gate, rows: N)
        linearBackwardWeights(d.signal, dy: s[.dSignal], x: s[.normed], rows: N)
        linearBackwardWeights(d.gate, dy: s[.dGate], x: s[.normed], rows: N)
        normBackward(
            dx, dy: s[.dNormed], x: b[.x], w.inputNorm, d.inputNorm, root: b[.inputRoot], mean: b.optional(.inputMean), rows: N)
    }

    private var mixerSizes: ModelConfiguration.StateSpace {
        guard let sizes = configuration.stateSpace else { preconditionFailure("bug: no state space") }
        return sizes
    }

    /// A = −exp(A_log), anew for each pass: (I, S) values, nothing beside one row block's work.
    private func decayRates(_ logarithms: Buffer) -> Buffer {
        let rates = Buffer(count: logarithms.count)
        for i in 0..<rates.count { rates.pointer[i] = -expf(logarithms.pointer[i]) }
        return rates
    }
}
