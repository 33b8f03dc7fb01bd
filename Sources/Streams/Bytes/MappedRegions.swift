// Where files are mapped, so that a handler of SIGBUS can name the one that was cut short under it.
import Glibc

/// A table of live mappings.
///
/// `find` allocates nothing and takes no lock, so a signal handler may call it. The C strings are never freed: a handler may be reading
/// one (about a hundred bytes for each file that a run maps).
public enum MappedRegions {
    struct Region {
        var start: UInt
        var count: UInt
        var name: UnsafeMutablePointer<CChar>
    }

    static let capacity = 1024
    private nonisolated(unsafe) static let slots: UnsafeMutablePointer<Region?> = {
        let slots = UnsafeMutablePointer<Region?>.allocate(capacity: capacity)
        slots.initialize(repeating: nil, count: capacity)
        return slots
    }()
    private static let lock = Lock()

    /// Prepares the table; called before a handler that uses it is installed.
    public static func prepare() {
        _ = slots
    }

    /// Enters a mapping. Past 1,024 live ones it is not entered, and the system ends a process that reads behind its file's end.
    static func insert(_ start: UnsafeRawPointer, _ count: Int, name: String) {
        lock.lock()
        defer { lock.unlock() }
        for slot in 0..<capacity where slots[slot] == nil {
            slots[slot] = strdup(name).map { Region(start: UInt(bitPattern: start), count: UInt(count), name: $0) }
            return
        }
    }

    static func remove(_ start: UnsafeRawPointer) {
        lock.lock()
        defer { lock.unlock() }
        for slot in 0..<capacity where slots[slot]?.start == UInt(bitPattern: start) { slots[slot] = nil }
    }

    /// The file that is mapped at an address, and which of its bytes that is. Safe in a signal handler.
    public static func find(_ address: UnsafeRawPointer?) -> (name: UnsafePointer<CChar>, byte: UInt)? {
        let address = UInt(bitPattern: address)
        for slot in 0..<capacity {
            guard let region = slots[slot], address >= region.start, address - region.start < region.count else { continue }
            return (UnsafePointer(region.name), address - region.start)
        }
        return nil
    }
}
