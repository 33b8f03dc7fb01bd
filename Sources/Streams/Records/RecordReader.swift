// Records in, whichever of the two encodings they come in.

/// The two encodings of records.
public enum RecordEncoding: String, CaseIterable, Sendable {
    case tensor, ndjson
}

/// What reads one encoding.
protocol RecordSource: AnyObject {
    var header: StreamHeader { get }
    var streamCount: Int { get }
    func next() throws -> RecordBatch?
    /// Where a document of the batch last returned stands.
    func place(ofDocument document: Int) -> Failure.Place
}

/// Reads a stream of records: a tensor stream or NDJSON, told apart by the first bytes, or a Megatron token shard by its index.
///
/// Streams of the same kind may follow one another when their headers agree, the producer aside. Every batch is checked before it is
/// returned (`RecordBatch.problem`); a tensor stream also against its CRCs, counts and hash, and one that ends without its end record is
/// refused: its writer died. NDJSON shows truncation only by a cut last line. An input without a single byte is refused as well, since
/// no writer that finished leaves one.
public final class RecordReader {
    /// The input as the user named it.
    public let name: String
    public let encoding: RecordEncoding
    /// Of the first stream. Without a header line NDJSON has no facts, and its kind follows from the fields of the first record.
    public var header: StreamHeader { source.header }
    /// Where the batch last returned begins, for messages.
    public var lastPlace: Failure.Place { source.place(ofDocument: 0) }
    /// What was read so far.
    public private(set) var batchCount = 0
    public private(set) var documentCount = 0
    public private(set) var tokenCount = 0
    public var streamCount: Int { source.streamCount }

    private let source: any RecordSource

    /// Reads the header. Throws `Failure.badData` (65) when the input is something else, which is then named, or holds another kind
    /// of records than one of `expecting`.
    public init(_ input: ByteInput, expecting: [StreamHeader.Kind] = StreamHeader.Kind.allCases) throws {
        name = input.name
        let kind = try FileKind(input)
        switch kind {
        case .tensorStream, .safetensors:
            encoding = .tensor
            source = try TensorRecordSource(input)
        case .jsonObject, .unknown:
            encoding = .ndjson
            source = try NDJSONRecordSource(input)
        case .megatronIndex:
            encoding = .tensor
            source = try MegatronRecordSource(input)
        case .empty:
            throw Failure(.badData, input.name, "empty: no records, not even a header", hint: TensorStream.truncationHint)
        default:
            throw Failure(.badData, input.name, "not records: this is \(kind.title)", hint: kind.hint)
        }
        let found = source.header.stream
        guard expecting.contains(found) else {
            let wanted = expecting.map(\.rawValue).joined(separator: " or ")
            let makers = expecting.map { "'\($0.maker)'" }.joined(separator: " or ")
            throw Failure(.badData, input.name, "holds \(found.rawValue), expected \(wanted)", hint: "make them with \(makers)")
        }
    }

    /// The next batch of whole documents, or nil after the end of the last stream. Throws `Failure.badData` with the place.
    public func next() throws -> RecordBatch? {
        guard let batch = try source.next() else { return nil }
        batchCount += 1
        documentCount += batch.documentCount
        tokenCount += batch.tokenCount
        return batch
    }

    /// Where a document of the batch last returned stands: its line in NDJSON, its record in a tensor stream.
    public func place(ofDocument document: Int) -> Failure.Place { source.place(ofDocument: document) }
}
