// Memory full of zeroes, for tables that are mostly empty.

import Glibc

/// `bytes` zeroed bytes, to be given back with `free`. Above 128 KiB they are pages of their own: those that nothing touches cost nothing.
///
/// Where the machine has none left the process ends with status 74: no caller could go on.
public func allocateZeroed(_ bytes: Int) -> UnsafeMutableRawPointer {
    if let memory = calloc(bytes, 1) { return memory }
    let line = Array("\(CommandLine.arguments.first ?? "preceptor"): out of memory: cannot allocate \(bytes) bytes\n".utf8)
    _ = line.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
    _exit(74)
}
