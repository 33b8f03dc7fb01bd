// Gradients of a Double twin by central differences: what a backward pass must give.

/// The gradient of `f` at `x`, each element by (f(x + h) − f(x − h)) / 2h with h = 1e-5: about nine digits for smooth f of size 1.
public func numericalGradient(_ x: [Double], of f: ([Double]) -> Double) -> [Double] {
    let h = 1e-5
    var point = x
    return x.indices.map { i in
        point[i] = x[i] + h
        let above = f(point)
        point[i] = x[i] - h
        let below = f(point)
        point[i] = x[i]
        return (above - below) / (2 * h)
    }
}

/// The derivative of `f` at `x` along `direction`, by central differences.
public func directionalDerivative(_ x: [Double], along direction: [Double], of f: ([Double]) -> Double) -> Double {
    let h = 1e-5
    return (f(zip(x, direction).map { $0 + h * $1 }) - f(zip(x, direction).map { $0 - h * $1 })) / (2 * h)
}

/// Σ a · b.
public func inner(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

extension Array where Element == Float {
    /// The same values in Double.
    public var doubles: [Double] { map(Double.init) }
}
