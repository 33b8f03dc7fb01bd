// Builds the tables of a byte-level vocabulary from tokens and merges as files write them, in the printable alphabet.

import Streams

/// Collects the entries in the order of their ids.
struct ByteLevelBuilder {
    private let name: String
    private let vocabulary: Vocabulary
    private var token = [UInt8](repeating: 0, count: 256)
    /// Tokens that the alphabet cannot write: no bytes merge into them, and they are decoded as they are.
    private(set) var literals: [UInt32: [UInt8]] = [:]
    /// Everything that the alphabet cannot write, as it is written.
    private let foreign = Vocabulary(capacity: 0)
    /// The first of the literals, in words.
    private var outside: String?

    init(name: String, capacity: Int) {
        self.name = name
        vocabulary = Vocabulary(capacity: capacity)
    }

    var count: Int { vocabulary.count }

    /// The next id: a token in the printable alphabet. Throws 65 where it is empty or there twice.
    mutating func append(_ written: UnsafeRawBufferPointer) throws {
        guard !written.isEmpty else { throw refuse("token \(count) is empty") }
        if try add(written) { return }
        outside = outside ?? "token \(count) ('\(printable(Array(written)))') holds a character outside the byte-level alphabet"
        literals[UInt32(count)] = Array(written)
        skip()
    }

    /// The next id: an added token that the model lists. Merging may make it too, where the alphabet can write it. Throws as `append`.
    mutating func appendAdded(_ written: UnsafeRawBufferPointer) throws {
        if try !add(written) { skip() }
    }

    /// The next id stands for nothing that merging makes: an added token, or a gap.
    mutating func skip() {
        vocabulary.appendUnnamed()
    }

    /// Appends the bytes of a token; false where the alphabet cannot write it.
    private mutating func add(_ written: UnsafeRawBufferPointer) throws -> Bool {
        if written.count > token.count { token = [UInt8](repeating: 0, count: 2 * written.count) }
        let (isInside, other) = token.withUnsafeMutableBufferPointer { token -> (Bool, Int?) in
            guard let count = ByteAlphabet.decode(written, to: token.baseAddress!) else { return (false, foreign.appendNew(written)) }
            return (true, vocabulary.appendNew(UnsafeRawBufferPointer(start: token.baseAddress!, count: count)))
        }
        if other != nil { throw refuse("token \(count) ('\(printable(Array(written)))') is there twice") }
        return isInside
    }

    /// Throws 65 for a merge that names or makes what is no token, and where tokens lie outside the alphabet and not every byte has a token:
    /// then the vocabulary is not of this kind. (Command-R lists emoji beside its 256 bytes.)
    func tables(_ merges: WrittenMerges, ignoresMerges: Bool, unknownID: UInt32? = nil, fusesUnknown: Bool = false) throws
        -> ByteLevelTables
    {
        let list = try merges.list(vocabulary, inAlphabet: true) { rank, fault in
            let (left, right) = (printable(merges.left(rank)), printable(merges.right(rank)))
            switch fault {
            case .left: return refuse("merge \(rank) names '\(left)', which is no token")
            case .right: return refuse("merge \(rank) names '\(right)', which is no token")
            case .result: return refuse("merge \(rank) makes '\(left)\(right)', which is no token")
            }
        }
        if let outside, (0...255).contains(where: { vocabulary.id(of: [UInt8($0)]) == nil }) { throw refuse(outside) }
        return try ByteLevelTables(
            vocabulary: vocabulary, merges: MergeTable(list, name: name), ignoresMerges: ignoresMerges, unknownID: unknownID,
            fusesUnknown: fusesUnknown)
    }

    private func refuse(_ what: String) -> Failure {
        Failure(.badData, name, .whole, what)
    }
}
