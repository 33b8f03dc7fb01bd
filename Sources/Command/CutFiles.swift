// A mapped file that another program cuts short while it is read: bad data with its place, not a signal that ends the process.
import Glibc
import Streams

/// The handler of SIGBUS.
enum CutFiles {
    /// The tool's name, for the message.
    private nonisolated(unsafe) static var tool: UnsafeMutablePointer<CChar>?

    /// From now on a read behind the end of a mapped file ends the tool with 65 and a message.
    static func install(tool name: String) {
        tool = strdup(name)
        MappedRegions.prepare()
        var action = sigaction()
        action.__sigaction_handler.sa_sigaction = { number, information, _ in
            if let (file, byte) = MappedRegions.find(information?.pointee._sifields._sigfault.si_addr) {
                CutFiles.end(file, byte)
            }
            // A fault of another kind happens again, and then ends the process as it should.
            signal(number, SIG_DFL)
        }
        action.sa_flags = SA_SIGINFO
        sigemptyset(&action.sa_mask)
        sigaction(SIGBUS, &action, nil)
    }

    /// Calls only what a handler may call.
    private static func end(_ file: UnsafePointer<CChar>, _ byte: UInt) -> Never {
        TemporaryFiles.removeAll()
        if let tool { write(tool) }
        write(": ")
        write(file)
        write(": byte ")
        var divisor: UInt = 1
        while byte / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            var digit = UInt8(ascii: "0") + UInt8(byte / divisor % 10)
            _ = Glibc.write(STDERR_FILENO, &digit, 1)
            divisor /= 10
        }
        write(": the file was cut short while it was read\n")
        _exit(Failure.Status.badData.rawValue)
    }

    private static func write(_ text: UnsafePointer<CChar>) {
        _ = Glibc.write(STDERR_FILENO, text, strlen(text))
    }

    private static func write(_ text: StaticString) {
        _ = Glibc.write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
    }
}
