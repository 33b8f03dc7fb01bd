// Random access to the records of a tensor stream in a file: for those who read them in another order than they lie in.

/// Where the data records of a file lie, and their batches one by one.
///
/// Made by looking at the header of every record; the data of each is checked against its CRC, and like any other batch, whenever it is read.
/// The hash of the whole stream is not: it would cost a pass.
public final class RecordIndex {
    /// One data record.
    private struct Entry {
        let byte: Int
        /// Its number in its stream, of several in a row.
        let index: Int
    }

    /// The file as the user named it.
    public let name: String
    /// Of the first stream.
    public let header: StreamHeader
    private let map: MappedFile
    private var entries: [Entry] = []

    public var count: Int { entries.count }

    /// Throws 66 for a file that cannot be opened or is none (a pipe), 65 for anything but whole tensor streams whose headers agree.
    public init(_ path: String) throws {
        guard path != "-" else {
            throw Failure(
                .cannotOpen, "<stdin>", "standard input can be read in its order only", hint: "write the records to a file and name it")
        }
        map = try MappedFile.open(path)
        name = path
        guard map.bytes.count < 9 || map.bytes[8] == UInt8(ascii: "{"), let first = try TensorRecord.read(map, at: 0),
            first.record.kind == "header"
        else {
            throw Failure(
                .badData, path, "not a tensor stream: only these can be read in another order than they lie in",
                hint: "NDJSON becomes one with any tool's --format tensor")
        }
        header = try StreamHeader.read(first.record.metadata.filter { $0.0 != "kind" })
        try index(from: first.end)
    }

    /// The batch of a record. Throws 65 when it is damaged.
    public func batch(_ record: Int) throws -> RecordBatch {
        let entry = entries[record]
        do {
            guard let (record, _) = try TensorRecord.read(map, at: entry.byte) else { throw RecordProblem("the record has gone") }
            return try TensorRecordSource.batch(of: record, index: entry.index, header: header)
        } catch let problem as RecordProblem {
            throw Failure(.badData, name, place(ofRecord: record), problem.message, hint: problem.hint)
        }
    }

    public func place(ofRecord record: Int) -> Failure.Place { .record(record, byte: entries[record].byte) }

    private func index(from start: Int) throws {
        var (at, inStream, isOpen) = (start, 0, true)
        func refused(_ message: String, _ hint: String? = nil) -> Failure {
            Failure(.badData, name, .record(entries.count, byte: at), message, hint: hint)
        }
        while let (record, end) = try TensorRecord.read(map, at: at) {
            switch (record.kind, isOpen) {
            case ("data", true):
                entries.append(Entry(byte: at, index: inStream))
                inStream += 1
            case ("end", true):
                guard record.value("records").flatMap({ Int($0) }) == inStream else {
                    throw refused("the end record counts '\(printable(record.value("records") ?? ""))' records, but there are \(inStream)")
                }
                isOpen = false
            case ("header", false):
                let next = try StreamHeader.read(record.metadata.filter { $0.0 != "kind" })
                if let key = header.disagreement(with: next) { throw refused(header.refusal(of: next, key)) }
                (inStream, isOpen) = (0, true)
            default: throw refused("a record of kind '\(printable(record.kind))' is out of place")
            }
            at = end
        }
        if isOpen { throw refused("the stream ends without its end record", TensorStream.truncationHint) }
    }
}
