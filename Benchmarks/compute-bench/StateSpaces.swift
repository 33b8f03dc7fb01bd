// The operations of state-space models: the shapes of a layer of Mamba-130M.
import Compute
import Glibc

extension Bench {
    /// Bytes of each array read or written once; the scan as exponentials a second.
    func stateSpaces() {
        let (rows, channels, states, taps) = (1_024, 1_536, 16, 4)
        let n = rows * channels
        let splits = [0, 300, rows]
        let (x, y, dy, dx) = (random(n), Buffer(count: n), random(n, seed: 2), Buffer(count: n))
        convolution(x: x, y: y, dy: dy, dx: dx, splits: splits, channels: channels, taps: taps)
        let (b, c) = (random(rows * states, seed: 3), random(rows * states, seed: 4))
        let (a, d, delta) = (random(channels * states, seed: 5), random(channels, seed: 6), random(n, seed: 7))
        for i in 0..<channels * states { a.pointer[i] -= 1 }
        stream("softplus \(rows) x \(channels)", bytes: 8 * Double(n)) {
            operations.softplusForward(y: y, x: delta, count: n)
            return abs(Double(y.pointer[9]) - log1p(exp(Double(delta.pointer[9])))) < 1e-6
        } _: {
            operations.softplusForward(y: y, x: delta, count: n)
        }
        operations.softplusForward(y: delta, x: delta, count: n)
        let forward = {
            self.operations.selectiveScanForward(
                y: y, x: x, delta: delta, a: a, b: b, c: c, d: d, splits: splits, channels: channels, states: states)
        }
        let terms = Double(n * states)
        let shape = "\(rows) x \(channels) x \(states)"
        rate("scan forward \(shape)", terms: terms) {
            forward()
            // The first row: y = x (Σ c δ b + d).
            let sum = (0..<states).reduce(Double(d.pointer[5])) {
                $0 + Double(delta.pointer[5]) * Double(b.pointer[$1]) * Double(c.pointer[$1])
            }
            return abs(Double(y.pointer[5]) - sum * Double(x.pointer[5])) < 1e-5
        } _: {
            forward()
        }
        let (ddelta, da, dd) = (Buffer(count: n), Buffer(count: channels * states), Buffer(count: channels))
        let (db, dc) = (Buffer(count: rows * states), Buffer(count: rows * states))
        rate("scan backward \(shape)", terms: terms, verify: { true }) {
            operations.selectiveScanBackward(
                dx: dx, ddelta: ddelta, da: da, db: db, dc: dc, dd: dd, dy: dy, x: x, delta: delta, a: a, b: b, c: c, d: d,
                splits: splits, channels: channels, states: states)
        }
    }

    private func convolution(x: Buffer, y: Buffer, dy: Buffer, dx: Buffer, splits: [Int], channels: Int, taps: Int) {
        let rows = splits.last!
        let n = Double(rows * channels)
        let (w, bias) = (random(channels * taps, seed: 8), random(channels, seed: 9))
        let (dw, db) = (Buffer(count: channels * taps), Buffer(count: channels))
        let forward = {
            self.operations.convolutionForward(y: y, x: x, w: w, b: bias, splits: splits, channels: channels, taps: taps)
        }
        stream("convolution forward \(rows) x \(channels)", bytes: 8 * n) {
            forward()
            let sum = (0..<taps).reduce(Double(bias.pointer[7])) {
                $0 + Double(w.pointer[7 * taps + $1]) * Double(x.pointer[$1 * channels + 7])
            }
            return abs(Double(y.pointer[(taps - 1) * channels + 7]) - sum) < 1e-6
        } _: {
            forward()
        }
        stream("convolution backward \(rows) x \(channels)", bytes: 16 * n, verify: { true }) {
            operations.convolutionBackward(dx: dx, dw: dw, db: db, dy: dy, x: x, w: w, splits: splits, channels: channels, taps: taps)
        }
    }
}
