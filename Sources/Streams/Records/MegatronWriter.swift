// Writes records as a Megatron token shard: ids only, one sequence and one document each.
import Glibc

/// Writes PREFIX.bin and PREFIX.idx; see MegatronIndex.swift for the layout.
///
/// Tokens are u16 where the vocabulary is known to have fewer than 65,500 entries, as Megatron-LM chooses, else i32. Ids of documents, offsets
/// and every other column are left out: a shard has no place for them. Both files appear whole at `finish()`, the index last and an older
/// index of that name gone before the tokens change, so that an index never stands beside tokens that are not its own.
public final class MegatronWriter {
    public private(set) var tokenCount = 0
    public var documentCount: Int { lengths.count }

    private let tokens: ByteOutput
    private let indexPath: String
    private let index: ByteOutput
    private let type: MegatronIndex.TokenType
    private var lengths: [Int32] = []
    private var data: [UInt8] = []

    /// Throws `Failure.cannotCreate` (73).
    public init(prefix: String, vocabularySize: Int?) throws {
        tokens = try .file(MegatronIndex.tokensPath(prefix))
        indexPath = MegatronIndex.indexPath(prefix)
        index = try .file(indexPath)
        type = vocabularySize.map { $0 < 65_500 } == true ? .u16 : .i32
    }

    /// Throws `Failure.badData` for an id or a document that the format cannot hold, and `Failure.inputOutput`.
    public func write(_ batch: RecordBatch) throws {
        data.removeAll(keepingCapacity: true)
        data.reserveCapacity(batch.tokenCount * type.width)
        for document in 0..<batch.documentCount {
            let range = batch.tokens(of: document)
            guard let length = Int32(exactly: range.count) else {
                throw Failure(
                    .badData, tokens.name, "document \(documentCount) has \(range.count) tokens, a shard's sequence at most \(Int32.max)")
            }
            lengths.append(length)
            for id in batch.inputIDs[range] { try append(id) }
        }
        tokenCount += batch.tokenCount
        try tokens.write(data)
    }

    private func append(_ id: UInt32) throws {
        let limit = type == .u16 ? UInt32(UInt16.max) : UInt32(Int32.max)
        guard id <= limit else {
            throw Failure(
                .badData, tokens.name, "document \(documentCount - 1) has the id \(id), this shard's tokens hold at most \(limit)")
        }
        for byte in 0..<type.width { data.append(UInt8(truncatingIfNeeded: id >> (8 * UInt32(byte)))) }
    }

    /// Writes the index and puts both files in place.
    public func finish() throws {
        var text = MegatronIndex.magic
        func add(_ value: some FixedWidthInteger) throws {
            withUnsafeBytes(of: value.littleEndian) { text.append(contentsOf: $0) }
            if text.count >= 1 << 16 {
                try index.write(text)
                text.removeAll(keepingCapacity: true)
            }
        }
        try add(MegatronIndex.version)
        try add(type.rawValue)
        try add(UInt64(lengths.count))
        try add(UInt64(lengths.count + 1))
        for length in lengths { try add(length) }
        var pointer: Int64 = 0
        for length in lengths {
            try add(pointer)
            pointer += Int64(length) * Int64(type.width)
        }
        for document in 0...lengths.count { try add(Int64(document)) }
        try index.write(text)
        try index.flush()
        if unlink(indexPath) != 0, errno != ENOENT {
            throw Failure(.inputOutput, indexPath, "cannot remove the old index: \(errorText(errno))")
        }
        try tokens.close()
        try index.close()
    }
}
