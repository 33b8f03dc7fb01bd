// The fused head against its Double twin: losses, gradients, masks, unusual values.
import Glibc
import TestSupport
import XCTest

@testable import Compute

final class HeadTests: XCTestCase {
    private let operations = CPUOperations(pool: ThreadPool(threads: 2))

    private struct Case {
        let rows: Int
        let width: Int
        let vocabulary: Int
        var targets: [Int32]
        var weights: [Float]
        let x: [Float]
        let w: [Float]

        init(_ rows: Int, _ width: Int, _ vocabulary: Int, _ random: inout TestRandom) {
            (self.rows, self.width, self.vocabulary) = (rows, width, vocabulary)
            targets = random.integers(rows, below: vocabulary).map(Int32.init)
            weights = random.floats(rows)
            x = random.floats(rows * width, 2)
            w = random.floats(vocabulary * width)
            for i in stride(from: 3, to: rows, by: 5) { targets[i] = -1 }
            for i in stride(from: 4, to: rows, by: 7) { weights[i] = 0 }
        }

        var twin: [Double] { twinCrossEntropy(x.doubles, w.doubles, targets: targets, width: width, vocabulary: vocabulary) }
        func objective(_ x: [Double], _ w: [Double]) -> Double {
            zip(twinCrossEntropy(x, w, targets: targets, width: width, vocabulary: vocabulary), weights)
                .reduce(0) { $1.0.isNaN ? $0 : $0 + $1.0 * Double($1.1) }
        }
    }

    private func cases(_ random: inout TestRandom) -> [Case] {
        [(0, 3, 5), (1, 1, 1), (2, 7, 9), (9, 8, 50), (30, 16, 100)].map { Case($0.0, $0.1, $0.2, &random) }
    }

    func testLosses() {
        var random = TestRandom(41)
        for c in cases(&random) + [Case(530, 24, 5_000, &random)] {
            let losses = Buffer(count: c.rows)
            operations.headForward(
                losses: losses, x: Buffer(c.x), w: Buffer(c.w), targets: c.targets, rows: c.rows, width: c.width, vocabulary: c.vocabulary)
            assertClose(losses.array, c.twin, absolute: 2e-6, k: 4, "\(c.rows) x \(c.width) x \(c.vocabulary), seed \(random.seed)")
        }
    }

    func testGradients() {
        var random = TestRandom(42)
        for c in cases(&random) {
            let what = "\(c.rows) x \(c.width) x \(c.vocabulary), seed \(random.seed)"
            let (dx, dw, losses) = (Buffer(count: c.x.count), Buffer(count: c.w.count), Buffer(count: c.rows))
            operations.headForwardBackward(
                losses: losses, dx: dx, dw: dw, x: Buffer(c.x), w: Buffer(c.w), targets: c.targets, weights: c.weights, rows: c.rows,
                width: c.width, vocabulary: c.vocabulary)
            assertClose(losses.array, c.twin, absolute: 2e-6, k: 4, what)
            assertClose(dx.array, numericalGradient(c.x.doubles) { c.objective($0, c.w.doubles) }, absolute: 3e-6, k: 8, "dx " + what)
            assertClose(dw.array, numericalGradient(c.w.doubles) { c.objective(c.x.doubles, $0) }, absolute: 3e-6, k: 8, "dw " + what)
        }
    }

    /// Blocks of rows, tiles of the vocabulary and the selected rows come together right, and both ways give the same bits.
    func testLargeGradientsAlongDirections() {
        var random = TestRandom(43)
        let c = Case(600, 12, 5_000, &random)
        let (x, w) = (Buffer(c.x), Buffer(c.w))
        let (dx, dw, losses) = (Buffer(count: c.x.count), Buffer(count: c.w.count), Buffer(count: c.rows))
        operations.headForwardBackward(
            losses: losses, dx: dx, dw: dw, x: x, w: w, targets: c.targets, weights: c.weights, rows: c.rows, width: c.width,
            vocabulary: c.vocabulary)
        assertClose(losses.array, c.twin, absolute: 3e-6, k: 4, "seed \(random.seed)")
        let direction = random.floats(c.x.count).doubles
        XCTAssertEqual(
            inner(dx.array.doubles, direction),
            directionalDerivative(c.x.doubles, along: direction) { c.objective($0, c.w.doubles) }, accuracy: 1e-3)
        let weightDirection = random.floats(c.w.count).doubles
        XCTAssertEqual(
            inner(dw.array.doubles, weightDirection),
            directionalDerivative(c.w.doubles, along: weightDirection) { c.objective(c.x.doubles, $0) }, accuracy: 1e-3)

        let (dx2, dw2, losses2) = (Buffer(count: c.x.count), Buffer(count: c.w.count), Buffer(count: c.rows))
        operations.headForward(
            losses: losses2, x: x, w: w, targets: c.targets, rows: c.rows, width: c.width, vocabulary: c.vocabulary)
        operations.headBackward(
            dx: dx2, dw: dw2, x: x, w: w, targets: c.targets, weights: c.weights, rows: c.rows, width: c.width, vocabulary: c.vocabulary)
        assertSameBits(dx.array, dx2.array, "dx")
        assertSameBits(dw.array, dw2.array, "dw")
        assertClose(losses2.array, losses.array.doubles, absolute: 1e-6, k: 2)
    }

    /// Gradients of a row over the logits sum to 0: with w all ones, dx vanishes.
    func testSoftmaxSumsToOne() {
        var random = TestRandom(44)
        let c = Case(20, 8, 3_000, &random)
        let (dx, dw) = (Buffer(count: c.x.count), Buffer(count: c.w.count))
        operations.headBackward(
            dx: dx, dw: dw, x: Buffer(c.x), w: Buffer([Float](repeating: 1, count: c.w.count)), targets: c.targets, weights: c.weights,
            rows: c.rows, width: c.width, vocabulary: c.vocabulary)
        assertClose(dx.array, [Double](repeating: 0, count: c.x.count), absolute: 1e-5, k: 0)
    }

    func testLargeAndInfiniteLogits() {
        // One input of 1: the weights are the logits.
        func loss(_ logits: [Float], target: Int32) -> Float {
            let losses = Buffer(count: 1)
            operations.headForward(
                losses: losses, x: Buffer([1]), w: Buffer(logits), targets: [target], rows: 1, width: 1, vocabulary: logits.count)
            return losses.array[0]
        }
        XCTAssertEqual(loss([1000, 1000], target: 0), Float(log(2.0)))
        XCTAssertEqual(loss([-1000, -1000], target: 1), Float(log(2.0)))
        XCTAssertEqual(loss([3e38, -3e38], target: 0), 0)
        XCTAssertEqual(loss([7], target: 0), 0)
        XCTAssertEqual(loss([0, -.infinity], target: 0), 0)
        XCTAssertEqual(loss([0, -.infinity], target: 1), .infinity)
        XCTAssert(loss([0, .nan], target: 0).isNaN)
        XCTAssertEqual(loss([Float](repeating: Float(bitPattern: 700), count: 250_000), target: 9), Float(log(250_000.0)), accuracy: 2e-6)
    }

    func testNothingToLearn() {
        let losses = Buffer([5, 5])
        let (dx, dw) = (Buffer(count: 4), Buffer(count: 6))
        operations.headForwardBackward(
            losses: losses, dx: dx, dw: dw, x: Buffer([1, 2, 3, 4]), w: Buffer([1, 2, 3, 4, 5, 6]), targets: [-1, -1], weights: [1, 1],
            rows: 2, width: 2, vocabulary: 3)
        XCTAssert(losses.array.allSatisfy { $0.isNaN })
        XCTAssert((dx.array + dw.array).allSatisfy { $0 == 0 })
    }
}
