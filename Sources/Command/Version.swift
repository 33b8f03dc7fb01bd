// What `--version` says.
import CKernels
import CSystem

/// The version of the suite.
public let version = "0.1.0"

/// Name, version, commit, Swift, instruction set and threads, a line each, then what the tool adds.
func versionText(of program: any Program.Type) -> String {
    let lines = [
        "\(program._commandName) (preceptor) \(version)",
        "commit \(String(cString: preceptor_commit()))",
        "Swift standard library \(_SwiftStdlibVersion.current)",
        "instruction set \(instructionSet)",
        "threads \(availableProcessors())",
    ]
    return (lines + program.versionDetails).joined(separator: "\n")
}

/// The vector instructions that the inner loops run with on this machine: "x86-64-v3".
private var instructionSet: String {
    String(cString: preceptor_kernels_for(preceptor_best_level()).pointee.name)
}
