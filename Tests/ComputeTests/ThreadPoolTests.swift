// The thread pool: every task once, nested and empty regions, waking, many regions.
import Glibc
import Synchronization
import XCTest

@testable import Compute

final class ThreadPoolTests: XCTestCase {
    func testEveryTaskRunsOnce() {
        for threads in [1, 2, 4, 7] {
            let pool = ThreadPool(threads: threads)
            for tasks in [0, 1, 2, 3, 17, 1_000] {
                var counts = [Int32](repeating: 0, count: tasks)
                counts.withUnsafeMutableBufferPointer { counts in
                    pool.run(tasks) { task, worker in
                        precondition(worker >= 0 && worker < threads)
                        counts[task] += 1
                    }
                }
                XCTAssert(counts.allSatisfy { $0 == 1 }, "\(threads) threads, \(tasks) tasks")
            }
        }
    }

    func testManyShortRegionsLoseNothing() {
        let pool = ThreadPool(threads: 4)
        let sum = Atomic<Int>(0)
        for region in 0..<20_000 {
            pool.run(region % 6) { task, _ in sum.add(task + 1, ordering: .relaxed) }
        }
        let expected = (0..<20_000).reduce(0) { $0 + ($1 % 6) * ($1 % 6 + 1) / 2 }
        XCTAssertEqual(sum.load(ordering: .relaxed), expected)
    }

    func testSleepingWorkersJoinAgain() {
        let pool = ThreadPool(threads: 2)
        let seen = Atomic<Int>(0)
        for _ in 0..<5 {
            usleep(3_000)  // a hundred times the spin: the worker sleeps
            // Two tasks that wait for each other: only two threads can end them.
            let arrived = Atomic<Int>(0)
            pool.run(2) { _, worker in
                arrived.add(1, ordering: .sequentiallyConsistent)
                while arrived.load(ordering: .sequentiallyConsistent) < 2 { sched_yield() }
                seen.add(worker, ordering: .relaxed)
            }
        }
        XCTAssertEqual(seen.load(ordering: .relaxed), 5, "worker 1 took one task in each region")
    }

    func testCallerWaitsForLongTasksOfOthers() {
        let pool = ThreadPool(threads: 2)
        let ended = Atomic<Int>(0)
        pool.run(2) { _, worker in
            if worker == 1 { usleep(5_000) }
            ended.add(1, ordering: .sequentiallyConsistent)
        }
        XCTAssertEqual(ended.load(ordering: .sequentiallyConsistent), 2)
    }

    func testNestedRegionsRunOnTheirThread() {
        let pool = ThreadPool(threads: 3)
        var counts = [Int32](repeating: 0, count: 12)
        counts.withUnsafeMutableBufferPointer { counts in
            pool.run(4) { outer, worker in
                pool.run(3) { inner, nested in
                    precondition(nested == worker)
                    counts[outer * 3 + inner] += 1
                }
            }
        }
        XCTAssertEqual(counts, [Int32](repeating: 1, count: 12))
    }

    func testPoolsComeAndGo() {
        for _ in 0..<200 {
            let pool = ThreadPool(threads: 3)
            pool.run(3) { _, _ in }
        }
    }

    func testWorkersBlockSignals() {
        let pool = ThreadPool(threads: 2)
        let blocked = Atomic<Int>(-1)
        let arrived = Atomic<Int>(0)
        pool.run(2) { _, worker in
            arrived.add(1, ordering: .sequentiallyConsistent)
            while arrived.load(ordering: .sequentiallyConsistent) < 2 { sched_yield() }
            guard worker == 1 else { return }
            var mask = sigset_t()
            pthread_sigmask(SIG_SETMASK, nil, &mask)
            blocked.store(Int(sigismember(&mask, SIGTERM)), ordering: .relaxed)
        }
        XCTAssertEqual(blocked.load(ordering: .relaxed), 1)
    }
}
