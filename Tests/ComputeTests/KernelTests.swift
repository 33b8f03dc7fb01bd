// The C kernels, each instruction set, against Double.
import CKernels
import Glibc
import TestSupport
import XCTest

@testable import Compute

/// Sizes with and without whole vectors, and odd tails.
let oddSizes = [0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 511, 513]

/// The levels that this machine runs, lowest first.
let runnableLevels = [preceptor_baseline, preceptor_v3, preceptor_v4].filter { $0.rawValue <= preceptor_best_level().rawValue }

final class KernelTests: XCTestCase {
    private func eachKernels(_ body: (preceptor_kernels, String) -> Void) {
        for level in runnableLevels {
            let kernels = preceptor_kernels_for(level).pointee
            body(kernels, String(cString: kernels.name))
        }
    }

    /// Runs `body` on a copy of `x` that starts one float off alignment.
    private func unaligned(_ x: [Float], _ body: (UnsafeMutablePointer<Float>) -> Void) -> [Float] {
        var padded = [Float](repeating: -77, count: x.count + 18)
        padded.replaceSubrange(1..<1 + x.count, with: x)
        padded.withUnsafeMutableBufferPointer { body($0.baseAddress! + 1) }
        XCTAssertEqual(padded[0], -77, "wrote before the start")
        XCTAssert(padded[(1 + x.count)...].allSatisfy { $0 == -77 }, "wrote behind the end")
        return Array(padded[1..<1 + x.count])
    }

    func testExponentialIsWithinTwoUnits() {
        eachKernels { kernels, name in
            var x: [Float] = []
            var value: Float = -103.9
            while value < 88.7 {
                x.append(value)
                value += 0.00093
            }
            let y = unaligned(x) { kernels.scaled_exponentials($0, x.count, 0, 1) }
            var worst = (units: 0.0, x: Float(0))
            for (x, y) in zip(x, y) {
                let exact = exp(Double(x))
                let unit = max(scalbn(1, ilogb(exact) - 23), Double(Float.leastNonzeroMagnitude))
                let units = abs(Double(y) - exact) / unit
                if units > worst.units { worst = (units, x) }
            }
            XCTAssertLessThan(worst.units, 2, "\(name): e^\(worst.x)")
        }
    }

    func testExponentialAtTheEdges() {
        let x: [Float] = [-.infinity, -1e30, -104.5, -104, -103, 0, -0.0, 1e-30, 88.72, 88.73, 89, 1e30, .infinity, .nan]
        eachKernels { kernels, name in
            let y = unaligned(x) { kernels.scaled_exponentials($0, x.count, 0, 1) }
            XCTAssertEqual(Array(y[0...3]), [0, 0, 0, 0], name)
            XCTAssertEqual(y[4], Float(exp(-103.0)), accuracy: .leastNonzeroMagnitude, name)
            XCTAssertEqual(Array(y[5...7]), [1, 1, 1], name)
            XCTAssertEqual(Double(y[8]), exp(Double(Float(88.72))), accuracy: 1e32, name)
            XCTAssertEqual(Array(y[9...12]), [.infinity, .infinity, .infinity, .infinity], name)
            XCTAssert(y[13].isNaN, name)
        }
    }

    /// Units in the last place, over the whole range in which a value is not rounded to 0 or to z.
    func testActivationsAreWithinAFewUnits() {
        let ranges: [(Activation, from: Float, to: Float, units: Double, unfused: Double)] = [
            (.gelu, -0.1, 9, 1.8, 2), (.gelu, -1, -0.1, 3, 3.5), (.gelu, -13, -1, 6, 70),
            (.geluTanh, -1, 9, 3, 3), (.silu, -80, 80, 2.8, 2.8),
        ]
        eachKernels { kernels, name in
            for (activation, from, to, fused, unfused) in ranges {
                let x = (0...200_000).map { from + (to - from) * Float($0) / 200_000 }
                let y = unaligned(x) { kernels.activation_forward($0, $0, x.count, activation.kernel) }
                var worst = (units: 0.0, x: Float(0))
                for (x, y) in zip(x, y) {
                    let exact = twinActivation("\(activation)", Double(x))
                    let unit = exact == 0 ? Double(Float.leastNonzeroMagnitude) : scalbn(1, max(ilogb(exact), -126) - 23)
                    let units = abs(Double(y) - exact) / unit
                    if units > worst.units { worst = (units, x) }
                }
                XCTAssertLessThan(worst.units, name == "baseline" ? unfused : fused, "\(name): \(activation) at \(worst.x)")
            }
        }
    }

    func testActivationsAtTheEdges() {
        let x: [Float] = [-3e38, -1e30, -200, -0.0, 0, 1e-45, -1e-45, 1e-39, 1e30, 3e38, .infinity, .nan, -.infinity]
        eachKernels { kernels, name in
            for activation in Activation.allCases {
                let what = "\(name), \(activation)"
                let y = unaligned(x) { kernels.activation_forward($0, $0, x.count, activation.kernel) }
                XCTAssertEqual(Array(y[0...4]), [0, 0, 0, 0, 0], what)
                for i in 5...7 { XCTAssertEqual(y[i], Float(twinActivation("\(activation)", Double(x[i]))), accuracy: 1e-45, what) }
                XCTAssertEqual(Array(y[8...10]), [1e30, 3e38, .infinity], what)
                XCTAssert(y[11].isNaN, what)
                if activation == .relu { XCTAssertEqual(y[12], 0) } else { XCTAssert(y[12].isNaN, what) }
                // Slopes: 0 far below, 1 far above, finite for every finite value.
                let slopes = unaligned([Float](repeating: 0, count: 10)) {
                    kernels.activation_backward($0, [Float](repeating: 1, count: 10), x, 10, activation.kernel)
                }
                XCTAssertEqual(Array(slopes[0...2]), [0, 0, 0], what)
                XCTAssertEqual(Array(slopes[8...9]), [1, 1], what)
            }
        }
    }

    func testElementwiseAtOddSizes() {
        var random = TestRandom(11)
        for n in oddSizes {
            let (a, b, c) = (random.floats(n, 4), random.floats(n, 4), random.floats(n, 4))
            eachKernels { kernels, name in
                let what = "\(name), n = \(n), seed \(random.seed)"
                assertClose(unaligned(a) { kernels.add($0, b, n) }, zip(a.doubles, b.doubles).map(+), absolute: 0, k: 1, what)
                assertClose(unaligned(a) { kernels.scale($0, 0.3, n) }, a.doubles.map { $0 * Double(Float(0.3)) }, absolute: 0, k: 1, what)
                for activation in Activation.allCases {
                    let values = a.doubles.map { twinActivation("\(activation)", $0) }
                    assertClose(
                        unaligned(c) { kernels.gated_forward($0, a, b, n, activation.kernel) }, zip(values, b.doubles).map(*),
                        absolute: 1e-8, k: 6, "\(activation), " + what)
                    assertClose(
                        unaligned(c) { kernels.activation_forward($0, a, n, activation.kernel) }, values, absolute: 1e-8, k: 6,
                        "\(activation), " + what)
                }
                assertClose(
                    unaligned(a) { kernels.scaled_exponentials($0, n, 1.5, 0.25) }, a.doubles.map { 0.25 * exp($0 - 1.5) },
                    absolute: 0, k: 8, what)
            }
        }
    }

    func testReductionsAtOddSizes() {
        var random = TestRandom(12)
        for n in oddSizes + [5_000] {
            let (a, b) = (random.floats(n, 4), random.floats(n, 4))
            eachKernels { kernels, name in
                let what = "\(name), n = \(n), seed \(random.seed)"
                let squares = a.doubles.reduce(0) { $0 + $1 * $1 }
                XCTAssertEqual(kernels.sum_of_squares(a, n), squares, accuracy: 1e-12 * squares, what)
                XCTAssertEqual(kernels.dot(a, b, n), inner(a.doubles, b.doubles), accuracy: 1e-11 * Double(n + 1), what)
                XCTAssertEqual(kernels.maximum(a, n), a.max() ?? -.infinity, what)
                let sum = a.doubles.reduce(0) { $0 + exp($1 - 2) }
                XCTAssertEqual(kernels.sum_exponentials(a, n, 2), sum, accuracy: 3e-7 * sum, what)
            }
        }
    }

    func testSoftmaxRows() {
        var random = TestRandom(13)
        for (n, first) in oddSizes.flatMap({ n in [0, 1, 15, 16, 40, n].map { (n, $0) } }) {
            let width = (n + 15) / 16 * 16 + 32
            let (a, b) = (random.floats(width, 4), random.floats(width, 4))
            let seen = { first <= $0 && $0 < n }
            for before in [-Float.infinity, 2.5, 7] {
                eachKernels { kernels, name in
                    let what = "\(name), \(first) to \(n) after \(before), seed \(random.seed)"
                    let peak = Double(a.indices.filter(seen).map { a[$0] }.reduce(before, max))
                    let terms = a.indices.map { seen($0) ? exp(Double(a[$0]) - peak) : 0 }
                    var (sum, largest) = (0.0, before)
                    assertClose(unaligned(a) { sum = kernels.softmax_row($0, first, n, width, &largest) }, terms, absolute: 0, k: 8, what)
                    XCTAssertEqual(Double(largest), peak, what)
                    XCTAssertEqual(sum, terms.reduce(0, +), accuracy: 1e-6 * sum, what)
                }
            }
            for cap in [Float.infinity, 5] {
                eachKernels { kernels, name in
                    let what = "\(name), \(first) to \(n) capped at \(cap), seed \(random.seed)"
                    var p = a
                    let ds = unaligned(b) { kernels.softmax_row_gradient(&p, $0, first, n, width, 1.25, 0.5, 0.125, 1 / cap) }
                    let probabilities = a.indices.map { seen($0) ? exp(Double(a[$0]) - 1.25) : 0 }
                    let slopes = a.map { 1 - Double($0) / Double(cap) * Double($0) / Double(cap) }
                    assertClose(p, probabilities, absolute: 0, k: 8, what)
                    assertClose(
                        ds, a.indices.map { 0.125 * probabilities[$0] * slopes[$0] * (Double(b[$0]) - 0.5) }, absolute: 1e-7, k: 16, what)
                }
            }
        }
    }

    /// Two runs that are all hidden by infinities are no number's trouble: nothing is added, and later scores count.
    func testSoftmaxOfMinusInfinity() {
        eachKernels { kernels, name in
            var (x, largest) = ([Float](repeating: -.infinity, count: 16), -Float.infinity)
            XCTAssertEqual(kernels.softmax_row(&x, 0, 16, 16, &largest), 0, name)
            XCTAssertEqual(largest, -.infinity, name)
            XCTAssertEqual(x, [Float](repeating: 0, count: 16), name)
        }
    }

    func testSoftplusIsWithinThreeUnits() {
        eachKernels { kernels, name in
            let x = (0...300_000).map { -87 + Float($0) * 0.0004 }
            let y = unaligned(x) { kernels.softplus_forward($0, $0, x.count) }
            var worst = (units: 0.0, x: Float(0))
            for (x, y) in zip(x, y) {
                let exact = log1p(exp(Double(x)))
                let units = abs(Double(y) - exact) / scalbn(1, ilogb(exact) - 23)
                if units > worst.units { worst = (units, x) }
            }
            XCTAssertLessThan(worst.units, 2.7, "\(name): softplus \(worst.x)")
        }
    }

    func testHyperbolicTangentIsWithinTwoUnits() {
        eachKernels { kernels, name in
            var (x, value): ([Float], Float) = ([], 1e-7)
            while value < 20 {
                x += [value, -value]
                value *= 1.0001
            }
            let y = unaligned(x) { kernels.soft_cap($0, x.count, 1) }
            var worst = (units: 0.0, x: Float(0))
            for (x, y) in zip(x, y) {
                let exact = tanh(Double(x))
                let units = abs(Double(y) - exact) / scalbn(1, ilogb(exact) - 23)
                if units > worst.units { worst = (units, x) }
            }
            XCTAssertLessThan(worst.units, 1.5, "\(name): tanh \(worst.x)")
            let edges = unaligned([-.infinity, .infinity, 1e30, 1e-30, 0, .nan, 60, 1]) { kernels.soft_cap($0, 8, 30) }
            XCTAssertEqual(Array(edges[0...4]), [-30, 30, 30, 1e-30, 0], name)
            XCTAssert(edges[5].isNaN, name)
            XCTAssertEqual(Double(edges[6]), 30 * tanh(2), accuracy: 4e-6, name)
            XCTAssertEqual(Double(edges[7]), 30 * tanh(1 / 30), accuracy: 2e-7, name)
        }
    }

    func testMaximumOfUnusualValues() {
        eachKernels { kernels, name in
            XCTAssertEqual(kernels.maximum([-.infinity, -.infinity], 2), -.infinity, name)
            XCTAssertEqual(kernels.maximum([-.infinity, 3e38, .nan, -3e38], 4), 3e38, name)
            XCTAssert(kernels.maximum([-.infinity, .nan], 2).isNaN, name)
            XCTAssertEqual(kernels.maximum([1, .infinity], 2), .infinity, name)
        }
    }

    func testLogSumExpStability() {
        func value(_ x: [Float], _ kernels: preceptor_kernels) -> Double {
            let largest = kernels.maximum(x, x.count)
            return logSumExpDouble(largest, kernels.sum_exponentials(x, x.count, largest))
        }
        eachKernels { kernels, name in
            XCTAssertEqual(value([1000, 1000], kernels), 1000 + log(2.0), accuracy: 1e-12, name)
            XCTAssertEqual(value([-1000, -1000], kernels), -1000 + log(2.0), accuracy: 1e-12, name)
            XCTAssertEqual(value([-.infinity, -.infinity], kernels), -.infinity, name)
            XCTAssertEqual(value([2.5], kernels), 2.5, name)
            XCTAssertEqual(value([1, .infinity, 2], kernels), .infinity, name)
            XCTAssertEqual(value([3e38, -3e38], kernels), Double(Float(3e38)), name)
            XCTAssert(value([1, .nan, 2], kernels).isNaN, name)
            XCTAssertEqual(
                value([Float](repeating: 0.1, count: 250_000), kernels), Double(Float(0.1)) + log(250_000.0), accuracy: 1e-7, name)
            XCTAssertEqual(value([Float(bitPattern: 700), -Float(bitPattern: 700)], kernels), log(2.0), accuracy: 1e-7, name)
        }
    }
}
