// The machine's clock and processors.
import CSystem
import Glibc

/// Seconds on a clock that never goes back, from an arbitrary start.
public func monotonicSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// Processors that this process may run on (its affinity mask), at least 1.
public func availableProcessors() -> Int {
    Int(preceptor_available_processors())
}
