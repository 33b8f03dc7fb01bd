// The standard descriptors as a tool may rely on them.
import Glibc

/// Descriptors 0, 1 and 2 at the start of a program.
enum Descriptors {
    /// Fills standard descriptors that the parent closed, so that no file opened later takes their numbers.
    ///
    /// Each is opened for the direction it is not used in: reading a closed standard input and writing a closed standard output then fail
    /// with EBADF, as they should, instead of meeting an empty file or losing the data. Messages to a closed standard error are lost.
    static func fillClosed() {
        let modes: [(descriptor: Int32, flags: Int32)] = [
            (STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDWR),
        ]
        for mode in modes where fcntl(mode.descriptor, F_GETFD) < 0 && errno == EBADF {
            // The lowest free number is this one: those below are open by now.
            _ = open("/dev/null", mode.flags)
        }
    }

    static func isTerminal(_ descriptor: Int32) -> Bool {
        isatty(descriptor) == 1
    }
}
