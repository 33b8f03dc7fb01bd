// How ranks wait for each other: with short naps.
import Glibc

func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// 50 microseconds and what the system adds.
func nap() {
    var time = timespec(tv_sec: 0, tv_nsec: 50_000)
    nanosleep(&time, nil)
}

/// Gives way while something may happen any moment, then naps: a rank that waits for a slow one leaves it the processors.
struct Patience {
    private var since = now()

    mutating func wait(after moved: Bool) {
        let time = now()
        if moved { since = time }
        if time - since < 0.001 { sched_yield() } else { nap() }
    }
}
