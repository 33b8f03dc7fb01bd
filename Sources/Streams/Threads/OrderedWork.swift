// Work on a stream of pieces by several threads, its products written in the order of the pieces.
import Glibc
import Synchronization

/// Reads pieces, works on them at the same time, and writes what comes of them in order, with a bounded number under way.
///
/// Reading, and writing, is done by one thread at a time, whichever is free: there is no thread of its own for either, so `threads` threads
/// use `threads` processors. Results do not depend on their number. The first failure in the order of the pieces decides: everything
/// before it has been written, nothing behind it is. With one thread everything runs on the caller's, piece by piece.
///
/// SIGPIPE is left unblocked in the threads: a writer whose reader has gone ends the program, as in a tool without threads.
public final class OrderedWork<Piece, Product>: @unchecked Sendable {
    public typealias Worker = (Piece) throws -> Product

    private let threads: Int
    /// Pieces between reading and writing at most.
    private let window: Int
    private let next: () throws -> Piece?
    private let makeWorker: () -> Worker
    private let write: (Product) throws -> Void

    private let input = Lock()
    private let output = Lock()
    private let stopping = Atomic<Bool>(false)
    // Under `input`.
    private var ended = false
    private var readCount = 0
    // Under `output`.
    private var writtenCount = 0
    private var waiting: [Int: Result<Product, any Error>] = [:]
    private var isWriting = false
    private var failure: (any Error)?

    /// - next: the next piece, nil after the last. - worker: called once on each thread, makes what works on a piece there.
    /// - write: takes the products, in order.
    public init(
        threads: Int, next: @escaping () throws -> Piece?, worker: @escaping () -> Worker, write: @escaping (Product) throws -> Void
    ) {
        precondition(threads >= 1, "bug: \(threads) threads")
        self.threads = threads
        window = 2 * threads + 1
        self.next = next
        makeWorker = worker
        self.write = write
    }

    /// Whether a failure has ended the work: a `next` that waits for bytes should ask now and then, and throw anything.
    public var isStopping: Bool { stopping.load(ordering: .relaxed) }

    /// Does all the work. Rethrows the first failure, in the order of the pieces, of `next`, a worker or `write`.
    public func run() throws {
        let others = threads > 1 ? (1..<threads).compactMap { _ in startThread(leaving: SIGPIPE) { self.work() } } : []
        work()
        for thread in others { pthread_join(thread, nil) }
        if let failure { throw failure }
    }

    private func work() {
        // Made for the first piece: a short input costs one worker.
        var worker: Worker?
        while let (number, piece) = take() {
            let present = worker ?? makeWorker()
            worker = present
            deliver(number, Result { try present(piece) })
        }
    }

    /// The next piece and its number; nil when there is none, or no more is wanted.
    private func take() -> (Int, Piece)? {
        input.lock()
        defer { input.unlock() }
        // Only the reader raises the count, so the room that it waits for stays.
        output.lock()
        while !isStopping, readCount - writtenCount >= window { output.wait() }
        output.unlock()
        guard !isStopping, !ended else { return nil }
        do {
            guard let piece = try next() else {
                ended = true
                return nil
            }
            readCount += 1
            return (readCount - 1, piece)
        } catch {
            ended = true
            readCount += 1
            deliver(readCount - 1, .failure(error))
            return nil
        }
    }

    /// Hands in a product, and writes all whose turn has come unless another thread is at it.
    private func deliver(_ number: Int, _ product: Result<Product, any Error>) {
        output.lock()
        defer { output.unlock() }
        waiting[number] = product
        while !isStopping, !isWriting, let product = waiting.removeValue(forKey: writtenCount) {
            isWriting = true
            output.unlock()
            let outcome = Result { try write(product.get()) }
            output.lock()
            isWriting = false
            writtenCount += 1
            if case .failure(let error) = outcome {
                failure = error
                waiting.removeAll()
                stopping.store(true, ordering: .relaxed)
            }
            output.wakeAll()
        }
    }
}
