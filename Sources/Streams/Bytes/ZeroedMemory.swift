// Memory full of zeroes, for tables that are mostly empty.

import CSystem
import Glibc

/// `bytes` zeroed bytes, to be given back with `free`. Above 128 KiB they are pages of their own: those that nothing touches cost nothing.
///
/// Where the machine has none left the process ends with status 74: no caller could go on.
public func allocateZeroed(_ bytes: Int) -> UnsafeMutableRawPointer {
    guard let memory = calloc(bytes, 1) else { preceptor_out_of_memory(bytes) }
    return memory
}
