// What families change in attention.

/// Scale, window and cap of the scores of one attention call.
public struct AttentionOptions: Equatable, Sendable {
    /// Factor on q · k; nil for 1/√headWidth.
    public var scale: Float?
    /// Keys that a row sees at most: row t sees t − window + 1 … t of its segment, as transformers masks a sliding window. Nil: all before it.
    public var window: Int?
    /// Scaled scores s become softCap · tanh(s / softCap), as in Gemma 2. Nil: they stay.
    public var softCap: Float?

    public init(scale: Float? = nil, window: Int? = nil, softCap: Float? = nil) {
        self.scale = scale
        self.window = window
        self.softCap = softCap
    }
}
