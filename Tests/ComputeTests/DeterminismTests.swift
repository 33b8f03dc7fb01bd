// The same bytes for any number of threads, and for any company of a row.
import TestSupport
import XCTest

@testable import Compute

final class DeterminismTests: XCTestCase {
    /// The result of `body` with 1, 2 and 4 threads, each compared with the first.
    private func sameForAnyThreads(_ name: String, _ body: (CPUOperations) -> [Float]) {
        for precision in Precision.allCases {
            let expected = body(CPUOperations(pool: ThreadPool(threads: 1), precision: precision))
            for threads in [2, 4] {
                let operations = CPUOperations(pool: ThreadPool(threads: threads), precision: precision)
                for _ in 0..<3 { assertSameBits(body(operations), expected, "\(name), \(precision), \(threads) threads") }
            }
        }
    }

    private func output(_ counts: [Int], _ body: ([Buffer]) -> Void) -> [Float] {
        let buffers = counts.map { Buffer(count: $0) }
        body(buffers)
        return buffers.flatMap(\.array)
    }

    func testLinear() {
        var random = TestRandom(61)
        let (rows, inputs, outputs) = (700, 200, 330)
        let (x, w) = (Buffer(random.floats(rows * inputs)), Buffer(random.floats(inputs * outputs)))
        let dy = Buffer(random.floats(rows * outputs))
        sameForAnyThreads("linear") { operations in
            output([rows * outputs, rows * inputs, outputs * inputs]) {
                operations.linearForward(y: $0[0], x: x, w: w, rows: rows, inputs: inputs, outputs: outputs)
                operations.linearBackwardInput(dx: $0[1], dy: dy, w: w, rows: rows, inputs: inputs, outputs: outputs)
                operations.linearBackwardWeight(dw: $0[2], dy: dy, x: x, rows: rows, inputs: inputs, outputs: outputs)
            }
        }
    }

    func testAttention() {
        var random = TestRandom(62)
        let cases = [
            ([0, 100, 101, 400, 530], 4, 2, 16, AttentionOptions()), ([0, 1_300, 1_350], 2, 1, 8, AttentionOptions(softCap: 2)),
            ([0, 1_300], 2, 1, 8, AttentionOptions(window: 200)),
        ]
        for (splits, heads, keyHeads, D, options) in cases {
            let rows = splits.last!
            let q = Buffer(random.floats(rows * heads * D))
            let (k, v) = (Buffer(random.floats(rows * keyHeads * D)), Buffer(random.floats(rows * keyHeads * D)))
            sameForAnyThreads("attention over \(splits)") { operations in
                output([rows * heads * D, rows * heads, rows * heads * D, rows * keyHeads * D, rows * keyHeads * D]) {
                    operations.attentionForward(
                        o: $0[0], lse: $0[1], q: q, k: k, v: v, splits: splits, heads: heads, keyValueHeads: keyHeads, headWidth: D,
                        options: options)
                    operations.attentionBackward(
                        dq: $0[2], dk: $0[3], dv: $0[4], do: q, o: $0[0], lse: $0[1], q: q, k: k, v: v, splits: splits, heads: heads,
                        keyValueHeads: keyHeads, headWidth: D, options: options)
                }
            }
        }
    }

    func testHead() {
        var random = TestRandom(63)
        let (rows, width, vocabulary) = (600, 40, 7_000)
        let (x, w) = (Buffer(random.floats(rows * width)), Buffer(random.floats(vocabulary * width)))
        let targets = random.integers(rows, below: vocabulary).map(Int32.init)
        let weights = random.floats(rows)
        sameForAnyThreads("head") { operations in
            output([rows, rows, rows * width, vocabulary * width]) {
                operations.headForward(losses: $0[0], x: x, w: w, targets: targets, rows: rows, width: width, vocabulary: vocabulary)
                operations.headForwardBackward(
                    losses: $0[1], dx: $0[2], dw: $0[3], x: x, w: w, targets: targets, weights: weights, rows: rows, width: width,
                    vocabulary: vocabulary)
            }
        }
    }

    func testStateSpace() {
        var random = TestRandom(66)
        let (rows, channels, states, taps) = (300, 500, 7, 4)
        let n = rows * channels
        let (x, dy, delta) = (Buffer(random.floats(n)), Buffer(random.floats(n)), Buffer(random.floats(n).map { 0.5 + 0.4 * $0 }))
        let (b, c) = (Buffer(random.floats(rows * states)), Buffer(random.floats(rows * states)))
        let (a, d) = (Buffer(random.floats(channels * states).map { $0 - 1.1 }), Buffer(random.floats(channels)))
        let w = Buffer(random.floats(channels * taps))
        let splits = [0, 130, 131, 300]
        sameForAnyThreads("convolution and scan") { operations in
            output([n, n, channels * taps, channels, n, n, n, channels * states, rows * states, rows * states, channels]) {
                operations.convolutionForward(y: $0[0], x: x, w: w, b: d, splits: splits, channels: channels, taps: taps)
                operations.convolutionBackward(
                    dx: $0[1], dw: $0[2], db: $0[3], dy: dy, x: x, w: w, splits: splits, channels: channels, taps: taps)
                operations.selectiveScanForward(
                    y: $0[4], x: x, delta: delta, a: a, b: b, c: c, d: d, splits: splits, channels: channels, states: states)
                operations.selectiveScanBackward(
                    dx: $0[5], ddelta: $0[6], da: $0[7], db: $0[8], dc: $0[9], dd: $0[10], dy: dy, x: x, delta: delta, a: a, b: b, c: c,
                    d: d, splits: splits, channels: channels, states: states)
            }
        }
    }

    func testTheRest() {
        var random = TestRandom(64)
        let (rows, width) = (500, 200)
        let n = rows * width
        let (x, dy, g) = (Buffer(random.floats(n)), Buffer(random.floats(n)), Buffer(random.floats(width)))
        let ids = random.integers(rows, below: 20).map(UInt32.init)
        sameForAnyThreads("norm, gate, embedding, sum") { operations in
            output([n, rows, n, width, n, n, n, 20 * width, 1, n, rows, rows, n, width, width, n]) {
                operations.rmsNormForward(y: $0[0], r: $0[1], x: x, g: g, rows: rows, width: width, epsilon: 1e-5)
                operations.rmsNormBackward(dx: $0[2], dg: $0[3], dy: dy, x: x, g: g, r: $0[1], rows: rows, width: width)
                operations.gatedForward(h: $0[4], gate: x, up: dy, count: n, activation: .gelu)
                operations.gatedBackward(dgate: $0[5], dup: $0[6], dh: dy, gate: x, up: dy, count: n, activation: .gelu)
                operations.embeddingBackward(dtable: $0[7], dx: dy, ids: ids, width: width)
                $0[8].pointer[0] = Float(operations.sumOfSquares(x, count: n))
                operations.layerNormForward(
                    y: $0[9], mean: $0[10], r: $0[11], x: x, g: g, b: g, rows: rows, width: width, epsilon: 1e-5)
                operations.layerNormBackward(
                    dx: $0[12], dg: $0[13], db: $0[14], dy: dy, x: x, g: g, mean: $0[10], r: $0[11], rows: rows, width: width)
                operations.activationBackward(dx: $0[15], dh: dy, x: x, count: n, activation: .geluTanh)
            }
        }
    }

    /// Any part of the rows gives the bits that they have among all rows, down to one row.
    func testRowsDoNotDependOnTheirCompany() throws {
        let core = OpenBLAS.core
        try XCTSkipUnless(OpenBLAS.wideCores.contains(core), "OpenBLAS's core \(core) sums rows by their place")
        var random = TestRandom(65)
        let operations = CPUOperations(pool: ThreadPool(threads: 2))
        for (inputs, outputs, vocabulary) in [(64, 48, 300), (96, 576, 5_000), (576, 192, 2_500)] {
            let rows = 300
            let (x, w) = (random.floats(rows * inputs), Buffer(random.floats(inputs * outputs)))
            let head = Buffer(random.floats(vocabulary * inputs))
            let targets = random.integers(rows, below: vocabulary).map(Int32.init)
            func run(_ range: Range<Int>) -> (y: [Float], losses: [Float]) {
                let part = Buffer(Array(x[range.lowerBound * inputs..<range.upperBound * inputs]))
                let (y, losses) = (Buffer(count: range.count * outputs), Buffer(count: range.count))
                operations.linearForward(y: y, x: part, w: w, rows: range.count, inputs: inputs, outputs: outputs)
                operations.headForward(
                    losses: losses, x: part, w: head, targets: Array(targets[range]), rows: range.count, width: inputs,
                    vocabulary: vocabulary)
                return (y.array, losses.array)
            }
            let all = run(0..<rows)
            for range in [0..<1, 7..<8, 299..<300, 3..<5, 0..<15, 16..<33, 100..<171, 41..<171, 1..<300] {
                let part = run(range)
                let what = "rows \(range) of \(inputs) x \(outputs), seed \(random.seed)"
                assertSameBits(part.y, Array(all.y[range.lowerBound * outputs..<range.upperBound * outputs]), "linear, " + what)
                assertSameBits(part.losses, Array(all.losses[range]), "head, " + what)
            }
        }
    }
}
