// How fast this machine multiplies matrices: the peak that a step's speed is compared with.

import Glibc

extension CPUOperations {
    /// Floating-point operations in a second of a large product in these operations' precision, on their threads.
    ///
    /// The best of square products of growing size, up to 2,048, within about `budget` seconds. Other work on the machine lowers it.
    public func productRate(budget: Double = 0.06) -> Double {
        var best = 0.0
        var size = 256
        var left = budget
        while size <= 2048 {
            let (y, x, w) = (Buffer(count: size * size), Buffer(count: size * size), Buffer(count: size * size))
            for i in 0..<size * size { (x.pointer[i], w.pointer[i]) = (Float(i % 7) - 3, Float(i % 5) - 2) }
            let work = 2 * Double(size) * Double(size) * Double(size)
            for _ in 0..<3 {
                let began = monotonicNanoseconds()
                linearForward(y: y, x: x, w: w, rows: size, inputs: size, outputs: size)
                let took = max(1, Double(monotonicNanoseconds() - began)) * 1e-9
                left -= took
                best = max(best, work / took)
                if left < 2 * took { break }
            }
            size *= 2
            // The first of a size takes longer: threads wake, memory is new.
            if left < 3 * 8 * work / best { break }
        }
        return best
    }
}
