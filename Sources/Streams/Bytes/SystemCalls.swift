// System calls with the manners that every reader and writer needs: EINTR, EAGAIN, low descriptors, errno as text.
import Glibc

/// The text of an error number, as strerror(3) gives it in the C locale.
func errorText(_ code: Int32) -> String {
    String(cString: strerror(code))
}

/// open(2) with O_CLOEXEC; the descriptor is never 0, 1 or 2, so that a closed standard stream is not mistaken for a file.
///
/// Returns the descriptor, or minus one with the error number.
func openDescriptor(_ path: String, _ flags: Int32, mode: mode_t = 0o666) -> (descriptor: Int32, code: Int32) {
    while true {
        let descriptor = open(path, flags | O_CLOEXEC, mode)
        if descriptor < 0 {
            if errno == EINTR { continue }
            return (-1, errno)
        }
        if descriptor > 2 { return (descriptor, 0) }
        let moved = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
        let code = errno
        close(descriptor)
        return moved < 0 ? (-1, code) : (moved, 0)
    }
}

/// A system call that says minus one when it fails, repeated as long as signals interrupt it.
public func uninterrupted<Result: SignedInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result >= 0 || errno != EINTR { return result }
    }
}

/// Waits until a descriptor in non-blocking mode can go on.
func waitUntilReady(_ descriptor: Int32, _ events: Int32) {
    var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
    _ = poll(&entry, 1, -1)
}

/// fsync(2) of a folder, so that a rename in it survives a power cut.
///
/// Throws `Failure.inputOutput`. File systems that cannot sync a folder (EINVAL) are taken at their word.
public func syncFolder(_ path: String) throws {
    let (descriptor, code) = openDescriptor(path, O_RDONLY | O_DIRECTORY)
    guard descriptor >= 0 else { throw Failure(.inputOutput, path, "cannot open the folder to sync it: \(errorText(code))") }
    defer { close(descriptor) }
    while fsync(descriptor) != 0 {
        if errno == EINTR { continue }
        if errno == EINVAL || errno == ENOTSUP { return }
        throw Failure(.inputOutput, path, "cannot sync the folder: \(errorText(errno))")
    }
}

/// The folder part of a path, "." when it has none.
func folder(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    let head = path[path.startIndex..<slash]
    return head.isEmpty ? "/" : String(head)
}

/// What follows the last slash.
func lastComponent(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
    return String(path[path.utf8.index(after: slash)...])
}
