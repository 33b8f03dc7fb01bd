// Numbers for tests, from a seed that failures can print.

/// A small generator (SplitMix64) that is independent of the one under test.
public struct TestRandom: RandomNumberGenerator {
    public let seed: UInt64
    private var state: UInt64

    public init(_ seed: UInt64) {
        self.seed = seed
        state = seed
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// `count` values, uniform on [−range, range).
    public mutating func floats(_ count: Int, _ range: Float = 1) -> [Float] {
        (0..<count).map { _ in (Float(next() >> 40) * 0x1p-23 - 1) * range }
    }

    /// `count` integers from 0..<limit.
    public mutating func integers(_ count: Int, below limit: Int) -> [Int] {
        (0..<count).map { _ in Int(next() % UInt64(limit)) }
    }
}
