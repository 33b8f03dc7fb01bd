// A folder of files that appears, or replaces its predecessor, as a whole.
import Glibc

/// A new version of a folder, put together beside it and moved into place by `commit()`.
///
/// The files are written under `.NAME.PID.part` in the same parent. Where the system can swap two folders (Linux on most local file
/// systems) there is no moment without a whole folder under NAME; elsewhere the old one is renamed aside first, and `recover` finds it
/// after a power cut between the two renames. Files of the old folder that are not in `files` (a log, notes) move over to the new one.
public final class AtomicFolder {
    /// The folder as the user named it.
    public let name: String
    private let target: String
    private let temporary: String
    private let files: Set<String>
    private var isOpen = true

    /// Throws `Failure.cannotCreate` (73) unless a folder can be put at `path`: nothing is there, an empty folder, or one that holds a
    /// file called `marker`. A folder without it is somebody's own, and is never replaced.
    public static func check(_ path: String, marker: String) throws {
        _ = try resolve(path, marker: marker)
    }

    /// Begins a new version of the folder at `path`; missing parents are made. `files`: the names that versions may hold.
    ///
    /// Leftovers of processes that were killed are removed. Throws `Failure.cannotCreate` (73).
    public init(_ path: String, marker: String, files: Set<String>) throws {
        name = path
        self.files = files
        AtomicFolder.recover(path)
        target = try AtomicFolder.resolve(path, marker: marker)
        temporary = AtomicFolder.sibling(target, "\(getpid()).part")
        sweep()
        guard mkdir(temporary, 0o777) == 0 else { throw Failure(.cannotCreate, path, "cannot create: \(errorText(errno))") }
        var status = stat()
        if stat(target, &status) == 0 { chmod(temporary, status.st_mode & 0o7777) }
    }

    deinit { discard() }

    /// Where to write the file called `file` now.
    public func path(_ file: String) -> String {
        precondition(files.contains(file), "bug: '\(file)' is no file of this folder")
        return "\(temporary)/\(file)"
    }

    /// A failure of a file in it, under the name that the user knows.
    public func named(_ failure: Failure) -> Failure {
        guard failure.subject.utf8.starts(with: temporary.utf8) else { return failure }
        var failure = failure
        failure.subject = name + String(decoding: failure.subject.utf8.dropFirst(temporary.utf8.count), as: UTF8.self)
        return failure
    }

    /// Makes the folder durable and visible under its name. Every file in it must have been synced by whoever wrote it.
    ///
    /// Throws `Failure.inputOutput` (74); the old folder is then still in place, unless only the last sync failed.
    public func commit() throws {
        precondition(isOpen, "bug: a folder committed twice")
        try syncFolder(temporary)
        var replaced: String?
        if access(target, F_OK) != 0 {
            try move(temporary, target)
        } else if exchange(temporary, target) {
            replaced = temporary
        } else {
            let aside = AtomicFolder.sibling(target, "\(getpid()).old")
            try move(target, aside)
            do { try move(temporary, target) } catch {
                rename(aside, target)
                throw error
            }
            replaced = aside
        }
        isOpen = false
        try syncFolder(folder(of: target))
        if let replaced { retire(replaced, into: target) }
    }

    /// Gives up; the old folder stays. Harmless after `commit()`.
    public func discard() {
        guard isOpen else { return }
        isOpen = false
        retire(temporary, into: nil)
    }

    /// Puts back a folder that was renamed aside by a `commit()` which never came to its end. Does nothing otherwise.
    public static func recover(_ path: String) {
        let path = withoutTrailingSlashes(path)
        guard access(path, F_OK) != 0 else { return }
        let prefix = ".\(lastComponent(of: path))."
        for entry in Leftovers.entries(of: folder(of: path)) {
            guard let owner = Leftovers.process(entry, after: prefix, before: ".old"), Leftovers.isGone(owner) else { continue }
            rename(Leftovers.join(folder(of: path), entry), path)
            return
        }
    }

    private func move(_ from: String, _ to: String) throws {
        guard rename(from, to) == 0 else {
            throw Failure(.inputOutput, name, "cannot rename into place: \(errorText(errno))")
        }
    }

    /// Removes what killed processes left of this folder.
    private func sweep() {
        let parent = folder(of: target)
        let whole = access(target, F_OK) == 0
        for entry in Leftovers.entries(of: parent) {
            // A folder renamed aside is what `recover` looks for, as long as it has no successor.
            for ending in whole ? [".part", ".old"] : [".part"] {
                let owner = Leftovers.process(entry, after: ".\(lastComponent(of: target)).", before: ending)
                guard let owner, owner == getpid() || Leftovers.isGone(owner) else { continue }
                retire(Leftovers.text(Leftovers.join(parent, entry)), into: whole ? target : nil)
            }
        }
    }

    private func retire(_ old: String, into successor: String?) {
        AtomicFolder.retire(old, files, into: successor)
    }
}

/// Folders by themselves: made, or no longer wanted.
extension AtomicFolder {
    /// Makes an ordinary folder, and its parents, whose names survive a power cut. Throws `Failure.cannotCreate` (73).
    public static func makeFolder(_ path: String) throws {
        let path = withoutTrailingSlashes(path)
        try makeFolders(path) { Failure(.cannotCreate, path, "cannot create: \($0)") }
    }

    /// Removes the folder at `path` as a whole: it has no name any more before the first of its `files` goes. What else it holds keeps it,
    /// without those files. Nothing is said of a failure: the folder is then there, or what is left of it is swept later.
    public static func remove(_ path: String, files: Set<String>) {
        let path = withoutTrailingSlashes(path)
        let unnamed = sibling(path, "\(getpid()).part")
        guard rename(path, unnamed) == 0 else { return }
        retire(unnamed, files, into: nil)
        if access(unnamed, F_OK) == 0 { rename(unnamed, path) }
    }

    /// Removes what killed processes left of the folders in `parent` whose names begin so: unfinished ones, and those half removed.
    public static func sweep(_ parent: String, namesBeginning prefix: String, files: Set<String>) {
        for entry in Leftovers.entries(of: parent) {
            let name = Leftovers.text(entry)
            guard name.utf8.starts(with: ".\(prefix)".utf8), let end = name.utf8.dropFirst().firstIndex(of: UInt8(ascii: ".")) else {
                continue
            }
            let owner = Leftovers.process(entry, after: String(name[...end]), before: ".part")
            if let owner, owner == getpid() || Leftovers.isGone(owner) { retire("\(parent)/\(name)", files, into: nil) }
        }
    }

    /// Removes a folder of ours: its files are unlinked, everything else moves to `successor`; without one it stays where it is.
    private static func retire(_ old: String, _ files: Set<String>, into successor: String?) {
        for entry in Leftovers.entries(of: old) {
            let path = Leftovers.join(old, entry)
            if isOurs(entry, files) {
                unlink(path)
            } else if let successor {
                let moved = Leftovers.join(successor, entry)
                if access(moved, F_OK) != 0 { rename(path, moved) }
            }
        }
        rmdir(old)
    }

    /// One of a folder's files, or the unfinished version of one.
    private static func isOurs(_ entry: [CChar], _ files: Set<String>) -> Bool {
        files.contains(Leftovers.text(entry)) || files.contains { Leftovers.process(entry, after: ".\($0).", before: ".part") != nil }
    }
}

/// Paths.
extension AtomicFolder {
    /// The path behind symbolic links, once it is clear that a folder of ours may stand there.
    private static func resolve(_ path: String, marker: String) throws -> String {
        func refuse(_ message: String, _ hint: String? = nil) -> Failure {
            Failure(.cannotCreate, path, "cannot create: \(message)", hint: hint)
        }
        let path = withoutTrailingSlashes(path)
        var status = stat()
        guard stat(path, &status) == 0 else {
            guard errno == ENOENT else { throw refuse(errorText(errno)) }
            guard lstat(path, &status) != 0 else { throw refuse("a symbolic link to nothing has this name") }
            try makeFolders(folder(of: path)) { refuse($0) }
            return path
        }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw refuse("a file has this name") }
        guard access("\(path)/\(marker)", F_OK) == 0 || Leftovers.entries(of: path).isEmpty else {
            throw refuse("a folder without '\(marker)' has this name", "give the name of a new folder, or of one to replace")
        }
        guard let real = realpath(path, nil) else { throw refuse(errorText(errno)) }
        defer { free(real) }
        let resolved = String(cString: real)
        guard resolved != "/" else { throw refuse("this is the root folder") }
        return resolved
    }

    private static func makeFolders(_ path: String, _ refuse: (String) -> Failure) throws {
        guard path != ".", path != "/", access(path, F_OK) != 0 else { return }
        try makeFolders(folder(of: path), refuse)
        guard mkdir(path, 0o777) == 0 || errno == EEXIST else { throw refuse(errorText(errno)) }
        // Its name survives a power cut as what is put into it does.
        do { try syncFolder(folder(of: path)) } catch let failure as Failure { throw refuse(failure.message) }
    }

    private static func withoutTrailingSlashes(_ path: String) -> String {
        var bytes = Array(path.utf8)
        while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// `.NAME.ENDING` beside `target`.
    private static func sibling(_ target: String, _ ending: String) -> String {
        "\(folder(of: target))/.\(lastComponent(of: target)).\(ending)"
    }
}

/// Swaps two folders at one moment with renameat2(2) and RENAME_EXCHANGE; false where the system or the file system cannot.
///
/// Looked up by name: the C library declares it for C programs that ask for GNU extensions only.
private func exchange(_ one: String, _ other: String) -> Bool {
    typealias Renameat2 = @convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32
    guard let symbol = dlsym(nil, "renameat2") else { return false }
    return unsafeBitCast(symbol, to: Renameat2.self)(AT_FDCWD, one, AT_FDCWD, other, 2) == 0
}
