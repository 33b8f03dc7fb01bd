// What a piece of work is going to hold in memory, and how much the machine has.
import Glibc

/// Bytes by what they are for; small things are left out.
public struct MemoryEstimate: Equatable, Sendable {
    public let parts: [Part]

    public struct Part: Equatable, Sendable {
        public let name: String
        public let bytes: Int
    }

    init(parts: [(String, Int)]) { self.parts = parts.map { Part(name: $0.0, bytes: $0.1) } }

    /// All parts; the largest Int when that is too little, as sizes from a command line may be anything.
    public var total: Int { parts.reduce(0) { saturatingSum($0, $1.bytes) } }

    /// "memory: parameters 513 MiB, …; in all 2.1 GiB of the machine's 24.0 GiB".
    public var line: String {
        let list = parts.map { "\($0.name) \(binaryUnits($0.bytes))" }.joined(separator: ", ")
        return "memory: \(list); in all \(binaryUnits(total)) of the machine's \(binaryUnits(machineMemory()))"
    }
}

/// Σ of both, or the largest Int.
private func saturatingSum(_ a: Int, _ b: Int) -> Int {
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? .max : sum
}

/// The product of sizes from 0, or the largest Int.
func saturatingProduct(_ sizes: Int...) -> Int {
    sizes.reduce(1) { product, size in
        let (next, overflow) = product.multipliedReportingOverflow(by: size)
        return overflow ? .max : next
    }
}

/// Bytes of memory that the machine has.
func machineMemory() -> Int { sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)) }

/// A number of bytes with three or so digits: KiB, MiB or GiB.
func binaryUnits(_ bytes: Int) -> String {
    func tenths(_ unit: Int) -> String {
        let value = Int((Double(bytes) / Double(unit) * 10).rounded())
        return value >= 1000 ? String((value + 5) / 10) : "\(value / 10).\(value % 10)"
    }
    if bytes >= 1 << 30 { return "\(tenths(1 << 30)) GiB" }
    if bytes >= 1 << 20 { return "\(tenths(1 << 20)) MiB" }
    return "\(tenths(1 << 10)) KiB"
}
