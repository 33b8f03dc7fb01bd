// Builds the tables of a byte-level vocabulary from tokens and merges as files write them, in the printable alphabet.

import Streams

/// Collects the entries in the order of their ids.
struct ByteLevelBuilder {
    private let name: String
    private let vocabulary: Vocabulary
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

    /// Tokens that are added at a time: memory that one waits for comes while others are hashed.
    private static let batch = 32

    /// One token of a batch: where its bytes are; a count of -1 where the alphabet cannot write it.
    private struct Decoded {
        var start = 0
        var count = 0
        var hash: UInt64 = 0
    }

    /// The next ids: tokens in the printable alphabet.
    ///
    /// - entry: what the file writes, nil for a gap. - isAdded: an added token that the model lists, which merging may make too.
    ///
    /// Throws 65 where one is empty or there twice.
    mutating func append(_ ids: Int, entry: (Int) -> UnsafeRawBufferPointer?, isAdded: (Int) -> Bool) throws {
        var bytes = [UInt8](repeating: 0, count: 4096)
        var batch = [Decoded](repeating: Decoded(), count: Self.batch)
        for first in stride(from: 0, to: ids, by: Self.batch) {
            let last = min(ids, first + Self.batch)
            let needed = (first..<last).reduce(0) { $0 + (entry($1)?.count ?? 0) }
            if needed > bytes.count { bytes = [UInt8](repeating: 0, count: 2 * needed) }
            try bytes.withUnsafeMutableBufferPointer { bytes in
                decode(first..<last, entry, bytes.baseAddress!, &batch)
                for id in first..<last {
                    guard let written = entry(id) else {
                        vocabulary.appendUnnamed()
                        continue
                    }
                    let token = batch[id - first]
                    try add(
                        written,
                        token.count < 0 ? nil : UnsafeRawBufferPointer(start: bytes.baseAddress! + token.start, count: token.count),
                        token.hash, isAdded: isAdded(id))
                }
            }
        }
    }

    private func decode(
        _ ids: Range<Int>, _ entry: (Int) -> UnsafeRawBufferPointer?, _ bytes: UnsafeMutablePointer<UInt8>, _ batch: inout [Decoded]
    ) {
        var end = 0
        for id in ids {
            guard let written = entry(id) else { continue }
            var token = Decoded(start: end, count: ByteAlphabet.decode(written, to: bytes + end) ?? -1)
            if token.count > 0 {
                token.hash = hashBytes(bytes + end, token.count)
                vocabulary.prefetch(token.hash)
                end += token.count
            }
            batch[id - ids.lowerBound] = token
        }
    }

    /// - bytes: those of the token, nil where the alphabet cannot write it.
    private mutating func add(_ written: UnsafeRawBufferPointer, _ bytes: UnsafeRawBufferPointer?, _ hash: UInt64, isAdded: Bool) throws {
        guard !written.isEmpty else { throw refuse("token \(count) is empty") }
        let other = bytes.map { vocabulary.appendNew($0, hash: hash) } ?? foreign.appendNew(written)
        if other != nil { throw refuse("token \(count) ('\(printable(Array(written)))') is there twice") }
        guard bytes == nil else { return }
        if !isAdded {
            outside = outside ?? "token \(count) ('\(printable(Array(written)))') holds a character outside the byte-level alphabet"
            literals[UInt32(count)] = Array(written)
        }
        vocabulary.appendUnnamed()
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
            vocabulary: vocabulary, merges: list, name: name, ignoresMerges: ignoresMerges, unknownID: unknownID,
            fusesUnknown: fusesUnknown)
    }

    private func refuse(_ what: String) -> Failure {
        Failure(.badData, name, .whole, what)
    }
}
