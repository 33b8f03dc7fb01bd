// The process's threads for numeric work: a loop over independent tasks, shared between the caller and the pool's workers.
import CKernels
import Glibc
import Synchronization

/// Runs loops of independent tasks on a fixed number of threads.
///
/// Tasks are claimed in ascending order from one atomic counter; which worker gets which task varies from run to run, so a task's result must
/// depend on its number alone (then the number of threads changes no byte). The caller takes part as worker 0. Workers wait for the next
/// region by spinning for at most 30 microseconds, then sleep, so that an idle pool costs its neighbours in a pipe nothing.
/// A region costs about 0.5 microseconds while the workers are awake. A sleeping worker never delays a region: it joins when it
/// wakes, if tasks are left.
public final class ThreadPool {
    /// Threads that work on a region, the caller among them.
    public let threads: Int
    private let crew: Crew
    private let workers: [pthread_t]

    /// A pool of `threads` threads, the caller counted; `threads - 1` are created now, with all signals blocked.
    /// When the system refuses a thread, the pool works with those it got, and scratch is still counted by `threads`.
    public init(threads: Int) {
        precondition(threads >= 1, "bug: pool of \(threads) threads")
        self.threads = threads
        let crew = Crew()
        self.crew = crew
        workers = (1..<threads).compactMap { startWorker(crew, index: $0) }
    }

    deinit {
        crew.stop()
        for worker in workers { pthread_join(worker, nil) }
    }

    /// Calls `body(task, worker)` once for every task in 0..<tasks and returns when all have ended.
    ///
    /// - `worker`: 0..<threads, never the same for two calls at one time: an index for scratch memory.
    /// - A call from inside a task runs serially on the thread that makes it, with its worker number.
    /// - Traps when two threads outside the pool call at the same time.
    public func run(_ tasks: Int, _ body: (_ task: Int, _ worker: Int) -> Void) {
        if let worker = crew.currentWorker {
            for task in 0..<max(tasks, 0) { body(task, worker) }
        } else {
            crew.run(tasks, alone: workers.isEmpty, body)
        }
    }
}

/// What the pool's threads share. Kept alive by each of them, so the pool itself can go away first.
private final class Crew: @unchecked Sendable {
    typealias Body = (Int, Int) -> Void

    /// Upper 32 bits: number of the region; lower 32: tasks not yet claimed. One word, so that a claim proves that its region is still open.
    private let state = Atomic<UInt64>(0)
    /// Tasks of the open region that have not ended.
    private let unfinished = Atomic<Int>(0)
    /// Threads asleep, or about to be: the publisher rings only when there are any.
    private let sleepers = Atomic<Int>(0)
    private let stopping = Atomic<Bool>(false)
    private let occupied = Atomic<Bool>(false)
    private let bell = Bell()
    private let marker = WorkerMarker()
    // Written by the caller before a region opens, read by whoever holds a claim in it.
    private var body: UnsafePointer<Body>?
    private var tasks = 0
    private var region: UInt64 = 0

    /// The worker number of the calling thread while it runs a task; nil outside.
    var currentWorker: Int? { marker.worker }

    func run(_ tasks: Int, alone: Bool, _ body: Body) {
        guard tasks > 0 else { return }
        precondition(tasks <= Int(UInt32.max), "bug: \(tasks) tasks in one region")
        precondition(!occupied.exchange(true, ordering: .acquiring), "bug: two threads use one pool at the same time")
        defer { occupied.store(false, ordering: .releasing) }
        marker.worker = 0
        defer { marker.worker = nil }
        if alone || tasks == 1 {
            for task in 0..<tasks { body(task, 0) }
            return
        }
        withoutActuallyEscaping(body) { body in
            withUnsafePointer(to: body) { open($0, tasks: tasks) }
        }
    }

    private func open(_ body: UnsafePointer<Body>, tasks: Int) {
        self.body = body
        self.tasks = tasks
        region = (region + 1) & 0xffff_ffff
        unfinished.store(tasks, ordering: .relaxed)
        state.store(region << 32 | UInt64(tasks), ordering: .sequentiallyConsistent)
        if sleepers.load(ordering: .sequentiallyConsistent) > 0 { bell.ring() }
        while let task = claim() { execute(task, worker: 0) }
        wait { self.unfinished.load(ordering: .sequentiallyConsistent) == 0 }
        self.body = nil
    }

    /// Takes the next task of the open region, if one is left.
    private func claim() -> Int? {
        var seen = state.load(ordering: .acquiring)
        while seen & 0xffff_ffff != 0 {
            let (exchanged, original) = state.weakCompareExchange(
                expected: seen, desired: seen - 1, successOrdering: .acquiringAndReleasing, failureOrdering: .acquiring)
            if exchanged { return tasks - Int(seen & 0xffff_ffff) }
            seen = original
        }
        return nil
    }

    /// Runs a claimed task. Not inlined: the closure's reference is given back before the task counts as ended.
    @inline(never)
    private func call(_ task: Int, worker: Int) {
        body!.pointee(task, worker)
    }

    private func execute(_ task: Int, worker: Int) {
        call(task, worker: worker)
        // The last task of a region may have a sleeping caller to wake.
        if unfinished.subtract(1, ordering: .sequentiallyConsistent).newValue == 0,
            worker != 0, sleepers.load(ordering: .sequentiallyConsistent) > 0
        {
            bell.ring()
        }
    }

    /// A worker's life: claim, run, wait.
    func work(as worker: Int) {
        marker.worker = worker
        while true {
            while let task = claim() { execute(task, worker: worker) }
            wait { self.hasWork || self.stopping.load(ordering: .sequentiallyConsistent) }
            if stopping.load(ordering: .acquiring) { return }
        }
    }

    private var hasWork: Bool { state.load(ordering: .sequentiallyConsistent) & 0xffff_ffff != 0 }

    func stop() {
        stopping.store(true, ordering: .sequentiallyConsistent)
        bell.ring()
    }

    /// Waits until `condition` holds: spins for a bounded time, then sleeps until the bell rings.
    private func wait(_ condition: () -> Bool) {
        let start = monotonicNanoseconds()
        repeat {
            for _ in 0..<32 {
                if condition() { return }
                preceptor_pause()
            }
        } while monotonicNanoseconds() &- start < spinNanoseconds
        bell.sleep(until: condition, counting: sleepers)
    }
}

/// Longer spins gained nothing in the training and scoring loops, whose regions follow each other within a few microseconds.
private let spinNanoseconds: UInt64 = 30_000

func monotonicNanoseconds() -> UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) &* 1_000_000_000 &+ UInt64(now.tv_nsec)
}

/// A mutex and a condition variable at a fixed address.
private final class Bell {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func ring() {
        pthread_mutex_lock(mutex)
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
    }

    /// The count is raised before `ready` is asked, and whoever makes `ready` true reads the count afterwards: no wake-up is lost.
    func sleep(until ready: () -> Bool, counting sleepers: borrowing Atomic<Int>) {
        pthread_mutex_lock(mutex)
        sleepers.add(1, ordering: .sequentiallyConsistent)
        while !ready() { pthread_cond_wait(condition, mutex) }
        sleepers.subtract(1, ordering: .relaxed)
        pthread_mutex_unlock(mutex)
    }
}

/// Tells a thread its worker number in this pool.
private final class WorkerMarker {
    private var key = pthread_key_t()

    init() { precondition(pthread_key_create(&key, nil) == 0, "bug: no thread-specific key left") }
    deinit { pthread_key_delete(key) }

    var worker: Int? {
        get {
            let value = Int(bitPattern: pthread_getspecific(key))
            return value == 0 ? nil : value - 1
        }
        set { pthread_setspecific(key, UnsafeRawPointer(bitPattern: newValue.map { $0 + 1 } ?? 0)) }
    }
}

/// What a new thread is told.
private final class Assignment {
    let crew: Crew
    let worker: Int
    init(crew: Crew, worker: Int) {
        self.crew = crew
        self.worker = worker
    }
}

/// Starts one worker with every signal blocked but SIGBUS, so that signals reach the main thread; nil when the system refuses.
private func startWorker(_ crew: Crew, index: Int) -> pthread_t? {
    var blocked = sigset_t()
    var before = sigset_t()
    sigfillset(&blocked)
    // A worker that reads behind the end of a file that was cut short has to meet the handler.
    sigdelset(&blocked, SIGBUS)
    pthread_sigmask(SIG_SETMASK, &blocked, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    let assignment = Unmanaged.passRetained(Assignment(crew: crew, worker: index))
    var thread = pthread_t()
    let status = pthread_create(
        &thread, nil,
        { raw in
            let assignment = Unmanaged<Assignment>.fromOpaque(raw!).takeRetainedValue()
            assignment.crew.work(as: assignment.worker)
            return nil
        }, assignment.toOpaque())
    if status != 0 {
        assignment.release()
        return nil
    }
    return thread
}
