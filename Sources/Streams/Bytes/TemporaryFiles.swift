// The temporary files that exist now, so that a signal handler can remove them.
import CSystem
import Glibc

/// A table of live temporary files.
///
/// `removeAll` calls nothing but unlink(2), so a signal handler may call it. A file is entered before it is created.
/// The C strings are never freed: a handler may be reading one (about a hundred bytes for each output file of a run).
public enum TemporaryFiles {
    static let capacity = 256
    private nonisolated(unsafe) static let slots: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> = {
        let slots = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: capacity)
        slots.initialize(repeating: nil, count: capacity)
        return slots
    }()
    private static let lock = Lock()

    /// Prepares the table; called before a handler that uses it is installed. Also where memory ends, its files go.
    public static func prepare() {
        _ = slots
        preceptor_when_out_of_memory { TemporaryFiles.removeAll() }
    }

    /// Enters a path. Past 256 live files a path is not entered; its file is then removed by its owner only.
    static func insert(_ path: String) {
        lock.lock()
        defer { lock.unlock() }
        for slot in 0..<capacity where slots[slot] == nil {
            slots[slot] = strdup(path)
            return
        }
    }

    static func remove(_ path: String) {
        lock.lock()
        defer { lock.unlock() }
        for slot in 0..<capacity {
            if let entry = slots[slot], strcmp(entry, path) == 0 {
                slots[slot] = nil
                return
            }
        }
    }

    /// Unlinks every file entered. Safe in a signal handler; the program should leave afterwards.
    public static func removeAll() {
        for slot in 0..<capacity {
            if let entry = slots[slot] { unlink(entry) }
        }
    }
}
