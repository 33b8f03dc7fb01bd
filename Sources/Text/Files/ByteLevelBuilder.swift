// Builds a byte-level encoder from tokens and merges as files write them, in the printable alphabet.

import Streams

/// Collects the entries in the order of their ids, then the merges in the order of their ranks.
struct ByteLevelBuilder {
    private let name: String
    private var vocabulary: Vocabulary
    private let merges: MergeTable

    init(name: String, capacity: Int) {
        self.name = name
        vocabulary = Vocabulary(capacity: capacity)
        merges = MergeTable(capacity: capacity)
    }

    var count: Int { vocabulary.count }

    /// The next id: a token in the printable alphabet.
    mutating func append(_ token: [UInt8]) throws {
        guard !token.isEmpty else { throw refuse("token \(count) is empty") }
        guard token.withUnsafeBytes({ firstInvalidUTF8($0) }) == nil, let bytes = token.withUnsafeBytes({ ByteAlphabet.decode($0) }) else {
            throw refuse("token \(count) ('\(printable(token))') holds a character outside the byte-level alphabet")
        }
        guard vocabulary.id(of: bytes) == nil else { throw refuse("token \(count) ('\(printable(token))') is there twice") }
        vocabulary.append(bytes)
    }

    /// The next id: an added token that the model lists. Merging may make it too, where the alphabet can write it.
    mutating func appendAdded(_ token: [UInt8]) {
        let bytes = token.withUnsafeBytes { firstInvalidUTF8($0) == nil ? ByteAlphabet.decode($0) : nil }
        if let bytes, !bytes.isEmpty, vocabulary.id(of: bytes) == nil { vocabulary.append(bytes) } else { skip() }
    }

    /// The next id stands for nothing that merging makes: an added token, or a gap.
    mutating func skip() {
        vocabulary.appendUnnamed()
    }

    /// A merge as one string, its two parts separated by a space.
    mutating func addMerge(_ text: [UInt8], rank: Int) throws {
        let parts = text.split(separator: 0x20, omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw refuse("merge \(rank) ('\(printable(text))') has \(parts.count) parts, expected 2") }
        try addMerge(Array(parts[0]), Array(parts[1]), rank: rank)
    }

    mutating func addMerge(_ left: [UInt8], _ right: [UInt8], rank: Int) throws {
        func part(_ text: [UInt8]) throws -> (bytes: [UInt8], id: UInt32) {
            guard text.withUnsafeBytes({ firstInvalidUTF8($0) }) == nil, let bytes = text.withUnsafeBytes({ ByteAlphabet.decode($0) }),
                let id = vocabulary.id(of: bytes)
            else { throw refuse("merge \(rank) names '\(printable(text))', which is no token") }
            return (bytes, UInt32(id))
        }
        let (first, second) = try (part(left), part(right))
        guard let result = vocabulary.id(of: first.bytes + second.bytes) else {
            throw refuse("merge \(rank) makes '\(printable(left))\(printable(right))', which is no token")
        }
        merges.insert(first.id, second.id, Merge(rank: UInt32(rank), result: UInt32(result)))
    }

    func encoder(splitter: WordSplitter, addsPrefixSpace: Bool, ignoresMerges: Bool) -> ByteLevelEncoder {
        let tables = ByteLevelTables(vocabulary: vocabulary, merges: merges, ignoresMerges: ignoresMerges)
        return ByteLevelEncoder(tables, splitter: splitter, addsPrefixSpace: addsPrefixSpace)
    }

    private func refuse(_ what: String) -> Failure {
        Failure(.badData, name, .whole, what)
    }
}
