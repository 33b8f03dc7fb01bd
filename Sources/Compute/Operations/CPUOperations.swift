// The operations on the CPU: a thread pool over the C kernels and OpenBLAS.
import CKernels
import CSystem

/// `Operations` on the threads of one pool. Not for use by two threads at once.
public final class CPUOperations: Operations {
    public let pool: ThreadPool
    /// The instruction set of the kernels: "x86-64-v4", "x86-64-v3" or "baseline".
    public var instructionSet: String { String(cString: kernels.name) }

    /// The numbers that matrix products multiply.
    public let precision: Precision

    let kernels: preceptor_kernels
    /// Nil in float32.
    let products: BFloat16Products?
    let scratch: Scratch
    var headMemory = HeadMemory()
    /// Values of a stored matrix, for products in float32.
    var storedValues = GrowingBuffer()
    /// Products with pages of keys and values.
    let pageLoops: preceptor_pages
    /// Pages of an attention call without keys of earlier calls.
    var callPages: KeyPages?
    /// Rows of a thin product, rounded.
    var thinRows = GrowingBuffer()
    /// Keys and values of a backward call, for products in bfloat16.
    var packedKeys = GrowingBuffer()
    /// Sums of the parts of a long segment: see AttentionBackwardPlan.
    var attentionMemory = GrowingBuffer()
    /// Parameters of state spaces as their kernels want them, and sums over tiles of channels.
    var stateMemory = GrowingBuffer()
    var tileMemory = GrowingBuffer()

    /// With the best kernels that this processor runs.
    public convenience init(pool: ThreadPool, precision: Precision = .float32) {
        self.init(pool: pool, precision: precision, level: preceptor_best_level())
    }

    /// With the kernels of one instruction set, for tests.
    init(pool: ThreadPool, precision: Precision = .float32, level: preceptor_level) {
        self.pool = pool
        self.precision = precision
        kernels = preceptor_kernels_for(level).pointee
        preceptor_reserve_for_products(Int32(pool.threads))
        scratch = Scratch(workers: pool.threads)
        products = precision == .bfloat16 ? BFloat16Products(pool: pool, scratch: scratch) : nil
        pageLoops = products?.loops.pages ?? preceptor_products_for(level, true).pointee.pages
    }

    /// Elements of one task of an elementwise operation: small enough to share out, large enough to hide a task's 0.1 microseconds.
    static let chunk = 32_768

    /// Calls `body(start, count)` for consecutive chunks of 0..<count.
    func eachChunk(_ count: Int, _ body: (_ start: Int, _ count: Int) -> Void) {
        let chunk = CPUOperations.chunk
        pool.run((count + chunk - 1) / chunk) { task, _ in
            let start = task * chunk
            body(start, min(chunk, count - start))
        }
    }

    /// Calls `body(first, end)` for consecutive groups of rows that hold about a chunk of elements.
    func eachRows(_ rows: Int, width: Int, _ body: (_ first: Int, _ end: Int) -> Void) {
        let group = max(1, CPUOperations.chunk / max(width, 1))
        pool.run((rows + group - 1) / group) { task, _ in
            body(task * group, min(rows, (task + 1) * group))
        }
    }

    /// Calls `body(first, count)` for blocks of 64 columns: for sums over rows, which a task must add in their order.
    func eachColumns(_ columns: Int, _ body: (_ first: Int, _ count: Int) -> Void) {
        let group = 64
        pool.run((columns + group - 1) / group) { task, _ in
            body(task * group, min(group, columns - task * group))
        }
    }
}

/// Traps unless a matrix has a number of values.
@inline(__always)
func require(_ weight: Weight, _ count: Int, _ name: StaticString) {
    precondition(weight.count >= count, "bug: \(name) has \(weight.count) values, its shape needs \(count)")
}

/// Traps unless a buffer holds a shape.
@inline(__always)
func require(_ buffer: Buffer, _ count: Int, _ name: StaticString) {
    precondition(buffer.count >= count, "bug: \(name) holds \(buffer.count) values, its shape needs \(count)")
}
