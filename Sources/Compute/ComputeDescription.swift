// What computes here, in words: for `--version` and for reports of speed.

/// The BLAS library with the core that runs, and the instruction set of our own loops, a line each.
public func computeDescription() -> [String] {
    let configuration = OpenBLAS.configuration.split(separator: " ").prefix(2).joined(separator: " ")
    let instructions = CPUOperations(pool: ThreadPool(threads: 1)).instructionSet
    return ["blas \(configuration), core \(OpenBLAS.core)", "instructions \(instructions)"]
}
