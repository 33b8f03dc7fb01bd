// The nonlinearities of feed-forwards.
import CKernels

/// An elementwise nonlinearity.
///
/// - Accuracy in float32: `silu` 3 units in the last place, `gelu` 3 for z ≥ −1 and 6 down to −13 where it vanishes,
///   `geluTanh` 3 for z ≥ −1, and an absolute error below 5e-8 further down.
/// - Of −∞ all but `relu` make NaN, as torch does; NaN stays NaN.
public enum Activation: Sendable, Equatable, CaseIterable {
    /// z / (1 + e^−z).
    case silu
    /// z · Φ(z), Φ the normal distribution: ½ z (1 + erf(z/√2)).
    case gelu
    /// ½ z (1 + tanh(√(2/π) (z + 0.044715 z³))): "gelu_new", "gelu_pytorch_tanh", "gelu_fast".
    case geluTanh
    /// max(z, 0).
    case relu

    var kernel: preceptor_activation {
        switch self {
        case .silu: preceptor_silu
        case .gelu: preceptor_gelu
        case .geluTanh: preceptor_gelu_tanh
        case .relu: preceptor_relu
        }
    }
}
