// Cross-entropy at the language-model head: the loss whose lists are the targets.

extension Operations {
    /// losses[i] = −log softmax(x[i] · wᵀ)[targets[i]] in nats; NaN where the target is negative.
    ///
    /// `x`: (rows, width); `w`: (vocabulary, width); `losses`: (rows). Logits exist for a bounded block of rows only.
    public func headForward(losses: Buffer, x: Buffer, w: Weight, targets: [Int32], rows: Int, width: Int, vocabulary: Int) {
        precondition(
            losses.count >= rows && targets.count >= rows, "bug: \(losses.count) losses, \(targets.count) targets for \(rows) rows")
        let lists = HeadLists(targets: targets)
        var logSumExp = [Double](repeating: .nan, count: rows)
        var logits = [Float](repeating: 0, count: lists.ids.count)
        logSumExp.withUnsafeMutableBufferPointer { logSumExp in
            logits.withUnsafeMutableBufferPointer {
                headForward(logSumExp: logSumExp, logits: $0, x: x, w: w, lists: lists, rows: rows, width: width, vocabulary: vocabulary)
            }
        }
        for i in 0..<rows { losses.pointer[i] = targets[i] < 0 ? .nan : Float(logSumExp[i] - Double(logits[lists.splits[i]])) }
    }

    public func headForward(losses: Buffer, x: Buffer, w: Buffer, targets: [Int32], rows: Int, width: Int, vocabulary: Int) {
        headForward(losses: losses, x: x, w: .values(w), targets: targets, rows: rows, width: width, vocabulary: vocabulary)
    }

    /// dx, dw += gradient of Σ weights[i] · losses[i]. Rows with weight 0 or without a target cost nothing.
    public func headBackward(
        dx: Buffer, dw: Buffer, x: Buffer, w: Buffer, targets: [Int32], weights: [Float], rows: Int, width: Int, vocabulary: Int
    ) {
        precondition(
            targets.count >= rows && weights.count >= rows, "bug: \(targets.count) targets, \(weights.count) weights for \(rows) rows")
        let lists = HeadLists(targets: zip(targets, weights).map { $1 == 0 ? -1 : $0 })
        headBackward(dx: dx, dw: dw, x: x, w: w, lists: lists, rows: rows, width: width, vocabulary: vocabulary) { row, _, logits in
            logits[0] = -weights[row]
            return weights[row]
        }
    }

    /// Both of the above in one pass over the logits, for weights known in advance.
    ///
    /// Losses are given for every row with a target, gradients for those whose weight is not 0.
    public func headForwardBackward(
        losses: Buffer, dx: Buffer, dw: Buffer, x: Buffer, w: Buffer, targets: [Int32], weights: [Float], rows: Int, width: Int,
        vocabulary: Int
    ) {
        precondition(
            targets.count >= rows && weights.count >= rows, "bug: \(targets.count) targets, \(weights.count) weights for \(rows) rows")
        let idle = (0..<rows).map { weights[$0] == 0 ? targets[$0] : -1 }
        headForward(losses: losses, x: x, w: w, targets: idle, rows: rows, width: width, vocabulary: vocabulary)
        let lists = HeadLists(targets: zip(targets, weights).map { $1 == 0 ? -1 : $0 })
        headBackward(dx: dx, dw: dw, x: x, w: w, lists: lists, rows: rows, width: width, vocabulary: vocabulary) { row, logSumExp, logits in
            losses.pointer[row] = Float(logSumExp - Double(logits[0]))
            logits[0] = -weights[row]
            return weights[row]
        }
    }
}
