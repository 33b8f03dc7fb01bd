// What a stream amounts to: counts, and a checksum of its content that does not depend on how it is written.

/// Counts and a checksum over batches.
///
/// The checksum is the XXH64, over every document in order, of: the length of its id and the id; the number of its tokens; a byte that
/// tells which columns there are (bits 0 to 4: text hash, offsets, log-probabilities, teacher ranges, teacher losses; bit 7: two more bytes
/// follow with bits for the columns after these, in the order of the format); then its part of `input_ids` and of
/// these columns, little-endian, every NaN as 0x7FC00000, of lists their lengths, the ids and the values as F32. It is the same for both
/// encodings and any batch size.
public struct RecordSummary: Sendable {
    public private(set) var documents = 0
    public private(set) var tokens = 0
    /// Tokens whose log-probability, and whose teacher loss, is a number.
    public private(set) var scored = 0
    public private(set) var mapped = 0
    /// Negative log-probabilities, summed in Double in the order of the tokens.
    public private(set) var nats = 0.0
    /// Documents without a token, and the longest in tokens.
    public private(set) var emptyDocuments = 0
    public private(set) var longestDocument = 0
    /// Entries of the lists of probable ids and of drawn ids, and the sum of the kept masses that are numbers.
    public private(set) var topEntries = 0
    public private(set) var sampledEntries = 0
    public private(set) var keptTokens = 0
    public private(set) var keptMass = 0.0
    /// Bytes of the tensors, without ids of documents and what frames records.
    public private(set) var columnBytes = 0
    /// The names of the optional columns.
    public private(set) var columns: [String] = []

    private var hash = XXH64()

    public init() {}

    /// The checksum so far, as 16 hexadecimal digits.
    public var checksum: String { TensorStream.hex(hash.digest(), digits: 16) }

    public mutating func add(_ batch: RecordBatch) {
        columns = batch.columns
        documents += batch.documentCount
        tokens += batch.tokenCount
        scored += batch.logProbs.map(numbers) ?? 0
        for score in batch.logProbs ?? [] where !score.isNaN { nats -= Double(score) }
        mapped += batch.teacherLosses.map(numbers) ?? 0
        topEntries += batch.top?.ids.count ?? 0
        sampledEntries += batch.sampled?.ids.count ?? 0
        keptTokens += batch.keptMasses.map(numbers) ?? 0
        for mass in batch.keptMasses ?? [] where !mass.isNaN { keptMass += Double(mass) }
        columnBytes += batch.columnBytes
        let mask = batch.columnMask
        for document in 0..<batch.documentCount {
            let range = batch.tokens(of: document)
            if range.isEmpty { emptyDocuments += 1 }
            longestDocument = max(longestDocument, range.count)
            add(UInt64(batch.documentIDs[document].count))
            add(batch.documentIDs[document], 0..<batch.documentIDs[document].count)
            add(UInt64(range.count))
            add(mask, 0..<mask.count)
            add(batch.inputIDs, range)
            for column in Column.all { add(column, of: batch, document, range) }
        }
    }

    private mutating func add(_ column: Column, of batch: RecordBatch, _ document: Int, _ tokens: Range<Int>) {
        switch column.storage {
        case .hashes(let path): if let hashes = batch[keyPath: path] { add(hashes[document]) }
        case .documentNumbers(let path): if let numbers = batch[keyPath: path] { add(numbers, document..<document + 1) }
        case .tokenNumbers(let path): if let numbers = batch[keyPath: path] { add(numbers, tokens) }
        case .spans(let path): if let spans = batch[keyPath: path] { add(spans, 2 * tokens.lowerBound..<2 * tokens.upperBound) }
        case .values(let path, _): if let values = batch[keyPath: path] { add(values[tokens].map(plain), 0..<tokens.count) }
        case .entries(let path, _, _, _):
            guard let entries = batch[keyPath: path] else { return }
            for token in tokens { add(UInt64(entries.entries(of: token).count)) }
            let range = entries.splits[tokens.lowerBound]..<entries.splits[tokens.upperBound]
            add(entries.ids, range)
            add(entries.values, range)
        }
    }

    private mutating func add(_ value: UInt64) {
        withUnsafeBytes(of: value.littleEndian) { hash.update($0) }
    }

    private mutating func add<Element>(_ column: [Element], _ range: Range<Int>) {
        column.withUnsafeBufferPointer { hash.update(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: $0[range]))) }
    }

    private func numbers(_ column: [Float]) -> Int {
        column.reduce(0) { $0 + ($1.isNaN ? 0 : 1) }
    }

    private func plain(_ value: Float) -> Float { value.isNaN ? .nan : value }
}

extension RecordBatch {
    fileprivate var columnMask: [UInt8] {
        var bits = 0
        for (place, column) in Column.all.enumerated() where column.isPresent(in: self) { bits |= 1 << place }
        let low = UInt8(bits & 31)
        return bits < 32 ? [low] : [low | 128, UInt8(truncatingIfNeeded: bits >> 5), UInt8(truncatingIfNeeded: bits >> 13)]
    }
}
