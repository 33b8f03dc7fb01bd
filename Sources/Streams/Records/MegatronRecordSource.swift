// Reads a Megatron token shard as records: its sequences are the documents, their numbers the ids.

/// Reads PREFIX.idx and then PREFIX.bin beside it, in one pass.
///
/// The documents of the index, which group sequences, are checked and not kept: a shard says nothing else of them.
final class MegatronRecordSource: RecordSource {
    let header = StreamHeader(.tokens)
    let streamCount = 1

    private let tokens: ByteInput
    private let index: MegatronIndexReader
    /// The next one.
    private var sequence = 0
    private var starts: [Int] = []
    private let piece = UnsafeMutableRawPointer.allocate(byteCount: MegatronRecordSource.pieceBytes, alignment: 8)

    private static let pieceBytes = 1 << 16

    /// `input` is the index, of which nothing has been read. Throws `Failure`: 65 for what is malformed, 66 when there is no PREFIX.bin.
    init(_ input: ByteInput) throws {
        guard input.name.hasSuffix(".idx") else {
            throw Failure(
                .badData, input.name, "a Megatron index is read from a file PREFIX.idx: its tokens lie beside it in PREFIX.bin",
                hint: "give the path of the index instead of piping it")
        }
        index = try MegatronIndexReader(input)
        tokens = try ByteInput.open(MegatronIndex.tokensPath(String(input.name.dropLast(4))))
    }

    deinit { piece.deallocate() }

    func place(ofDocument document: Int) -> Failure.Place {
        starts.indices.contains(document) ? .byte(starts[document]) : .whole
    }

    func next() throws -> RecordBatch? {
        var batch = RecordBatch()
        starts.removeAll(keepingCapacity: true)
        while sequence < index.lengths.count, batch.tokenCount < NDJSONRecordSource.batchTokens,
            batch.documentCount < NDJSONRecordSource.batchDocuments
        {
            starts.append(tokens.offset)
            try read(Int(index.lengths[sequence]), into: &batch.inputIDs)
            batch.endDocument(id: Array(String(sequence).utf8))
            sequence += 1
        }
        if batch.documentCount > 0 { return batch }
        guard try tokens.peek(1).isEmpty else {
            throw Failure(.badData, tokens.name, .byte(tokens.offset), "bytes behind the last sequence of the index")
        }
        return nil
    }

    /// Appends the tokens of one sequence.
    private func read(_ count: Int, into ids: inout [UInt32]) throws {
        let width = index.type.width
        var left = count
        while left > 0 {
            let wanted = min(left, MegatronRecordSource.pieceBytes / width)
            let start = tokens.offset
            let got = try tokens.read(exactly: wanted * width, into: piece)
            guard got == wanted * width else {
                throw Failure(
                    .badData, tokens.name, .byte(start), "sequence \(sequence) has \(left * width) more bytes, the file ends after \(got)")
            }
            for at in 0..<wanted {
                guard let id = id(at) else {
                    throw Failure(
                        .badData, tokens.name, .byte(start + at * width), "a token of sequence \(sequence) is no id from 0 to 4294967295")
                }
                ids.append(id)
            }
            left -= wanted
        }
    }

    /// The token at a place of the piece; nil when it is none.
    @inline(__always)
    private func id(_ at: Int) -> UInt32? {
        switch index.type {
        case .u8: UInt32(piece.load(fromByteOffset: at, as: UInt8.self))
        case .i8: UInt32(exactly: piece.load(fromByteOffset: at, as: Int8.self))
        case .i16: UInt32(exactly: Int16(littleEndian: piece.load(fromByteOffset: 2 &* at, as: Int16.self)))
        case .u16: UInt32(UInt16(littleEndian: piece.load(fromByteOffset: 2 &* at, as: UInt16.self)))
        case .i32: UInt32(exactly: Int32(littleEndian: piece.load(fromByteOffset: 4 &* at, as: Int32.self)))
        case .i64: UInt32(exactly: Int64(littleEndian: piece.load(fromByteOffset: 8 &* at, as: Int64.self)))
        }
    }
}
