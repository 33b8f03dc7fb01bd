// Buffers of float32: the only memory that operations read and write.
import CSystem
import Glibc

/// A run of float32 values, owned, or seen inside another buffer or a mapped file.
///
/// Owned memory starts zeroed and 64-byte aligned; from 4 MiB on it is mapped with 2 MiB pages where the kernel gives them,
/// and costs nothing until it is touched. A view and a mapping keep their owner alive.
/// When the system has no memory left the process ends with one line and status 74: Swift cannot recover from it.
public final class Buffer {
    /// Number of float32 values.
    public let count: Int
    /// The first value. Writing through a read-only buffer is a bug (a mapped file faults).
    public let pointer: UnsafeMutablePointer<Float>
    /// True for memory that belongs to a mapped file, and for views of it.
    public let isReadOnly: Bool
    private let storage: Storage

    private enum Storage {
        case allocated
        case mapped(bytes: Int)
        case borrowed(AnyObject)
    }

    /// Zeroed memory for `count` values.
    public init(count: Int) {
        precondition(count >= 0, "bug: buffer of \(count) values")
        let (bytes, overflow) = max(count, 1).multipliedReportingOverflow(by: MemoryLayout<Float>.size)
        precondition(!overflow, "bug: buffer of \(count) values")
        self.count = count
        isReadOnly = false
        if bytes >= hugePageThreshold {
            pointer = mapAnonymous(bytes).assumingMemoryBound(to: Float.self)
            storage = .mapped(bytes: bytes)
        } else {
            let raw = allocateAligned(bytes)
            memset(raw, 0, bytes)
            pointer = raw.assumingMemoryBound(to: Float.self)
            storage = .allocated
        }
    }

    /// Values that live elsewhere, read only, not copied; `owner` is kept alive as long as the buffer.
    public init(mapping: UnsafePointer<Float>, count: Int, owner: AnyObject) {
        self.count = count
        pointer = UnsafeMutablePointer(mutating: mapping)
        isReadOnly = true
        storage = .borrowed(owner)
    }

    private init(viewing base: Buffer, _ range: Range<Int>) {
        count = range.count
        pointer = base.pointer + range.lowerBound
        isReadOnly = base.isReadOnly
        storage = .borrowed(base)
    }

    /// The values of `range`, sharing this buffer's memory.
    public func view(_ range: Range<Int>) -> Buffer {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "bug: view \(range) of \(count) values")
        return Buffer(viewing: self, range)
    }

    /// A copy of `values`.
    public convenience init(_ values: [Float]) {
        self.init(count: values.count)
        values.withUnsafeBufferPointer { source in
            if let start = source.baseAddress { pointer.update(from: start, count: source.count) }
        }
    }

    /// The values, copied out.
    public var array: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

    deinit {
        switch storage {
        case .allocated: free(pointer)
        case .mapped(let bytes): munmap(pointer, bytes)
        case .borrowed: break
        }
    }
}

/// From this size on, memory is mapped by itself.
private let hugePageThreshold = 4 << 20

/// Anonymous zeroed pages; 2 MiB pages asked for (10-25 % more bandwidth in the memory-bound kernels).
private func mapAnonymous(_ bytes: Int) -> UnsafeMutableRawPointer {
    let raw = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let raw, raw != MAP_FAILED else { preceptor_out_of_memory(bytes) }
    madvise(raw, bytes, 14 /* MADV_HUGEPAGE; refusal is harmless */)
    return raw
}

/// Uninitialised memory, 64-byte aligned, to be given back with `free`.
func allocateAligned(_ bytes: Int) -> UnsafeMutableRawPointer {
    var raw: UnsafeMutableRawPointer?
    guard posix_memalign(&raw, 64, bytes) == 0, let raw else { preceptor_out_of_memory(bytes) }
    return raw
}
