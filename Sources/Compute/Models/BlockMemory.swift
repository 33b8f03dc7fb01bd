// The buffers of a block, by what they hold: one table of sizes for allocation and for estimates.

/// What a buffer of a block holds. Rows times a width; `dX` is the gradient of `x`.
enum Slot: Int, CaseIterable {
    /// The block's input; the residual stream between attention and feed-forward.
    case x, middle
    /// A norm's output. Products before query/key norms; queries, keys and values as attention reads them; what it gives.
    case normed, queryProduct, keyProduct, q, k, v, o
    /// What attention and feed-forward give, where a norm follows.
    case attentionOutput, feedForwardOutput
    case gate, up, h
    /// 1/√ of norms' means of squares (or variances), and the means that layer norms subtract.
    case inputRoot, inputMean, feedForwardRoot, feedForwardMean, queryRoot, keyRoot, attentionOutputRoot, feedForwardOutputRoot
    case logSumExp
    /// Of a mixer: before and after the convolution and its activation, the gate; time steps of low rank, full, positive; B, C; the scan.
    case signal, convolved, activated, signalGate, timeStepLow, timeStepProduct, timeStep, stateInput, stateReading, scanned
    case dNormed, dO, dQ, dK, dV, dQueryProduct, dKeyProduct, dGate, dUp, dBranch
    case dSignal, dConvolved, dActivated, dTimeStepLow, dTimeStepProduct, dTimeStep, dStateInput, dStateReading, dScanned
}

/// Float32 values a row in each slot.
typealias SlotSizes = [(slot: Slot, width: Int)]

extension SlotSizes {
    /// Values a row in all of them.
    var width: Int { reduce(0) { $0 + $1.width } }
}

extension ModelConfiguration {
    /// What the forward pass of a block leaves; `training` adds what only the backward pass reads.
    func blockSlots(training: Bool) -> SlotSizes {
        var slots: SlotSizes = [(.x, width)]
        if training {
            slots.append((.inputRoot, 1))
            if norm == .layer { slots.append((.inputMean, 1)) }
        }
        if let s = stateSpace {
            let I = s.innerWidth
            slots += [(.signal, I), (.convolved, I), (.activated, I), (.signalGate, I), (.timeStepLow, s.timeStepRank)]
            slots += [(.timeStepProduct, I), (.timeStep, I), (.stateInput, s.states), (.stateReading, s.states), (.scanned, I)]
            return slots
        }
        slots += [(.middle, width), (.q, queryWidth), (.k, keyWidth), (.v, keyWidth), (.o, queryWidth), (.up, hiddenWidth)]
        if gated { slots.append((.gate, hiddenWidth)) }
        if queryKeyNorm { slots += [(.queryProduct, queryWidth), (.keyProduct, keyWidth)] }
        if outputNorms { slots += [(.attentionOutput, width), (.feedForwardOutput, width)] }
        guard training else { return slots }
        slots += [(.logSumExp, heads), (.feedForwardRoot, 1)]
        if norm == .layer { slots.append((.feedForwardMean, 1)) }
        if queryKeyNorm { slots += [(.queryRoot, heads), (.keyRoot, keyValueHeads)] }
        if outputNorms { slots += [(.attentionOutputRoot, 1), (.feedForwardOutputRoot, 1)] }
        return slots
    }

    /// What one block after the other uses: in the forward pass, and in the backward pass too when `training`.
    func scratchSlots(training: Bool) -> SlotSizes {
        var slots: SlotSizes = [(.normed, width)]
        if let s = stateSpace {
            guard training else { return slots }
            let I = s.innerWidth
            slots += [(.h, I), (.dNormed, width), (.dScanned, I), (.dGate, I), (.dSignal, I), (.dConvolved, I), (.dActivated, I)]
            slots += [(.dTimeStep, I), (.dTimeStepProduct, I), (.dTimeStepLow, s.timeStepRank)]
            return slots + [(.dStateInput, s.states), (.dStateReading, s.states)]
        }
        guard training else { return slots }
        slots += [(.h, hiddenWidth), (.dNormed, width), (.dO, queryWidth), (.dQ, queryWidth), (.dK, keyWidth), (.dV, keyWidth)]
        slots.append((.dUp, hiddenWidth))
        if gated { slots.append((.dGate, hiddenWidth)) }
        if queryKeyNorm { slots += [(.dQueryProduct, queryWidth), (.dKeyProduct, keyWidth)] }
        if parallelResidual || outputNorms { slots.append((.dBranch, width)) }
        return slots
    }
}

/// Buffers for some slots, of a number of rows.
struct BlockMemory {
    private var buffers: [Buffer?]

    init(_ sizes: SlotSizes, rows: Int) {
        buffers = Array(repeating: nil, count: Slot.allCases.count)
        for (slot, width) in sizes { buffers[slot.rawValue] = Buffer(count: rows * width) }
    }

    /// The buffer of a slot that must be there.
    subscript(slot: Slot) -> Buffer {
        get {
            guard let buffer = buffers[slot.rawValue] else { preconditionFailure("bug: no memory for '\(slot)'") }
            return buffer
        }
        set { buffers[slot.rawValue] = newValue }
    }

    /// Every buffer, in the order of slots.
    var all: [Buffer] { buffers.compactMap { $0 } }

    /// The buffer of a slot, nil when it was not asked for.
    func optional(_ slot: Slot) -> Buffer? { buffers[slot.rawValue] }
}
