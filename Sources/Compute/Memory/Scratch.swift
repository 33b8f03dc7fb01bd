// Working memory of the operations: one growing block for each worker, and shared ones by name.
import Glibc

/// Memory that tasks need for a moment. Grows to the largest request and is kept.
final class Scratch {
    private let blocks: UnsafeMutablePointer<Block>
    private let workers: Int

    private struct Block {
        var pointer: UnsafeMutablePointer<Float>?
        var capacity = 0
    }

    init(workers: Int) {
        self.workers = workers
        blocks = .allocate(capacity: workers)
        blocks.initialize(repeating: Block(), count: workers)
    }

    deinit {
        for worker in 0..<workers { free(blocks[worker].pointer) }
        blocks.deallocate()
    }

    /// `count` floats with any content, 64-byte aligned, for the worker's current task.
    func take(_ count: Int, worker: Int) -> UnsafeMutablePointer<Float> {
        if let pointer = blocks[worker].pointer, blocks[worker].capacity >= count { return pointer }
        free(blocks[worker].pointer)
        let pointer = allocateAligned(max(count, 16) * MemoryLayout<Float>.size).assumingMemoryBound(to: Float.self)
        blocks[worker] = Block(pointer: pointer, capacity: max(count, 16))
        return pointer
    }
}

/// A buffer that is replaced by a larger one when a request outgrows it.
struct GrowingBuffer {
    private var buffer: Buffer?

    /// `count` floats with any content.
    mutating func take(_ count: Int) -> UnsafeMutablePointer<Float> {
        if let buffer, buffer.count >= count { return buffer.pointer }
        buffer = nil
        let fresh = Buffer(count: count)
        buffer = fresh
        return fresh.pointer
    }
}
