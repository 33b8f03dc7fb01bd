// What `--version` says.

import CSystem

/// The version of the suite.
public let version = "0.1.0"

/// Name, version, commit, compiler and machine, a line each, then what the tool adds.
func versionText(_ tool: String, details: [String]) -> String {
    var lines = ["\(tool) (preceptor) \(version)", "commit \(String(cString: preceptor_commit()))"]
    lines.append("compiler \(compiler)")
    lines.append("threads \(availableProcessors())")
    return (lines + details).joined(separator: "\n") + "\n"
}

private var compiler: String {
    #if compiler(>=6.4)
        "Swift 6.4 or later"
    #elseif compiler(>=6.3)
        "Swift 6.3"
    #elseif compiler(>=6.2)
        "Swift 6.2"
    #elseif compiler(>=6.1)
        "Swift 6.1"
    #else
        "Swift 6.0"
    #endif
}
