// What a stream amounts to: counts, and a checksum of its content that does not depend on how it is written.

/// Counts and a checksum over batches.
///
/// The checksum is the XXH64, over every document in order, of: the length of its id and the id; the number of its tokens; a byte that
/// tells which columns there are (bits 0 to 4: text hash, offsets, log-probabilities, teacher ranges, teacher losses); then its part of
/// these columns and of `input_ids` before them, little-endian, every NaN as 0x7FC00000. It is the same for both encodings and any batch size.
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
        let logProbs = batch.logProbs?.map(plain)
        let losses = batch.teacherLosses?.map(plain)
        let mask = batch.columnMask
        for document in 0..<batch.documentCount {
            let range = batch.tokens(of: document)
            let pairs = 2 * range.lowerBound..<2 * range.upperBound
            if range.isEmpty { emptyDocuments += 1 }
            longestDocument = max(longestDocument, range.count)
            add(UInt64(batch.documentIDs[document].count))
            add(batch.documentIDs[document], 0..<batch.documentIDs[document].count)
            add(UInt64(range.count))
            add([mask], 0..<1)
            add(batch.inputIDs, range)
            if let hashes = batch.textHashes { add(hashes[document]) }
            if let offsets = batch.offsets { add(offsets, pairs) }
            if let logProbs { add(logProbs, range) }
            if let ranges = batch.teacherRanges { add(ranges, pairs) }
            if let losses { add(losses, range) }
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
    fileprivate var columnMask: UInt8 {
        (textHashes == nil ? 0 : 1) | (offsets == nil ? 0 : 2) | (logProbs == nil ? 0 : 4) | (teacherRanges == nil ? 0 : 8)
            | (teacherLosses == nil ? 0 : 16)
    }
}
