// Memory for large tables that are read at random.

import Glibc

/// Bare memory for trivial elements, in pages of 2 MiB where the system has them: with small ones a read at random misses twice.
final class WidePages<Element>: @unchecked Sendable {
    let memory: UnsafeMutablePointer<Element>
    private static var page: Int { 1 << 21 }

    /// The elements are not set.
    init(count: Int) {
        let bytes = count * MemoryLayout<Element>.stride
        let isLarge = bytes >= Self.page / 2
        let all = isLarge ? (bytes + Self.page - 1) & ~(Self.page - 1) : max(bytes, 1)
        let raw = UnsafeMutableRawPointer.allocate(byteCount: all, alignment: isLarge ? Self.page : 64)
        // A refusal does no harm.
        if isLarge { madvise(raw, all, 14 /* MADV_HUGEPAGE */) }
        memory = raw.bindMemory(to: Element.self, capacity: count)
    }

    deinit { UnsafeMutableRawPointer(memory).deallocate() }
}
