// Products in bfloat16 of every instruction set against their Double twins, and how values are rounded.
import CKernels
import TestSupport
import XCTest

@testable import Compute

/// x rounded to bfloat16, ties to even, by Double arithmetic on its bits.
private func rounded(_ x: Float) -> Float {
    let (low, high) = (Float(bitPattern: x.bitPattern & 0xffff_0000), Float(bitPattern: (x.bitPattern & 0xffff_0000) + 0x1_0000))
    if x.isNaN || x.isInfinite || x == low { return x }
    let (below, above) = (
        abs(Double(x) - Double(low)), high.isInfinite ? 0x1p120 - abs(Double(x) - 0x1.fep127) : abs(Double(high) - Double(x))
    )
    if below != above { return below < above ? low : high }
    return low.bitPattern & 0x1_0000 == 0 ? low : high
}

final class BFloat16ProductTests: XCTestCase {
    /// The loops of every instruction set that runs here.
    private var levels: [UnsafePointer<preceptor_products>] {
        let wanted: [(preceptor_level, Bool)] = [
            (preceptor_baseline, false), (preceptor_v3, false), (preceptor_v4, false), (preceptor_v4, true),
        ]
        return wanted.map { preceptor_products_for($0, $1) }
    }

    func testRounding() {
        var values: [Float] = [
            0, -0, 1, 1.00390625, 1.01171875, 0x1.fep127, 0x1.feffp127, 0x1.ff8p127, .greatestFiniteMagnitude, .infinity,
            -.infinity, .leastNormalMagnitude, .leastNonzeroMagnitude, 1e-40, -3.3895e38,
        ]
        var random = TestRandom(91)
        for _ in 0..<2_000 { values.append(Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))) }
        let usual = values.filter { !$0.isNaN }
        for loops in levels {
            var packed = [UInt16](repeating: 7, count: preceptor_row_stride(usual.count))
            loops.pointee.rows(&packed, preceptor_row_stride(usual.count), usual, usual.count, 1, usual.count)
            let back = usual.indices.map { Float(bitPattern: UInt32(packed[$0]) << 16) }
            let name = String(cString: loops.pointee.name)
            for (value, result) in zip(usual, back) {
                // Beyond the largest finite value rounding gives infinity.
                let expected = abs(value) >= 0x1.ffp127 ? (value > 0 ? Float.infinity : -.infinity) : rounded(value)
                XCTAssertEqual(result.bitPattern, expected.bitPattern, "\(name): \(value)")
            }
            var nan = [UInt16](repeating: 0, count: 64)
            loops.pointee.rows(&nan, 64, [Float(bitPattern: 0x7f80_0001), Float(bitPattern: 0xffff_ffff)], 2, 1, 2)
            XCTAssertTrue(Float(bitPattern: UInt32(nan[0]) << 16).isNaN && Float(bitPattern: UInt32(nan[1]) << 16).isNaN, name)
        }
    }

    func testProductsOfAllForms() {
        var random = TestRandom(92)
        for (m, n, k) in [(1, 1, 1), (3, 5, 7), (14, 32, 64), (15, 33, 31), (31, 100, 65), (29, 70, 4_101), (130, 96, 200)] {
            let (a, b, c) = (random.floats(m * k), random.floats(k * n), random.floats(m * n))
            let (aT, bT) = (transposed(a, m, k), transposed(b, k, n))
            let exact = twinLinear(a.map { Double(rounded($0)) }, bT.map { Double(rounded($0)) }, rows: m, inputs: k, outputs: n)
            for loops in levels {
                let products = BFloat16Products(pool: ThreadPool(threads: 2), scratch: Scratch(workers: 2), loops)
                for form in 0..<8 {
                    let what = "\(m) x \(n) x \(k), form \(form), \(String(cString: loops.pointee.name)), seed \(random.seed)"
                    let accumulate = form & 4 != 0
                    let result = Buffer(c)
                    a.withUnsafeBufferPointer { a in
                        aT.withUnsafeBufferPointer { aT in
                            b.withUnsafeBufferPointer { b in
                                bT.withUnsafeBufferPointer { bT in
                                    products.multiply(
                                        form & 1 == 0 ? .rows(a.baseAddress!, stride: k) : .transposed(aT.baseAddress!, stride: m),
                                        [
                                            ProductResult(
                                                operand: form & 2 == 0
                                                    ? .rows(b.baseAddress!, stride: n) : .transposed(bT.baseAddress!, stride: k),
                                                c: result.pointer, stride: n, n: n)
                                        ], m: m, k: k, accumulate: accumulate)
                                }
                            }
                        }
                    }
                    let expected = zip(exact, c).map { accumulate ? $0 + Double($1) : $0 }
                    assertClose(result.array, expected, absolute: 4e-7 * Double(k).squareRoot(), k: 4, what)
                }
            }
        }
    }

    private func transposed(_ x: [Float], _ rows: Int, _ columns: Int) -> [Float] {
        (0..<columns).flatMap { c in (0..<rows).map { x[$0 * columns + c] } }
    }

    /// A row of the result has the same bits alone and among others.
    func testRowsDoNotDependOnTheirCompany() {
        var random = TestRandom(93)
        let (rows, inputs, outputs) = (200, 300, 130)
        let (x, w) = (random.floats(rows * inputs), Buffer(random.floats(outputs * inputs)))
        let operations = CPUOperations(pool: ThreadPool(threads: 2), precision: .bfloat16)
        let all = Buffer(count: rows * outputs)
        operations.linearForward(y: all, x: Buffer(x), w: w, rows: rows, inputs: inputs, outputs: outputs)
        for (first, count) in [(0, 1), (3, 2), (50, 77), (199, 1)] {
            let some = Buffer(count: count * outputs)
            operations.linearForward(
                y: some, x: Buffer(Array(x[first * inputs..<(first + count) * inputs])), w: w, rows: count, inputs: inputs, outputs: outputs
            )
            assertSameBits(some.array, Array(all.array[first * outputs..<(first + count) * outputs]), "rows \(first)..<\(first + count)")
        }
    }

    /// Losses against a Double twin on rounded operands; gradients within what rounding the logits' gradient to 8 bits can do.
    func testHead() {
        var random = TestRandom(94)
        let operations = CPUOperations(pool: ThreadPool(threads: 2), precision: .bfloat16)
        for (rows, width, vocabulary) in [(1, 1, 1), (9, 8, 50), (30, 17, 100), (600, 40, 5_000)] {
            let (x, w) = (random.floats(rows * width, 2), random.floats(vocabulary * width))
            var targets = random.integers(rows, below: vocabulary).map(Int32.init)
            for i in stride(from: 3, to: rows, by: 5) { targets[i] = -1 }
            let weights = random.floats(rows)
            let (losses, again) = (Buffer(count: rows), Buffer(count: rows))
            let (dx, dw, exactDX, exactDW) = (
                Buffer(count: rows * width), Buffer(count: vocabulary * width), Buffer(count: rows * width),
                Buffer(count: vocabulary * width)
            )
            let (bx, bw) = (Buffer(x.map(rounded)), Buffer(w.map(rounded)))
            operations.headForward(losses: losses, x: bx, w: bw, targets: targets, rows: rows, width: width, vocabulary: vocabulary)
            let twin = twinCrossEntropy(bx.array.doubles, bw.array.doubles, targets: targets, width: width, vocabulary: vocabulary)
            assertClose(losses.array, twin, absolute: 2e-5, k: 8, "losses \(rows) x \(width) x \(vocabulary)")
            operations.headForwardBackward(
                losses: again, dx: dx, dw: dw, x: bx, w: bw, targets: targets, weights: weights, rows: rows, width: width,
                vocabulary: vocabulary)
            assertSameBits(again.array, losses.array, "one pass")
            CPUOperations(pool: ThreadPool(threads: 1)).headForwardBackward(
                losses: again, dx: exactDX, dw: exactDW, x: bx, w: bw, targets: targets, weights: weights, rows: rows, width: width,
                vocabulary: vocabulary)
            for (name, found, exact) in [("dx", dx, exactDX), ("dw", dw, exactDW)] {
                XCTAssertLessThan(
                    meanSquare(found, minus: exact), 3e-6 * meanSquare(exact, minus: nil) + 1e-12,
                    "\(name) \(rows) x \(width) x \(vocabulary)")
            }
        }
    }

    /// Attention and its gradients beside those in float32: what rounding to 8 bits of significand does, and no more.
    func testAttention() {
        var random = TestRandom(96)
        let cases: [(splits: [Int], heads: Int, keyHeads: Int, D: Int, options: AttentionOptions)] = [
            ([0], 2, 1, 4, AttentionOptions()), ([0, 1], 1, 1, 2, AttentionOptions()), ([0, 0, 2, 9], 2, 1, 4, AttentionOptions()),
            ([0, 127, 127, 256, 560], 3, 1, 6, AttentionOptions()), ([0, 130], 4, 4, 40, AttentionOptions(scale: 0.3)),
            ([0, 33, 400], 4, 2, 64, AttentionOptions(window: 37)), ([0, 333], 2, 1, 16, AttentionOptions(window: 100, softCap: 1.5)),
            ([0, 7, 2_650], 2, 1, 8, AttentionOptions()), ([0, 2_500], 1, 1, 4, AttentionOptions(scale: 0.7, window: 1_500)),
        ]
        for c in cases {
            let rows = c.splits.last!
            let (queries, keys) = (rows * c.heads * c.D, rows * c.keyHeads * c.D)
            let (q, k, v) = (Buffer(random.floats(queries, 2)), Buffer(random.floats(keys, 2)), Buffer(random.floats(keys)))
            let dO = Buffer(random.floats(queries))
            func results(_ precision: Precision) -> [Buffer] {
                let operations = CPUOperations(pool: ThreadPool(threads: 2), precision: precision)
                let (o, lse) = (Buffer(count: queries), Buffer(count: rows * c.heads))
                let (dq, dk, dv) = (Buffer(count: queries), Buffer(count: keys), Buffer(count: keys))
                operations.attentionForward(
                    o: o, lse: lse, q: q, k: k, v: v, splits: c.splits, heads: c.heads, keyValueHeads: c.keyHeads, headWidth: c.D,
                    options: c.options)
                operations.attentionBackward(
                    dq: dq, dk: dk, dv: dv, do: dO, o: o, lse: lse, q: q, k: k, v: v, splits: c.splits, heads: c.heads,
                    keyValueHeads: c.keyHeads, headWidth: c.D, options: c.options)
                return [o, lse, dq, dk, dv]
            }
            for (name, (found, exact)) in zip(["o", "lse", "dq", "dk", "dv"], zip(results(.bfloat16), results(.float32))) {
                let (error, size) = (meanSquare(found, minus: exact), meanSquare(exact, minus: nil))
                XCTAssertLessThanOrEqual(error, 1e-4 * size + 1e-6, "\(name) of \(c), seed \(random.seed)")
            }
        }
    }

    private func meanSquare(_ x: Buffer, minus y: Buffer?) -> Double {
        (0..<x.count).reduce(0) { sum, i in
            let d = Double(x.pointer[i]) - Double(y?.pointer[i] ?? 0)
            return sum + d * d
        }
    }
}
