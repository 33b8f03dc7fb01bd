// The operations of state-space models against their Double twins, forward and backward.
import Glibc
import TestSupport
import XCTest

@testable import Compute

final class StateSpaceTests: EveryLevelTestCase {
    func testConvolution() {
        var random = TestRandom(71)
        let cases = [
            ([0], 3, 4), ([0, 1], 1, 1), ([0, 0, 2, 9], 7, 4), ([0, 5, 8], 18, 3), ([0, 2, 40], 65, 4), ([0, 700, 701], 160, 4),
            ([0, 3], 2, 9),
        ]
        for (splits, channels, taps) in cases {
            let what = "\(splits) x \(channels), \(taps) taps, seed \(random.seed)"
            let count = splits.last! * channels
            let (x, w, b, dy) = (random.floats(count), random.floats(channels * taps), random.floats(channels), random.floats(count))
            for bias in [b, nil] {
                let y = Buffer([Float](repeating: 5, count: count))
                operations.convolutionForward(
                    y: y, x: Buffer(x), w: Buffer(w), b: bias.map { Buffer($0) }, splits: splits, channels: channels, taps: taps)
                let twin = twinConvolution(x.doubles, w.doubles, bias?.doubles, splits: splits, channels: channels, taps: taps)
                assertClose(y.array, twin, absolute: 2e-7, k: 2, n: taps, what)
            }
            let (dx, dw, db) = (Buffer(count: count), Buffer(w), Buffer(count: channels))
            operations.convolutionBackward(
                dx: dx, dw: dw, db: db, dy: Buffer(dy), x: Buffer(x), w: Buffer(w), splits: splits, channels: channels, taps: taps)
            // It adds to what was there.
            let added = zip(dw.array, w).map { $0 - $1 }
            let f = { (x: [Double], w: [Double], b: [Double]) in
                inner(dy.doubles, twinConvolution(x, w, b, splits: splits, channels: channels, taps: taps))
            }
            let (xd, wd, bd) = (x.doubles, w.doubles, b.doubles)
            if count <= 200 {
                assertClose(dx.array, numericalGradient(xd) { f($0, wd, bd) }, absolute: 1e-6, k: 4, "dx " + what)
                assertClose(added, numericalGradient(wd) { f(xd, $0, bd) }, absolute: 2e-6, k: 4, "dw " + what)
                assertClose(db.array, numericalGradient(bd) { f(xd, wd, $0) }, absolute: 1e-6, k: 4, "db " + what)
            }
            for (gradient, point, value) in [
                (dx.array, xd, { f($0, wd, bd) }), (added, wd, { f(xd, $0, bd) }), (db.array, bd, { f(xd, wd, $0) }),
            ] as [([Float], [Double], ([Double]) -> Double)] {
                let direction = random.floats(point.count).doubles
                let size = inner(gradient.doubles.map(abs), direction.map(abs))
                XCTAssertEqual(
                    inner(gradient.doubles, direction), directionalDerivative(point, along: direction, of: value),
                    accuracy: 2e-6 * size + 1e-6, what)
            }
        }
    }

    /// A scan's inputs: steps and decays as softplus and −exp make them.
    private func inputs(_ rows: Int, _ channels: Int, _ states: Int, _ random: inout TestRandom) -> [[Float]] {
        [
            random.floats(rows * channels), random.floats(rows * channels).map { 0.5 + 0.45 * $0 },
            random.floats(channels * states).map { -1.5 - 1.4 * $0 }, random.floats(rows * states), random.floats(rows * states),
            random.floats(channels),
        ]
    }

    private func twin(_ p: [[Double]]) -> TwinScan { TwinScan(x: p[0], delta: p[1], a: p[2], b: p[3], c: p[4], d: p[5]) }

    private func scan(_ p: [Buffer], splits: [Int], channels: Int, states: Int) -> [Float] {
        let y = Buffer([Float](repeating: 5, count: splits.last! * channels))
        operations.selectiveScanForward(
            y: y, x: p[0], delta: p[1], a: p[2], b: p[3], c: p[4], d: p[5], splits: splits, channels: channels, states: states)
        return y.array
    }

    func testSelectiveScan() {
        var random = TestRandom(72)
        let cases = [
            ([0], 3, 2), ([0, 1], 1, 1), ([0, 0, 2, 9], 5, 3), ([0, 4], 17, 16), ([0, 33, 40], 2, 5), ([0, 70], 3, 2),
            ([0, 100, 101, 260], 100, 16),
            ([0, 64], 800, 4),
        ]
        for (splits, channels, states) in cases {
            let what = "\(splits) x \(channels), \(states) states, seed \(random.seed)"
            let rows = splits.last!
            let parts = inputs(rows, channels, states, &random)
            let buffers = parts.map { Buffer($0) }
            let exact = parts.map(\.doubles)
            let y = scan(buffers, splits: splits, channels: channels, states: states)
            assertClose(y, twin(exact)(splits: splits, channels: channels, states: states), absolute: 4e-6, k: 8, what)

            let dy = random.floats(rows * channels)
            // Gradients are added: they begin at 1.
            let gradients = parts.map { Buffer([Float](repeating: 1, count: $0.count)) }
            operations.selectiveScanBackward(
                dx: gradients[0], ddelta: gradients[1], da: gradients[2], db: gradients[3], dc: gradients[4], dd: gradients[5],
                dy: Buffer(dy), x: buffers[0], delta: buffers[1], a: buffers[2], b: buffers[3], c: buffers[4], d: buffers[5],
                splits: splits, channels: channels, states: states)
            for i in parts.indices {
                let name = ["dx", "ddelta", "da", "db", "dc", "dd"][i] + ", " + what
                let gradient = gradients[i].array.map { Double($0) - 1 }
                let f = { (point: [Double]) in
                    var moved = exact
                    moved[i] = point
                    return inner(dy.doubles, self.twin(moved)(splits: splits, channels: channels, states: states))
                }
                if exact[i].count <= 250 && rows * channels * states <= 3_000 {
                    assertClose(gradient.map(Float.init), numericalGradient(exact[i], of: f), absolute: 1e-5, k: 16, name)
                }
                let direction = random.floats(exact[i].count).doubles
                let size = inner(gradient.map(abs), direction.map(abs))
                XCTAssertEqual(
                    inner(gradient, direction), directionalDerivative(exact[i], along: direction, of: f), accuracy: 4e-6 * size + 1e-5, name
                )
            }
        }
    }

    /// A segment alone gives the bits that it has in company, and other channels change none.
    func testSegmentsAndChannelsDoNotMix() {
        var random = TestRandom(73)
        let (channels, states) = (40, 6)
        let parts = inputs(90, channels, states, &random)
        let all = scan(parts.map { Buffer($0) }, splits: [0, 50, 90], channels: channels, states: states)
        let second = parts.enumerated().map { i, part in
            [0, 1].contains(i) ? Array(part[(50 * channels)...]) : [3, 4].contains(i) ? Array(part[(50 * states)...]) : part
        }
        assertSameBits(
            Array(all[(50 * channels)...]), scan(second.map { Buffer($0) }, splits: [0, 40], channels: channels, states: states))
        var moved = parts
        for t in 0..<90 { moved[0][t * channels + 3] += 1 }
        let other = scan(moved.map { Buffer($0) }, splits: [0, 50, 90], channels: channels, states: states)
        for t in 0..<90 {
            for c in 0..<channels where c != 3 { XCTAssertEqual(all[t * channels + c], other[t * channels + c]) }
            XCTAssertNotEqual(all[t * channels + 3], other[t * channels + 3])
        }
    }

    func testSoftplus() {
        var random = TestRandom(74)
        for n in oddSizes {
            let (x, dy) = (random.floats(n, 30), random.floats(n))
            let (y, dx) = (Buffer(x), Buffer([Float](repeating: 1, count: n)))
            operations.softplusForward(y: y, x: y, count: n)
            assertClose(y.array, x.doubles.map { log1p(exp($0)) }, absolute: 0, k: 2, "n = \(n), seed \(random.seed)")
            operations.softplusBackward(dx: dx, dy: Buffer(dy), x: Buffer(x), count: n)
            let expected = zip(x.doubles, dy.doubles).map { 1 + $1 / (1 + exp(-$0)) }
            assertClose(dx.array, expected, absolute: 2e-7, k: 2, "n = \(n), seed \(random.seed)")
        }
        let y = Buffer([-.infinity, -200, -90, 0, 17.5, 20, 3e38, .infinity, .nan])
        operations.softplusForward(y: y, x: y, count: 9)
        XCTAssertEqual(Array(y.array[0...1]), [0, 0])
        XCTAssertEqual(Double(y.array[2]), exp(-90), accuracy: 2e-45)
        XCTAssertEqual(Double(y.array[3]), log(2), accuracy: 6e-8)
        XCTAssertEqual(Array(y.array[4...7]), [17.5, 20, 3e38, .infinity])
        XCTAssert(y.array[8].isNaN)
    }
}
