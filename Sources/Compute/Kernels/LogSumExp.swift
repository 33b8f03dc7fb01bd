// Log-sum-exp from parts: the largest value and the sum of exponentials below it.
import Glibc

/// log Σ e^x from the largest x and Σ e^(x − largest), natural.
///
/// −∞ for no values or all −∞, where the shifted sum is NaN or 0; +∞ where one value is; NaN where a value is NaN.
@inline(__always)
func logSumExpDouble(_ largest: Float, _ sum: Double) -> Double {
    if largest.isInfinite { return Double(largest) }
    return Double(largest) + log(sum)
}

/// The same, rounded to float32.
@inline(__always)
func logSumExp(_ largest: Float, _ sum: Double) -> Float { Float(logSumExpDouble(largest, sum)) }
