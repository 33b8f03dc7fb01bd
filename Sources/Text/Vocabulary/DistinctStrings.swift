// The distinct strings of a vocabulary, each with one id that stands for it.

/// Byte strings, each once, with the id that was preferred among those that have it.
final class DistinctStrings {
    private let strings: Vocabulary
    /// The id of each string.
    private(set) var ids: [UInt32] = []
    private var isFallback: [Bool] = []
    /// How many ids have each string.
    private(set) var entries: [Int] = []

    init(capacity: Int) {
        strings = Vocabulary(capacity: capacity)
        ids.reserveCapacity(capacity)
    }

    var count: Int { ids.count }

    /// Adds an id. The first one with a string stands for it, but a byte's fallback gives way to a token that is found in texts.
    func insert(_ bytes: [UInt8], id: UInt32, isFallback fallback: Bool) {
        guard let known = strings.appendNew(bytes) else {
            ids.append(id)
            isFallback.append(fallback)
            entries.append(1)
            return
        }
        entries[known] += 1
        if isFallback[known] && !fallback {
            ids[known] = id
            isFallback[known] = false
        }
    }

    /// The place of a string.
    func place(of bytes: [UInt8]) -> Int? { strings.id(of: bytes) }

    func bytes(_ place: Int) -> [UInt8] { strings.bytes(place) }
}
