// Operations bound by memory: norms, rotation, gates, the optimiser.
import Compute
import Glibc

extension Bench {
    /// Sizes beyond the last-level cache for the optimiser, a layer's activations for the rest; bytes of each array read or written once.
    func elementwise() {
        norms()
        gates()
        optimiser()
    }

    private func norms() {
        let (rows, width) = (2_048, 576)
        let n = rows * width
        let (x, g, r, y) = (random(n), random(width, seed: 2), Buffer(count: rows), Buffer(count: n))
        let forward = { self.operations.rmsNormForward(y: y, r: r, x: x, g: g, rows: rows, width: width, epsilon: 1e-5) }
        stream("rms norm forward \(rows) x \(width)", bytes: 8 * Double(n)) {
            forward()
            let square = (0..<width).reduce(0.0) { $0 + Double(x.pointer[$1]) * Double(x.pointer[$1]) }
            return abs(Double(r.pointer[0]) * (square / Double(width) + 1e-5).squareRoot() - 1) < 1e-6
        } _: {
            forward()
        }
        let (dx, dg) = (Buffer(count: n), Buffer(count: width))
        stream("rms norm backward \(rows) x \(width)", bytes: 24 * Double(n), verify: { true }) {
            operations.rmsNormBackward(dx: dx, dg: dg, dy: y, x: x, g: g, r: r, rows: rows, width: width)
        }
        let table = rotaryTable(positions: rows, headWidth: 64, theta: 10_000)
        let positions = (0..<rows).map { Int32($0) }
        stream("rotary \(rows) x 9 x 64", bytes: 8 * Double(n), verify: { true }) {
            operations.rotaryForward(x: y, positions: positions, table: table, rows: rows, heads: 9, headWidth: 64)
        }
    }

    private func gates() {
        let n = 2_048 * 1_536
        let (gate, up, h) = (random(n), random(n, seed: 2), Buffer(count: n))
        let (dgate, dup) = (Buffer(count: n), Buffer(count: n))
        stream("swiglu forward 2048 x 1536", bytes: 12 * Double(n)) {
            operations.swigluForward(h: h, gate: gate, up: up, count: n)
            let (z, u) = (Double(gate.pointer[7]), Double(up.pointer[7]))
            return abs(Double(h.pointer[7]) - z / (1 + exp(-z)) * u) < 1e-6
        } _: {
            operations.swigluForward(h: h, gate: gate, up: up, count: n)
        }
        stream("swiglu backward 2048 x 1536", bytes: 28 * Double(n), verify: { true }) {
            operations.swigluBackward(dgate: dgate, dup: dup, dh: h, gate: gate, up: up, count: n)
        }
    }

    private func optimiser() {
        let n = 40_000_000
        let (p, m, v, g) = (random(n), Buffer(count: n), Buffer(count: n), random(n, seed: 2))
        let update = AdamWUpdate(
            learningRate: 1e-3, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, correction1: 0.1, correction2: 0.05)
        let before = p.pointer[9]
        stream("adamw 40 M parameters", bytes: 28 * Double(n)) {
            operations.adamW(value: p, first: m, second: v, gradient: g, count: n, update: update)
            // A first step moves by the learning rate against the gradient's sign.
            let expected = before * (1 - 1e-4) - 1e-3 * (g.pointer[9] > 0 ? 1 : -1)
            return abs(p.pointer[9] - expected) < 1e-6
        } _: {
            operations.adamW(value: p, first: m, second: v, gradient: g, count: n, update: update)
        }
        stream("sum of squares 40 M", bytes: 4 * Double(n), verify: { true }) { _ = operations.sumOfSquares(g, count: n) }
    }
}
