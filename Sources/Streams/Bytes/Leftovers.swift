// What killed processes leave beside their outputs: `.NAME.PID.part` and the like, and who may take it away.
import Glibc

/// Names in folders, as C strings where a file may be called anything.
enum Leftovers {
    /// Removes the unfinished versions of the file called `name` whose writers were killed. Nothing is said of a failure.
    ///
    /// A writer holds a lock on its file, for a process of the same number may run on another machine, or in another container.
    static func sweep(_ folder: String, file name: String) {
        for entry in entries(of: folder) {
            guard let owner = process(entry, after: ".\(name).", before: ".part"), isGone(owner) else { continue }
            let path = join(folder, entry)
            let descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK { unlink(path) }
        }
    }

    /// The names in a folder, as C strings; none when it cannot be read.
    static func entries(of path: String) -> [[CChar]] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var names: [[CChar]] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                tuple.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: tuple.pointee)) { text in
                    Array(UnsafeBufferPointer(start: text, count: strlen(text) + 1))
                }
            }
            if text(name) != ".", text(name) != ".." { names.append(name) }
        }
        return names
    }

    static func join(_ folder: String, _ entry: [CChar]) -> [CChar] {
        folder.utf8.map { CChar(bitPattern: $0) } + [CChar(bitPattern: UInt8(ascii: "/"))] + entry
    }

    static func text(_ name: [CChar]) -> String {
        String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The process number between `prefix` and `suffix`, when the name has this form.
    static func process(_ entry: [CChar], after prefix: String, before suffix: String) -> pid_t? {
        let name = text(entry)
        guard name.utf8.starts(with: prefix.utf8), name.utf8.reversed().starts(with: suffix.utf8.reversed()) else { return nil }
        let middle = name.utf8.dropFirst(prefix.utf8.count).dropLast(suffix.utf8.count)
        let digits = String(decoding: middle, as: UTF8.self).split(separator: ".").first ?? ""
        return pid_t(digits)
    }

    static func isGone(_ process: pid_t) -> Bool {
        kill(process, 0) != 0 && errno == ESRCH
    }
}
