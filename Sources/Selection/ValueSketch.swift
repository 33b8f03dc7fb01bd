// What a stream of numbers looks like, before one knows where its histogram should begin and end.

import Glibc

/// Count, mean, deviation, extremes and rough quantiles of numbers, in half a megabyte.
public struct ValueSketch: Sendable {
    public private(set) var count = 0
    public private(set) var least = Double.infinity
    public private(set) var most = -Double.infinity
    public private(set) var mean = 0.0
    private var squares = 0.0
    /// By the highest 16 bits of the keys: sign, exponent and four bits of the fraction.
    private var digits = [Int](repeating: 0, count: 1 << 16)

    public init() {}

    /// Adds a finite number. Mean and deviation by Welford's recurrence.
    public mutating func add(_ value: Double) {
        count += 1
        least = min(least, value)
        most = max(most, value)
        let before = value - mean
        mean += before / Double(count)
        squares += before * (value - mean)
        digits[Int(RankKey(value).bits >> 48)] += 1
    }

    /// The standard deviation of the numbers themselves (divided by their count); NaN of none.
    public var deviation: Double { (squares / Double(count)).squareRoot() }

    /// A number that about `share` of the numbers lie below, within a sixteenth of itself; NaN of none.
    public func quantile(_ share: Double) -> Double {
        guard count > 0 else { return .nan }
        let wanted = Int(share * Double(count))
        var passed = 0
        for digit in digits.indices where digits[digit] > 0 {
            passed += digits[digit]
            if passed > wanted { return min(max(RankKey(bits: UInt64(digit) << 48).value ?? least, least), most) }
        }
        return most
    }

    /// Equal bins of a round width (1, 2 or 5 times a power of ten) over nearly all numbers: twice the cube root of their count, 5 to 80.
    ///
    /// The bins begin at multiples of their width. Half a per cent of the numbers at either end may lie outside.
    public func bins() -> Bins {
        guard count > 0 else { return Bins(first: 0, step: 1, exponent: 0, count: 1) }
        let (low, high) = (quantile(0.005), quantile(0.995))
        let raw = (high - low) / min(80, max(5, 2 * cbrt(Double(count))))
        let scale = max(abs(low), abs(high))
        guard raw > max(1e-12, 1e-9 * scale) else { return ValueSketch.oneBin(at: low) }
        let exponent = log10(raw).rounded(.down)
        let step = [1.0, 2, 5, 10].first { $0 >= raw / pow(10, exponent) } ?? 10
        let unit = Bins(first: 0, step: step, exponent: Int(exponent), count: 1)
        let first = (low / unit.width).rounded(.down)
        return Bins(first: first, step: step, exponent: Int(exponent), count: Int((high / unit.width).rounded(.down) - first) + 1)
    }

    /// One bin around numbers that are all alike, wide enough that its ends differ.
    private static func oneBin(at value: Double) -> Bins {
        let exponent = abs(value) > 1e6 ? Int(log10(abs(value)).rounded(.up)) - 6 : 0
        return Bins(first: (value / pow(10, Double(exponent))).rounded(.down), step: 1, exponent: exponent, count: 1)
    }
}

/// Bins of a histogram: bin i is [(first + i) x width, (first + i + 1) x width), width = step x 10^exponent; the outer two take what lies
/// outside.
public struct Bins: Equatable, Sendable {
    public let first: Double
    public let step: Double
    public let exponent: Int
    public let count: Int

    public init(first: Double, step: Double, exponent: Int, count: Int) {
        (self.first, self.step, self.exponent, self.count) = (first, step, exponent, count)
    }

    public var width: Double { scaled(1) }

    /// Where a bin begins: rounded once, so that it prints as the decimal that it is.
    public func low(_ bin: Int) -> Double { scaled(first + Double(bin)) }

    private func scaled(_ steps: Double) -> Double {
        exponent < 0 ? steps * step / pow(10, Double(-exponent)) : steps * step * pow(10, Double(exponent))
    }

    public func index(of value: Double) -> Int {
        Int(min(max((value / width).rounded(.down) - first, 0), Double(count - 1)))
    }
}

/// A histogram of numbers of which some are kept.
public struct Histogram: Sendable {
    public let bins: Bins
    public private(set) var all: [Int]
    public private(set) var kept: [Int]

    public init(_ bins: Bins) {
        self.bins = bins
        all = [Int](repeating: 0, count: bins.count)
        kept = all
    }

    public mutating func add(_ value: Double, kept isKept: Bool) {
        let bin = bins.index(of: value)
        all[bin] += 1
        if isKept { kept[bin] += 1 }
    }
}
