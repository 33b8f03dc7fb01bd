// What a model costs: memory and arithmetic, from its shape alone.

extension LlamaConfiguration {
    /// Parameters that take part in a product for every token: all matrices, but not the lookup of an untied embedding.
    private var productParameters: Int {
        let layer = 2 * width * queryWidth + 2 * width * keyWidth + 3 * width * hiddenWidth
        return vocabularySize * width + layers * layer
    }

    /// Floating-point operations to score one token that attends to `context` tokens on average, itself among them.
    ///
    ///     2 · (matrix parameters, the head once) + 4 · layers · heads · headWidth · context
    ///
    /// A segment of T tokens has context (T + 1) / 2. A multiplication and an addition count as two; norms and activations are left out.
    public func scoringOperations(context: Double) -> Double {
        2 * Double(productParameters) + 4 * Double(layers) * Double(queryWidth) * context
    }

    /// Floating-point operations to train on one token: three times those of scoring (forward, and backward for inputs and weights).
    ///
    /// - headShare: the share of tokens whose head gradient is computed, 1 for cross-entropy. Below 1 the losses of all tokens are computed
    ///   first, and the logits of the selected ones again.
    /// Scores that the backward pass of attention computes again are left out.
    public func trainingOperations(context: Double, headShare: Double = 1) -> Double {
        let head = 2 * Double(vocabularySize) * Double(width)
        let body = scoringOperations(context: context) - head
        return 3 * body + (headShare < 1 ? head * (1 + 3 * headShare) : 3 * head)
    }

    /// Bytes of the parameters in float32.
    public var parameterBytes: Int { 4 * parameterCount }

    /// Bytes that scoring needs beside the parameters for segments of at most `longest` tokens, the head's blocks left out.
    public func scoringBytes(longest: Int) -> Int {
        4 * ScoringMemory.values(self) * max(Scorer.chunkTokens, longest)
    }

    /// Bytes that training holds with `rows` tokens in the model at a time (a `Trainer`'s micro-batch): parameters, gradients, two moments
    /// and activations, the head's blocks left out.
    public func trainingBytes(rows: Int) -> Int {
        4 * parameterBytes + 4 * Activations.values(self) * rows
    }
}
