// One record of a tensor stream as it lies in the stream: framing, metadata, tensors, bytes.

/// What is wrong with a record; the reader adds where.
struct RecordProblem: Error {
    var message: String
    var hint: String?

    init(_ message: String, hint: String? = nil) {
        self.message = message
        self.hint = hint
    }
}

/// Bytes read from a stream, in memory that is used again and never grows faster than bytes arrive.
///
/// A length from a file is not believed before its bytes are there: the memory at most doubles with what has been read.
final class ArrivingBytes {
    private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    private(set) var count = 0

    deinit { memory.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<count]) }

    /// Reads `wanted` bytes in place of what was here; fewer only at the end of the input.
    func read(_ wanted: Int, from input: ByteInput) throws {
        count = 0
        while count < wanted {
            if count == memory.count { grow() }
            let piece = min(wanted, memory.count) - count
            let got = try input.read(exactly: piece, into: memory.baseAddress! + count)
            count += got
            if got < piece { return }
        }
    }

    private func grow() {
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * memory.count, alignment: 16)
        larger.copyMemory(from: bytes)
        memory.deallocate()
        memory = larger
    }
}

/// A record whose framing and header have been checked. Its bytes are valid until the next record is read.
struct TensorRecord {
    let length: UInt64
    let header: UnsafeRawBufferPointer
    let data: UnsafeRawBufferPointer
    let metadata: [(String, String)]
    /// Ranges count from the start of `data`.
    let tensors: [TensorEntry]

    /// A metadata value by its key.
    func value(_ key: String) -> String? { metadata.first { $0.0 == key }?.1 }

    var kind: String { value("kind") ?? "" }

    /// Refuses metadata beside the keys named.
    func expectOnly(_ keys: [String]) throws {
        if let other = metadata.first(where: { !keys.contains($0.0) }) { throw RecordProblem("unknown metadata '\(printable(other.0))'") }
    }

    /// Adds every byte of the record to a hash.
    func add(to hash: inout XXH64) {
        withUnsafeBytes(of: length.littleEndian) { hash.update($0) }
        hash.update(header)
        hash.update(data)
    }
}

extension TensorRecord {
    /// The tensors of a header with ranges that count from the start of the data, which is at `start` for the header.
    fileprivate static func tensors(_ contents: SafetensorsHeader.Contents, dataAt start: Int) -> [TensorEntry] {
        contents.tensors.map {
            TensorEntry(
                name: $0.name, type: $0.type, shape: $0.shape, range: $0.range.lowerBound - start..<$0.range.upperBound - start)
        }
    }

    /// The record that begins at a byte of a file, and where it ends; nil at the end of the file. Only its header is looked at.
    ///
    /// Throws `Failure.badData` for a cut or malformed one.
    static func read(_ map: MappedFile, at: Int) throws -> (record: TensorRecord, end: Int)? {
        let bytes = map.bytes
        if at == bytes.count { return nil }
        func cut() -> Failure {
            Failure(.badData, map.name, .byte(at), "a record is cut off here", hint: TensorStream.truncationHint)
        }
        guard bytes.count - at >= 8 else { throw cut() }
        let length = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
        guard length >= 2, length <= TensorStream.longestHeader else {
            throw Failure(
                .badData, map.name, .byte(at), "not a record: a header of \(length) bytes, expected 2 to \(TensorStream.longestHeader)")
        }
        let dataStart = at + 8 + Int(length)
        guard dataStart <= bytes.count else { throw cut() }
        let header = UnsafeRawBufferPointer(rebasing: bytes[at + 8..<dataStart])
        let contents = try SafetensorsHeader.parse(header, dataBytes: nil, name: map.name, base: at + 8)
        let tensors = TensorRecord.tensors(contents, dataAt: dataStart)
        let size = tensors.last?.range.upperBound ?? 0
        guard size <= bytes.count - dataStart else { throw cut() }
        let data = UnsafeRawBufferPointer(rebasing: bytes[dataStart..<dataStart + size])
        return (TensorRecord(length: length, header: header, data: data, metadata: contents.metadata, tensors: tensors), dataStart + size)
    }
}

/// Takes records off an input, one at a time.
final class TensorRecordFraming {
    private let input: ByteInput
    private let headerBytes = ArrivingBytes()
    private let dataBytes = ArrivingBytes()

    init(_ input: ByteInput) { self.input = input }

    /// The next record, or nil at the end of the input. Throws `RecordProblem` for a cut or malformed one.
    func next() throws -> TensorRecord? {
        var word: UInt64 = 0
        let got = try withUnsafeMutableBytes(of: &word) { try input.read(exactly: 8, into: $0.baseAddress!) }
        if got == 0 { return nil }
        guard got == 8 else { throw cut("8 bytes of length", got) }
        let length = UInt64(littleEndian: word)
        guard length >= 2, length <= TensorStream.longestHeader else {
            throw RecordProblem("not a record: a header of \(length) bytes, expected 2 to \(TensorStream.longestHeader)")
        }
        try headerBytes.read(Int(length), from: input)
        let header = headerBytes.bytes
        guard header.count == Int(length) else { throw cut("\(length) bytes of header", header.count) }
        let contents: SafetensorsHeader.Contents
        do { contents = try SafetensorsHeader.parse(header, dataBytes: nil, name: input.name, base: 0) } catch let failure as Failure {
            throw RecordProblem(failure.message, hint: failure.hint)
        }
        let tensors = TensorRecord.tensors(contents, dataAt: header.count)
        let size = tensors.last?.range.upperBound ?? 0
        try dataBytes.read(size, from: input)
        guard dataBytes.count == size else { throw cut("\(size) bytes of data", dataBytes.count) }
        return TensorRecord(length: length, header: header, data: dataBytes.bytes, metadata: contents.metadata, tensors: tensors)
    }

    private func cut(_ expected: String, _ got: Int) -> RecordProblem {
        RecordProblem("expected \(expected), the stream ends after \(got)", hint: TensorStream.truncationHint)
    }
}
