// The clock, the peak and the lines of the benchmark.
import Compute
import Glibc

/// Measures and writes; keeps the peak of this run.
final class Bench {
    let operations: CPUOperations
    private let wanted: String?
    private var peak = 0.0
    private var bandwidth = 0.0
    private var failures = 0

    init(threads: Int, wanted: String?, precision: Precision) {
        operations = CPUOperations(pool: ThreadPool(threads: threads), precision: precision)
        self.wanted = wanted
    }

    func report(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { write(1, $0.baseAddress! + done, bytes.count - done) }
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { exit(74) }
            done += count
        }
    }

    /// Ends with 1 if an operation gave wrong values.
    func finish() -> Never { exit(failures == 0 ? 0 : 1) }

    /// Best time in seconds of runs that together last at least 0.4 s, at least 3.
    func best(_ body: () -> Void) -> Double {
        var (best, total, runs) = (Double.infinity, 0.0, 0)
        while runs < 3 || total < 0.4 {
            let start = now()
            body()
            let time = now() - start
            best = min(best, time)
            total += time
            runs += 1
        }
        return best
    }

    /// The sgemm peak on these threads: a product of 2,048³.
    func measurePeak() {
        let n = 2_048
        let (x, w, y) = (random(n * n), random(n * n), Buffer(count: n * n))
        let time = best { operations.linearForward(y: y, x: x, w: w, rows: n, inputs: n, outputs: n) }
        peak = 2 * Double(n) * Double(n) * Double(n) / time
        report("peak \(decimals(peak / 1e9, 0)) GFLOP/s (sgemm 2048 x 2048 x 2048)")
    }

    /// The memory's bandwidth on these threads: 256 MiB changed in place, each byte read and written once.
    ///
    /// A copy shows less: a line that is only written is read first all the same.
    func measureBandwidth() {
        let (count, parts) = (1 << 26, 4 * operations.pool.threads)
        let values = Buffer(count: count)
        let place = UInt(bitPattern: values.pointer)
        let share = count / parts
        let time = best {
            operations.pool.run(parts) { part, _ in
                let part = UnsafeMutablePointer<Float>(bitPattern: place + UInt(4 * part * share))!
                for i in 0..<share { part[i] += 1 }
            }
        }
        bandwidth = 8 * Double(share * parts) / time
        report("memory \(decimals(bandwidth / 1e9, 1)) GB/s (256 MiB changed in place)")
    }

    /// Verifies, then times work that is bound by arithmetic.
    func product(_ name: String, operations: Double, verify: () -> Bool, _ body: () -> Void) {
        guard start(name, verify) else { return }
        let time = best(body)
        let share = operations / time / peak * 100
        report("\(padded(name)) \(milliseconds(time)) \(decimals(operations / time / 1e9, 0)) GFLOP/s, \(decimals(share, 0)) % of peak")
    }

    /// Verifies, then times work that is bound by memory; above 100 % its arrays stay in cache.
    func stream(_ name: String, bytes: Double, verify: () -> Bool, _ body: () -> Void) {
        guard start(name, verify) else { return }
        let time = best(body)
        let share = bytes / time / bandwidth * 100
        report("\(padded(name)) \(milliseconds(time)) \(decimals(bytes / time / 1e9, 1)) GB/s, \(decimals(share, 0)) % of memory's")
    }

    /// Verifies, then times work that is bound by the arithmetic of equal terms: billions of them a second.
    func rate(_ name: String, terms: Double, verify: () -> Bool, _ body: () -> Void) {
        guard start(name, verify) else { return }
        let time = best(body)
        report("\(padded(name)) \(milliseconds(time)) \(decimals(terms / time / 1e9, 2)) G terms/s")
    }

    /// Times a pool region of two tasks per thread that do nothing.
    func region() {
        let pool = operations.pool
        guard start("region", { true }) else { return }
        let count = 1_000
        let time = best { for _ in 0..<count { pool.run(2 * pool.threads) { _, _ in } } }
        report("\(padded("region")) \(decimals(time / Double(count) * 1e6, 2)) us")
    }

    private func start(_ name: String, _ verify: () -> Bool) -> Bool {
        if let wanted, !name.hasPrefix(wanted) { return false }
        if verify() { return true }
        failures += 1
        report("\(padded(name)) WRONG")
        return false
    }

    func random(_ count: Int, seed: UInt64 = 1) -> Buffer {
        let buffer = Buffer(count: count)
        var generator = Xoshiro256(seed: seed)
        for i in 0..<count { buffer.pointer[i] = Float(generator.uniform() - 0.5) }
        return buffer
    }
}

private func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
}

private func padded(_ name: String) -> String { name + String(repeating: " ", count: max(1, 44 - name.count)) }
private func milliseconds(_ time: Double) -> String { "\(decimals(time * 1e3, 3)) ms" }

/// `value` with `places` decimals.
func decimals(_ value: Double, _ places: Int) -> String {
    let scaled = Int((value * pow(10, Double(places))).rounded())
    let digits = String(abs(scaled))
    let filled = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
    let split = filled.index(filled.endIndex, offsetBy: -places)
    return (scaled < 0 ? "-" : "") + filled[..<split] + (places > 0 ? "." + filled[split...] : "")
}
