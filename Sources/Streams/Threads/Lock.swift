// A lock with a bell, and threads that no signal reaches: for work that is no loop over data.
import Glibc

/// A mutex and a condition variable at a fixed address.
public final class Lock: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    public init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    public func lock() { pthread_mutex_lock(mutex) }
    public func unlock() { pthread_mutex_unlock(mutex) }
    /// Lets go of the mutex until woken.
    public func wait() { pthread_cond_wait(condition, mutex) }
    public func wakeAll() { pthread_cond_broadcast(condition) }

    public func locked<Result>(_ body: () throws -> Result) rethrows -> Result {
        lock()
        defer { unlock() }
        return try body()
    }
}

/// What a thread runs, on its way through C.
private final class ThreadBody {
    let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
}

/// Starts a thread that takes no signals but one, and SIGBUS, which is its own doing; nil when the system refuses it.
public func startThread(leaving signal: Int32? = nil, _ body: @escaping () -> Void) -> pthread_t? {
    var (blocked, before) = (sigset_t(), sigset_t())
    sigfillset(&blocked)
    sigdelset(&blocked, SIGBUS)
    if let signal { sigdelset(&blocked, signal) }
    pthread_sigmask(SIG_SETMASK, &blocked, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(ThreadBody(body))
    let code = pthread_create(
        &thread, nil,
        { argument in
            Unmanaged<ThreadBody>.fromOpaque(argument!).takeRetainedValue().body()
            return nil
        }, argument.toOpaque())
    if code == 0 { return thread }
    argument.release()
    return nil
}
