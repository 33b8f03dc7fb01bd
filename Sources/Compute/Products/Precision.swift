// In which numbers matrix products are computed.

/// The numbers that matrix products multiply. Sums, and everything that is no matrix product, are float32 (or Double) in either case.
public enum Precision: String, Sendable, CaseIterable {
    /// Products of float32 by OpenBLAS.
    case float32
    /// Both operands rounded to bfloat16 (8 bits of significand), their products summed in float32: twice as fast where the processor
    /// multiplies bfloat16, half the memory for weights.
    case bfloat16
}
