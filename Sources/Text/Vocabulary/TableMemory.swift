// Memory for tables that are looked into at random places.

import Glibc
import Streams

/// `bytes` zeroed bytes, given back with `free`. From 1 MiB on the system is asked for pages of 2 MiB: with small ones nearly every look
/// into a table costs a walk through the page tables besides.
func allocateTable(_ bytes: Int) -> UnsafeMutableRawPointer {
    let page = 1 << 21
    guard bytes >= page / 2 else { return allocateZeroed(max(bytes, 1)) }
    let size = (bytes + page - 1) & ~(page - 1)
    var memory: UnsafeMutableRawPointer?
    guard posix_memalign(&memory, page, size) == 0, let memory else { return allocateZeroed(bytes) }
    madvise(memory, size, MADV_HUGEPAGE)
    memset(memory, 0, bytes)
    return memory
}
