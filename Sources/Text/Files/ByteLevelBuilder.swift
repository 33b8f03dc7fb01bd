// Builds the tables of a byte-level vocabulary from tokens and merges as files write them, in the printable alphabet.

import Streams

/// Collects the entries in the order of their ids, then the merges in the order of their ranks.
struct ByteLevelBuilder {
    private let name: String
    private let vocabulary: Vocabulary
    private var merges: MergeList
    private var token: [UInt8] = []
    private var joined: [UInt8] = []
    /// Tokens that the alphabet cannot write: no bytes merge into them, and they are decoded as they are.
    private(set) var literals: [UInt32: [UInt8]] = [:]
    /// The first of them, in words.
    private var outside: String?

    init(name: String, capacity: Int) {
        self.name = name
        vocabulary = Vocabulary(capacity: capacity)
        merges = MergeList(capacity: capacity)
    }

    var count: Int { vocabulary.count }

    /// The next id: a token in the printable alphabet.
    mutating func append(_ written: UnsafeRawBufferPointer) throws {
        func refuse(_ what: String) -> Failure { self.refuse("token \(count) \(what)") }
        guard !written.isEmpty else { throw refuse("is empty") }
        token.removeAll(keepingCapacity: true)
        guard ByteAlphabet.decode(written, into: &token) else {
            outside = outside ?? "token \(count) ('\(printable(Array(written)))') holds a character outside the byte-level alphabet"
            literals[UInt32(count)] = Array(written)
            return skip()
        }
        if vocabulary.appendNew(token) != nil { throw refuse("('\(printable(Array(written)))') is there twice") }
    }

    /// The next id: an added token that the model lists. Merging may make it too, where the alphabet can write it.
    mutating func appendAdded(_ written: UnsafeRawBufferPointer) {
        token.removeAll(keepingCapacity: true)
        if !ByteAlphabet.decode(written, into: &token) || token.isEmpty || vocabulary.appendNew(token) != nil { skip() }
    }

    /// The next id stands for nothing that merging makes: an added token, or a gap.
    mutating func skip() {
        vocabulary.appendUnnamed()
    }

    /// A merge as one string, its two parts separated by a space.
    mutating func addMerge(_ text: UnsafeRawBufferPointer, rank: Int) throws {
        guard let space = text.firstIndex(of: 0x20), text[(space + 1)...].firstIndex(of: 0x20) == nil else {
            let parts = text.split(separator: 0x20, omittingEmptySubsequences: false).count
            throw refuse("merge \(rank) ('\(printable(Array(text)))') has \(parts) parts, expected 2")
        }
        try addMerge(
            UnsafeRawBufferPointer(rebasing: text[..<space]), UnsafeRawBufferPointer(rebasing: text[(space + 1)...]), rank: rank)
    }

    mutating func addMerge(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer, rank: Int) throws {
        joined.removeAll(keepingCapacity: true)
        let first = try part(left, from: 0, rank)
        let second = try part(right, from: joined.count, rank)
        guard let result = vocabulary.id(of: joined) else {
            throw refuse("merge \(rank) makes '\(printable(Array(left)))\(printable(Array(right)))', which is no token")
        }
        merges.append(first, second, Merge(rank: UInt32(rank), result: UInt32(result)))
    }

    /// Appends a part's bytes to `joined` and returns its id.
    private mutating func part(_ written: UnsafeRawBufferPointer, from start: Int, _ rank: Int) throws -> UInt32 {
        guard ByteAlphabet.decode(written, into: &joined),
            let id = joined.withUnsafeBytes({ vocabulary.id(of: UnsafeRawBufferPointer(rebasing: $0[start...])) })
        else { throw refuse("merge \(rank) names '\(printable(Array(written)))', which is no token") }
        return UInt32(id)
    }

    /// Throws 65 where tokens lie outside the alphabet and not every byte has a token: then the vocabulary is not of this kind. (Command-R
    /// lists emoji beside its 256 bytes.)
    func tables(ignoresMerges: Bool, unknownID: UInt32? = nil, fusesUnknown: Bool = false) throws -> ByteLevelTables {
        if let outside, (0...255).contains(where: { vocabulary.id(of: [UInt8($0)]) == nil }) { throw refuse(outside) }
        return ByteLevelTables(
            vocabulary: vocabulary, merges: try MergeTable(merges, name: name), ignoresMerges: ignoresMerges, unknownID: unknownID,
            fusesUnknown: fusesUnknown)
    }

    private func refuse(_ what: String) -> Failure {
        Failure(.badData, name, .whole, what)
    }
}
