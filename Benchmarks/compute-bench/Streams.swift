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
        layerNorm(x, g, rows: rows, width: width)
        for layout in [
            RotaryLayout(headWidth: 64), RotaryLayout(headWidth: 64, interleaved: true), RotaryLayout(headWidth: 64, rotaryWidth: 16),
        ] {
            let table = rotaryTable(positions: rows, RotaryConfiguration(theta: 10_000, layout: layout))
            let positions = (0..<rows).map { Int32($0) }
            let name = "rotary \(rows) x 9 x \(layout.rotaryWidth) of 64\(layout.interleaved ? ", neighbours" : "")"
            stream(name, bytes: 8 * Double(n * layout.rotaryWidth / 64)) {
                let before = (y.pointer[576], y.pointer[576 + (layout.interleaved ? 1 : layout.rotaryWidth / 2)])
                operations.rotaryForward(x: y, positions: positions, table: table, rows: rows, heads: 9, layout: layout)
                return abs(Double(y.pointer[576]) - Double(before.0) * cos(1) + Double(before.1) * sin(1)) < 1e-5
            } _: {
                operations.rotaryForward(x: y, positions: positions, table: table, rows: rows, heads: 9, layout: layout)
            }
        }
    }

    private func layerNorm(_ x: Buffer, _ g: Buffer, rows: Int, width: Int) {
        let n = rows * width
        let (b, mean, r, y) = (random(width, seed: 3), Buffer(count: rows), Buffer(count: rows), Buffer(count: n))
        let forward = {
            self.operations.layerNormForward(y: y, mean: mean, r: r, x: x, g: g, b: b, rows: rows, width: width, epsilon: 1e-5)
        }
        stream("layer norm forward \(rows) x \(width)", bytes: 8 * Double(n)) {
            forward()
            return abs(Double(mean.pointer[0]) - (0..<width).reduce(0.0) { $0 + Double(x.pointer[$1]) } / Double(width)) < 1e-6
        } _: {
            forward()
        }
        let (dx, dg, db) = (Buffer(count: n), Buffer(count: width), Buffer(count: width))
        stream("layer norm backward \(rows) x \(width)", bytes: 28 * Double(n), verify: { true }) {
            operations.layerNormBackward(dx: dx, dg: dg, db: db, dy: y, x: x, g: g, mean: mean, r: r, rows: rows, width: width)
        }
        stream("bias forward \(rows) x \(width)", bytes: 8 * Double(n), verify: { true }) {
            operations.biasForward(y: y, b: b, rows: rows, width: width)
        }
    }

    private func gates() {
        let n = 2_048 * 1_536
        let (gate, up, h) = (random(n), random(n, seed: 2), Buffer(count: n))
        let (dgate, dup) = (Buffer(count: n), Buffer(count: n))
        let values: [(Activation, (Double) -> Double)] = [
            (.silu, { $0 / (1 + exp(-$0)) }), (.gelu, { $0 / 2 * (1 + erf($0 / 2.0.squareRoot())) }),
            (.geluTanh, { $0 / 2 * (1 + tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0))) }), (.relu, { max($0, 0) }),
        ]
        for (activation, value) in values {
            stream("\(activation) gate forward 2048 x 1536", bytes: 12 * Double(n)) {
                operations.gatedForward(h: h, gate: gate, up: up, count: n, activation: activation)
                return abs(Double(h.pointer[7]) - value(Double(gate.pointer[7])) * Double(up.pointer[7])) < 1e-6
            } _: {
                operations.gatedForward(h: h, gate: gate, up: up, count: n, activation: activation)
            }
            stream("\(activation) gate backward 2048 x 1536", bytes: 28 * Double(n), verify: { true }) {
                operations.gatedBackward(dgate: dgate, dup: dup, dh: h, gate: gate, up: up, count: n, activation: activation)
            }
            stream("\(activation) forward 2048 x 1536", bytes: 8 * Double(n)) {
                operations.activationForward(h: h, x: gate, count: n, activation: activation)
                return abs(Double(h.pointer[7]) - value(Double(gate.pointer[7]))) < 1e-6
            } _: {
                operations.activationForward(h: h, x: gate, count: n, activation: activation)
            }
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
