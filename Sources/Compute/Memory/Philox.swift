// Counter-based random numbers: the n-th number of a stream without the ones before it, so threads change nothing.
import Glibc

/// Philox 4x32-10: four 32-bit numbers for each counter, a different sequence for each key.
///
/// - Source: Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3".
struct Philox {
    private let key: (UInt32, UInt32)

    init(seed: UInt64) {
        key = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    }

    /// The four numbers at `counter` (least significant word first).
    func block(_ counter: (UInt32, UInt32, UInt32, UInt32)) -> (UInt32, UInt32, UInt32, UInt32) {
        var (c0, c1, c2, c3) = counter
        var (k0, k1) = key
        for _ in 0..<10 {
            let p0 = (0xD251_1F53 as UInt32).multipliedFullWidth(by: c0)
            let p1 = (0xCD9E_8D57 as UInt32).multipliedFullWidth(by: c2)
            (c0, c1, c2, c3) = (p1.high ^ c1 ^ k0, p1.low, p0.high ^ c3 ^ k1, p0.low)
            k0 &+= 0x9E37_79B9
            k1 &+= 0xBB67_AE85
        }
        return (c0, c1, c2, c3)
    }

    /// Fills `values` with normal(0, deviation) numbers of stream `stream`, numbers 4·firstBlock and following.
    ///
    /// Box-Muller in Double: r = √(−2 ln u), u in (0, 1], then r cos, r sin of a uniform angle.
    func normals(_ values: UnsafeMutableBufferPointer<Float>, deviation: Double, stream: UInt32, firstBlock: Int) {
        var i = 0
        var block = UInt64(firstBlock)
        while i < values.count {
            let (a, b, c, d) = self.block((UInt32(truncatingIfNeeded: block), UInt32(block >> 32), stream, 0))
            let (p, q) = normalPair(a, b)
            let (r, s) = normalPair(c, d)
            for (offset, value) in [p, q, r, s].enumerated() where i + offset < values.count {
                values[i + offset] = Float(deviation * value)
            }
            i += 4
            block += 1
        }
    }
}

/// Two independent standard normal numbers from two uniform ones.
private func normalPair(_ a: UInt32, _ b: UInt32) -> (Double, Double) {
    let radius = (-2 * log((Double(a) + 1) * 0x1p-32)).squareRoot()
    let angle = 2 * Double.pi * (Double(b) * 0x1p-32)
    return (radius * cos(angle), radius * sin(angle))
}
