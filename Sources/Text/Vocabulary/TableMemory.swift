// Memory for tables that are looked into at random places.

import Glibc
import Streams

/// Zeroed memory. From 1 MiB on the system is asked for pages of 2 MiB: with small ones nearly every look into a table costs a walk through
/// the page tables besides, and every 4 KiB a page fault.
final class TableMemory: @unchecked Sendable {
    private let start: UnsafeMutableRawPointer
    /// Bytes that were mapped; 0 for memory of the heap.
    private let mapped: Int
    private static let largePage = 1 << 21

    init(bytes: Int) {
        let size = (bytes + Self.largePage - 1) & ~(Self.largePage - 1)
        guard bytes >= Self.largePage / 2,
            let room = mmap(nil, size + Self.largePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), room != MAP_FAILED
        else {
            (start, mapped) = (allocateZeroed(bytes), 0)
            return
        }
        // It begins at a multiple of the page's size; what lies around it is given back.
        let before = -Int(bitPattern: room) & (Self.largePage - 1)
        (start, mapped) = (room + before, size)
        if before > 0 { munmap(room, before) }
        munmap(start + size, Self.largePage - before)
        madvise(start, size, MADV_HUGEPAGE)
    }

    /// The memory from its start on as trivial elements that may be all zero bytes.
    @inline(__always)
    func view<Element>(of type: Element.Type) -> UnsafeMutablePointer<Element> { start.assumingMemoryBound(to: type) }

    deinit {
        if mapped > 0 { munmap(start, mapped) } else { free(start) }
    }
}
