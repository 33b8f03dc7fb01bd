// Records in both encodings: what is accepted, written again in either and read again, is the same.
@testable import Streams

extension FuzzTarget {
    /// NDJSON; the other encodings are found by their first bytes as well.
    static let records = FuzzTarget("records", longest: 2048) { try roundTrip($0) }

    /// The tensor encoding, as it is and with its checksums put right: no damage would get past them otherwise.
    static let stream = FuzzTarget("stream", longest: 4608) { bytes in
        var mended = Array(bytes)
        try mended.withUnsafeMutableBytes {
            mendChecksums($0)
            try roundTrip(UnsafeRawBufferPointer($0))
        }
    }

    private static let file = MemoryFile()
    private static let copy = MemoryFile()

    private static func roundTrip(_ bytes: UnsafeRawBufferPointer) throws {
        let (header, batches) = try read(file.input(bytes))
        let whole = joined(batches)
        for encoding in RecordEncoding.allCases {
            let again = try copy.written { output in
                let writer = try RecordWriter(output, header: header, encoding: encoding)
                for batch in batches { try writer.write(batch) }
                try writer.finish()
            }
            do {
                let (otherHeader, others) = try read(again)
                agree(header == otherHeader, "\(encoding): another header: \(header), \(otherHeader)")
                agree(whole.documentIDs == joined(others).documentIDs, "\(encoding): other documents")
                agree(whole.documentSplits == joined(others).documentSplits, "\(encoding): other documents")
                agree(whole.columns == joined(others).columns || whole.documentCount == 0, "\(encoding): other columns")
                agree(
                    whole.firstDifference(from: joined(others)) == nil,
                    "\(encoding): other \(whole.firstDifference(from: joined(others)) ?? "")")
            } catch let failure as Failure { preconditionFailure("\(encoding): what we write is refused: \(failure)") }
        }
    }

    private static func read(_ input: ByteInput) throws -> (StreamHeader, [RecordBatch]) {
        let reader = try RecordReader(input)
        var batches: [RecordBatch] = []
        while let batch = try reader.next() { batches.append(batch) }
        return (reader.header, batches)
    }

    private static func joined(_ batches: [RecordBatch]) -> RecordBatch {
        var whole = RecordBatch()
        for batch in batches { whole.append(batch, documents: 0..<batch.documentCount) }
        return whole
    }
}

/// Writes the CRC-32C of each record's data into its header, and the XXH64 of each stream into its end record.
private func mendChecksums(_ bytes: UnsafeMutableRawBufferPointer) {
    let all = UnsafeRawBufferPointer(bytes)
    var at = 0
    var start = 0
    while bytes.count - at >= 8 {
        let length = UInt64(littleEndian: all.loadUnaligned(fromByteOffset: at, as: UInt64.self))
        guard length <= UInt64(bytes.count - at - 8) else { return }
        let header = at + 8..<at + 8 + Int(length)
        let json = UnsafeRawBufferPointer(rebasing: all[header])
        guard let contents = try? SafetensorsHeader.parse(json, dataBytes: nil, name: "", base: 0) else { return }
        let size = (contents.tensors.last?.range.upperBound ?? json.count) - json.count
        guard size <= bytes.count - header.upperBound else { return }
        let data = header.upperBound..<header.upperBound + size
        let kind = contents.metadata.first { $0.0 == "kind" }?.1
        if kind == "header" { start = at }
        if kind == "data" { writeHexadecimal(crc32c(UnsafeRawBufferPointer(rebasing: all[data])), 8, "\"crc32c\":\"", header, bytes) }
        if kind == "end" {
            writeHexadecimal(XXH64.hash(UnsafeRawBufferPointer(rebasing: all[start..<at])), 16, "\"xxh64\":\"", header, bytes)
        }
        at = data.upperBound
    }
}

/// Writes a number in hexadecimal behind a mark, if it stands there.
func writeHexadecimal(
    _ value: some BinaryInteger, _ digits: Int, _ mark: StaticString, _ range: Range<Int>, _ bytes: UnsafeMutableRawBufferPointer
) {
    let mark = Array(UnsafeBufferPointer(start: mark.utf8Start, count: mark.utf8CodeUnitCount))
    guard range.count >= mark.count + digits else { return }
    for at in range.lowerBound...range.upperBound - mark.count - digits where bytes[at] == mark[0] {
        guard bytes[at..<at + mark.count].elementsEqual(mark) else { continue }
        for (place, digit) in TensorStream.hex(UInt64(value), digits: digits).utf8.enumerated() { bytes[at + mark.count + place] = digit }
        return
    }
}
