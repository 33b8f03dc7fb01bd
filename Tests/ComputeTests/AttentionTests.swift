// Attention against its Double twin: segments, groups, causality, gradients.
import TestSupport
import XCTest

@testable import Compute

final class AttentionTests: EveryLevelTestCase {
    private struct Case {
        var splits: [Int]
        var heads = 2
        var keyValueHeads = 1
        var headWidth = 4
        var options = AttentionOptions()

        func twin(_ q: [Double], _ k: [Double], _ v: [Double]) -> (o: [Double], lse: [Double]) {
            twinAttention(
                q: q, k: k, v: v, splits: splits, heads: heads, keyValueHeads: keyValueHeads, headWidth: headWidth,
                scale: options.scale.map(Double.init), window: options.window, softCap: options.softCap.map(Double.init))
        }
    }

    private func inputs(_ c: Case, _ random: inout TestRandom, _ range: Float = 1) -> (q: [Float], k: [Float], v: [Float]) {
        let rows = c.splits.last!
        let keys = rows * c.keyValueHeads * c.headWidth
        return (random.floats(rows * c.heads * c.headWidth, range), random.floats(keys, range), random.floats(keys, range))
    }

    private func forward(_ c: Case, q: [Float], k: [Float], v: [Float]) -> (o: Buffer, lse: Buffer) {
        let (o, lse) = (Buffer(count: q.count), Buffer(count: c.splits.last! * c.heads))
        operations.attentionForward(
            o: o, lse: lse, q: Buffer(q), k: Buffer(k), v: Buffer(v), splits: c.splits, heads: c.heads,
            keyValueHeads: c.keyValueHeads, headWidth: c.headWidth, options: c.options)
        return (o, lse)
    }

    func testForward() {
        var random = TestRandom(31)
        let cases = [
            Case(splits: [0]), Case(splits: [0, 1]), Case(splits: [0, 0, 2, 9]),
            Case(splits: [0, 7, 15, 24], heads: 6, keyValueHeads: 3, headWidth: 8),
            Case(splits: [0, 127, 127, 256, 560], heads: 3, keyValueHeads: 1, headWidth: 6),
            Case(splits: [0, 129], heads: 4, keyValueHeads: 4, headWidth: 10),
            // More keys than one run has.
            Case(splits: [0, 30, 2_650]),
            Case(splits: [0, 0, 40, 60], options: AttentionOptions(window: 1)),
            Case(splits: [0, 9, 150, 400], heads: 3, headWidth: 6, options: AttentionOptions(scale: 0.3, window: 5)),
            Case(splits: [0, 333], options: AttentionOptions(window: 100, softCap: 1.5)),
            Case(splits: [0, 200], heads: 2, keyValueHeads: 2, options: AttentionOptions(window: 200, softCap: 30)),
            Case(splits: [0, 200], options: AttentionOptions(window: 1_000)),
            Case(splits: [0, 2_500], heads: 1, options: AttentionOptions(scale: 0.7, window: 1_500)),
        ]
        for c in cases {
            let (q, k, v) = inputs(c, &random, 3)
            let (o, lse) = forward(c, q: q, k: k, v: v)
            let twin = c.twin(q.doubles, k.doubles, v.doubles)
            assertClose(o.array, twin.o, absolute: 2e-6, k: 8, "\(c), seed \(random.seed)")
            assertClose(lse.array, twin.lse, absolute: 2e-6, k: 4, "\(c), seed \(random.seed)")
        }
    }

    /// What comes later, and what other segments hold, changes no bit.
    func testCausalityAndSegments() {
        var random = TestRandom(32)
        let c = Case(splits: [0, 150, 300], heads: 2, keyValueHeads: 2, headWidth: 8)
        let (q, k, v) = inputs(c, &random)
        let before = forward(c, q: q, k: k, v: v).o.array
        var (k2, v2) = (k, v)
        let cut = 220 * 16
        for i in cut..<k.count {
            k2[i] += 5
            v2[i] -= 5
        }
        let after = forward(c, q: q, k: k2, v: v2).o.array
        assertSameBits(Array(before[..<cut]), Array(after[..<cut]), "rows before the change")
        XCTAssertNotEqual(before[cut...], after[cut...])
        // The second segment alone gives the same bits.
        let alone = Case(splits: [0, 150], heads: 2, keyValueHeads: 2, headWidth: 8)
        let half = 150 * 16
        let second = forward(alone, q: Array(q[half...]), k: Array(k[half...]), v: Array(v[half...])).o.array
        assertSameBits(Array(before[half...]), second, "a segment alone")
    }

    /// Rows of one: attention to equal values gives them back.
    func testWeightsSumToOne() {
        var random = TestRandom(33)
        let c = Case(splits: [0, 200], heads: 2, keyValueHeads: 1, headWidth: 8)
        let (q, k, v) = inputs(c, &random, 4)
        let o = forward(c, q: q, k: k, v: [Float](repeating: 1, count: v.count)).o.array
        assertClose(o, [Double](repeating: 1, count: o.count), absolute: 0, k: 2, n: 200)
    }

    /// A score that is far above those of the runs before it, and one far below.
    func testRunsOfUnlikeScores() {
        var random = TestRandom(35)
        let c = Case(splits: [0, 2_400], heads: 1, options: AttentionOptions(scale: 1))
        var (q, k, v) = inputs(c, &random)
        for key in [0, 900, 1_800] {
            for i in 0..<4 {
                q[(key + 1) * 4 + i] = 9
                k[key * 4 + i] = key == 900 ? -9 : Float(key) / 200
            }
        }
        v[1_800 * 4] = 5
        let twin = c.twin(q.doubles, k.doubles, v.doubles)
        let (o, lse) = forward(c, q: q, k: k, v: v)
        XCTAssertEqual(o.array[1_801 * 4], 5, "attends to the one key")
        assertClose(o.array, twin.o, absolute: 4e-5, k: 8)
        assertClose(lse.array, twin.lse, absolute: 4e-5, k: 4)
    }

    func testBackward() {
        var random = TestRandom(34)
        let cases = [
            Case(splits: [0]), Case(splits: [0, 1]), Case(splits: [0, 0, 2, 9]),
            Case(splits: [0, 7, 12], heads: 4, keyValueHeads: 2, headWidth: 6),
            Case(splits: [0, 140], heads: 2, keyValueHeads: 1, headWidth: 4),
            Case(splits: [0, 3, 12], options: AttentionOptions(scale: 0.8, window: 4, softCap: 1.2)),
            Case(splits: [0, 140], options: AttentionOptions(window: 50, softCap: 3)),
            // Segments cut into parts with sums of their own, and into runs of keys.
            Case(splits: [0, 20, 1_620], heads: 1, headWidth: 2), Case(splits: [0, 900], options: AttentionOptions(window: 70)),
        ]
        for c in cases {
            let what = "\(c), seed \(random.seed)"
            let (q, k, v) = inputs(c, &random, 1.5)
            let weights = random.floats(q.count)
            let (o, lse) = forward(c, q: q, k: k, v: v)
            let (dq, dk, dv) = (Buffer(count: q.count), Buffer(count: k.count), Buffer(count: v.count))
            operations.attentionBackward(
                dq: dq, dk: dk, dv: dv, do: Buffer(weights), o: o, lse: lse, q: Buffer(q), k: Buffer(k), v: Buffer(v),
                splits: c.splits, heads: c.heads, keyValueHeads: c.keyValueHeads, headWidth: c.headWidth, options: c.options)
            let f = { (q: [Double], k: [Double], v: [Double]) in inner(weights.doubles, c.twin(q, k, v).o) }
            let (xq, xk, xv) = (q.doubles, k.doubles, v.doubles)
            if c.splits.last! <= 12 {
                assertClose(dq.array, numericalGradient(xq) { f($0, xk, xv) }, absolute: 2e-6, k: 16, "dq " + what)
                assertClose(dk.array, numericalGradient(xk) { f(xq, $0, xv) }, absolute: 2e-6, k: 16, "dk " + what)
                assertClose(dv.array, numericalGradient(xv) { f(xq, xk, $0) }, absolute: 2e-6, k: 16, "dv " + what)
            }
            let direction = random.floats(q.count).doubles
            XCTAssertEqual(
                inner(dq.array.doubles, direction), directionalDerivative(xq, along: direction) { f($0, xk, xv) }, accuracy: 1e-4, what)
            let keyDirection = random.floats(k.count).doubles
            XCTAssertEqual(
                inner(dk.array.doubles, keyDirection), directionalDerivative(xk, along: keyDirection) { f(xq, $0, xv) }, accuracy: 1e-4,
                what)
            XCTAssertEqual(
                inner(dv.array.doubles, keyDirection), directionalDerivative(xv, along: keyDirection) { f(xq, xk, $0) }, accuracy: 1e-4,
                what)
        }
    }
}
