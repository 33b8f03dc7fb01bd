// Room on a file system.
import Glibc

/// Bytes that this user may still write where a file is or is to be; "-" is the standard output.
///
/// Nil where nothing can be said: a pipe, a device, a folder that is not there.
public func freeSpace(for path: String) -> Int? {
    var status = stat()
    let exists = path == "-" ? fstat(STDOUT_FILENO, &status) == 0 : stat(path, &status) == 0
    if exists, status.st_mode & S_IFMT != S_IFREG { return nil }
    if !exists, path == "-" { return nil }
    var system = statvfs()
    guard (path == "-" ? fstatvfs(STDOUT_FILENO, &system) : statvfs(folder(of: path), &system)) == 0 else { return nil }
    let (bytes, overflow) = Int(system.f_bavail).multipliedReportingOverflow(by: Int(system.f_frsize))
    return overflow ? .max : bytes
}

/// The size of a regular file; nil where there is none.
public func fileSize(of path: String) -> Int? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int(status.st_size)
}
