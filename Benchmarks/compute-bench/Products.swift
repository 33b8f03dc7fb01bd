// Operations bound by arithmetic: linear maps, attention, the head.
import Compute
import Glibc

private func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ n: Int) -> Double {
    (0..<n).reduce(0) { $0 + Double(a[$1]) * Double(b[$1]) }
}

extension Bench {
    /// Whether a value agrees with its Double twin.
    private func near(_ value: Float, _ exact: Double) -> Bool {
        abs(Double(value) - exact) <= (operations.precision == .float32 ? 1e-4 : 2e-2) * (1 + abs(exact))
    }

    /// The linear maps of a SmolLM2-135M layer and of a 15 M Llama, by rows.
    func linear() {
        let shapes = [
            (2_048, 576, 576), (2_048, 576, 1_536), (2_048, 1_536, 576), (512, 576, 576), (512, 576, 1_536), (64, 576, 1_536),
            (4_096, 288, 768),
        ]
        for (rows, inputs, outputs) in shapes {
            let (x, w) = (random(rows * inputs), random(outputs * inputs, seed: 2))
            let (y, dw, dx) = (Buffer(count: rows * outputs), Buffer(count: outputs * inputs), Buffer(count: rows * inputs))
            let size = 2 * Double(rows) * Double(inputs) * Double(outputs)
            let shape = "\(rows) x \(inputs) x \(outputs)"
            product("linear forward \(shape)", operations: size) {
                operations.linearForward(y: y, x: x, w: w, rows: rows, inputs: inputs, outputs: outputs)
                return self.near(y.pointer[rows * outputs - 1], dot(x.pointer + (rows - 1) * inputs, w.pointer + (outputs - 1) * inputs, inputs))
            } _: {
                operations.linearForward(y: y, x: x, w: w, rows: rows, inputs: inputs, outputs: outputs)
            }
            product("linear backward \(shape)", operations: 2 * size, verify: { true }) {
                operations.linearBackwardInput(dx: dx, dy: y, w: w, rows: rows, inputs: inputs, outputs: outputs)
                operations.linearBackwardWeight(dw: dw, dy: y, x: x, rows: rows, inputs: inputs, outputs: outputs)
            }
        }
    }

    /// Attention of SmolLM2-135M's and of a 15 M Llama's shape over documents of several lengths, one with a window, one capped;
    /// operations counted for visible scores only.
    func attention() {
        let shapes = [
            (4, 512, 9, 3, 64), (16, 128, 9, 3, 64), (64, 32, 9, 3, 64), (1, 2_048, 9, 3, 64), (8, 256, 6, 6, 48), (2, 1_024, 6, 6, 48),
        ]
        for (segments, length, heads, keyHeads, D) in shapes { attention(segments, length, heads, keyHeads, D, AttentionOptions()) }
        attention(1, 8_192, 9, 3, 64, AttentionOptions())
        attention(1, 8_192, 9, 3, 64, AttentionOptions(window: 512))
        attention(4, 512, 9, 3, 64, AttentionOptions(softCap: 50))
    }

    private func attention(_ segments: Int, _ length: Int, _ heads: Int, _ keyHeads: Int, _ D: Int, _ options: AttentionOptions) {
        let window = options.window.map { ", window \($0)" } ?? ""
        let shape = "\(segments) x \(length), \(heads)/\(keyHeads) x \(D)\(window)\(options.softCap == nil ? "" : ", capped")"
        let rows = segments * length
        let splits = (0...segments).map { $0 * length }
        let (q, k, v) = (random(rows * heads * D), random(rows * keyHeads * D, seed: 2), random(rows * keyHeads * D, seed: 3))
        let (o, lse) = (Buffer(count: rows * heads * D), Buffer(count: rows * heads))
        let (dq, dk, dv) = (Buffer(count: rows * heads * D), Buffer(count: rows * keyHeads * D), Buffer(count: rows * keyHeads * D))
        let visible = (1...length).reduce(0) { $0 + min($1, options.window ?? length) }
        let size = 4 * Double(segments * visible * heads * D)
        let forward = {
            self.operations.attentionForward(
                o: o, lse: lse, q: q, k: k, v: v, splits: splits, heads: heads, keyValueHeads: keyHeads, headWidth: D, options: options)
        }
        let firstRowIsItsValue = {
            forward()
            return self.near(o.pointer[5], Double(v.pointer[5]))
        }
        product("attention forward \(shape)", operations: size, verify: firstRowIsItsValue, forward)
        product("attention backward \(shape)", operations: 2.5 * size, verify: firstRowIsItsValue) {
            operations.attentionBackward(
                dq: dq, dk: dk, dv: dv, do: o, o: o, lse: lse, q: q, k: k, v: v, splits: splits, heads: heads,
                keyValueHeads: keyHeads, headWidth: D, options: options)
        }
    }

    /// The heads of SmolLM2-135M and of a 15 M Llama.
    func head() {
        for (rows, width, vocabulary) in [(2_048, 576, 49_152), (512, 576, 49_152), (2_048, 288, 32_000)] {
            let (x, w) = (random(rows * width), random(vocabulary * width, seed: 2))
            let (losses, dx, dw) = (Buffer(count: rows), Buffer(count: rows * width), Buffer(count: vocabulary * width))
            let targets = (0..<rows).map { Int32($0 * 7_919 % vocabulary) }
            let weights = [Float](repeating: 1 / Float(rows), count: rows)
            let size = 2 * Double(rows) * Double(width) * Double(vocabulary)
            let shape = "\(rows) x \(width) x \(vocabulary)"
            let forward = {
                self.operations.headForward(losses: losses, x: x, w: w, targets: targets, rows: rows, width: width, vocabulary: vocabulary)
            }
            let lossOfRow3 = {
                forward()
                let logits = (0..<vocabulary).map { dot(x.pointer + 3 * width, w.pointer + $0 * width, width) }
                return self.near(losses.pointer[3], log(logits.reduce(0) { $0 + exp($1) }) - logits[Int(targets[3])])
            }
            product("head forward \(shape)", operations: size, verify: lossOfRow3, forward)
            product("head forward and backward \(shape)", operations: 3 * size, verify: lossOfRow3) {
                operations.headForwardBackward(
                    losses: losses, dx: dx, dw: dw, x: x, w: w, targets: targets, weights: weights, rows: rows, width: width,
                    vocabulary: vocabulary)
            }
        }
    }
}
