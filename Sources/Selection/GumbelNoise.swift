// Noise that makes a ranking a draw: the best of noisy values are a sample without replacement.

import Glibc
import Streams

/// Gumbel noise that depends on nothing but a seed and a unit's own bytes: neither on its place nor on the units beside it.
///
/// Adding -log(-log u), u uniform in (0, 1), to the logarithms of weights and taking the k largest draws k units without replacement
/// with probabilities in proportion to the weights (Efraimidis and Spirakis 2006; Kool and others 2019, arXiv 1903.06059).
public struct GumbelNoise: Sendable {
    private let seed: UInt64

    public init(seed: UInt64) { self.seed = seed }

    /// The noise of a unit: of its id, and of what else tells it from others.
    public func value(id: [UInt8], content: UInt64 = 0) -> Double {
        -log(-log(uniform(id: id, content: content)))
    }

    /// A number in (0, 1), never 0 or 1.
    public func uniform(id: [UInt8], content: UInt64 = 0) -> Double {
        var hash = XXH64(seed: seed)
        withUnsafeBytes(of: content.littleEndian) { hash.update($0) }
        id.withUnsafeBytes { hash.update($0) }
        return (Double(hash.digest() >> 11) + 0.5) * 0x1p-53
    }
}
