// libFuzzer over one of several targets: `fuzz TARGET [-option=value…] [corpus…]`.
import FuzzTargets
import Glibc

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<Int32>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

nonisolated(unsafe) private var target = FuzzTarget("none", longest: 0) { _ in }

/// Seconds of processor time after which one input is a hang.
nonisolated(unsafe) private var limit = 1.0

private func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let began = processorSeconds()
    target.run(UnsafeRawBufferPointer(start: start, count: count))
    let took = processorSeconds() - began
    precondition(took < limit, "a hang: \(took) s for \(count) bytes")
    return 0
}

/// Runs the target named first on the command line; `--list` names all with their longest input.
public func fuzz(_ targets: [FuzzTarget]) -> Never {
    guard CommandLine.argc > 1, let word = CommandLine.unsafeArgv[1] else { exit(64) }
    let name = String(cString: word)
    if name == "--list" {
        for target in targets { puts("\(target.name) \(target.longest)") }
        exit(0)
    }
    guard let found = targets.first(where: { $0.name == name }) else { exit(64) }
    target = found
    #if DEBUG
        limit = 10
    #endif
    // libFuzzer sees the command line without the target's name.
    var count = CommandLine.argc - 1
    var arguments = CommandLine.unsafeArgv + 1
    arguments[0] = CommandLine.unsafeArgv[0]
    exit(runDriver(&count, &arguments, testOneInput))
}
