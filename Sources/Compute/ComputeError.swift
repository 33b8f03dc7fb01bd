// What Compute throws: input that a numeric routine cannot take, and numbers that ran away.

/// An error of the numeric room. It knows no file; whoever opened one adds its name.
public enum ComputeError: Error, Equatable, CustomStringConvertible {
    /// A configuration, a set of tensors or a batch that cannot be used.
    case invalid(String)
    /// A loss or a gradient became infinite or NaN; nothing was changed.
    case nonFinite(String)

    /// One line, lower case, no full stop.
    public var message: String {
        switch self {
        case .invalid(let message), .nonFinite(let message): message
        }
    }

    public var description: String { message }
}
