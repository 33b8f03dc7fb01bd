// Token shards of Megatron-LM and MiniPLM: PREFIX.bin holds the tokens of all sequences, PREFIX.idx says where each begins.
//
//     PREFIX.idx, little-endian:
//     "MMIDIDX" 00 00     9 bytes
//     version             u64, 1
//     type                u8: 1 u8, 2 i8, 3 i16, 4 i32, 5 i64, 8 u16 (6 and 7 are floating point)
//     sequences S         u64
//     documents D         u64: entries of the last table
//     lengths             i32 (S), in tokens
//     pointers            i64 (S), the first byte of each sequence in PREFIX.bin
//     documents           i64 (D), the first sequence of each document and then S; MiniPLM writes a single 0
//
// Source: indexed_dataset.py of Megatron-LM (class _IndexReader) and of MiniPLM (MMapIndexedDataset).

/// What both directions share.
enum MegatronIndex {
    static let magic = Array("MMIDIDX".utf8) + [0, 0]
    static let version: UInt64 = 1

    /// The types of tokens that shards may have, by their code.
    enum TokenType: UInt8 {
        case u8 = 1
        case i8, i16, i32, i64
        case u16 = 8

        var width: Int {
            switch self {
            case .u8, .i8: 1
            case .i16, .u16: 2
            case .i32: 4
            case .i64: 8
            }
        }
    }

    static func indexPath(_ prefix: String) -> String { prefix + ".idx" }
    static func tokensPath(_ prefix: String) -> String { prefix + ".bin" }
}

/// Reads an index, a piece at a time: of a long one only the lengths are kept.
struct MegatronIndexReader {
    let type: MegatronIndex.TokenType
    let lengths: [Int32]

    /// Checks all of the index: the pointers must follow each other without a gap, the documents rise. Throws `Failure.badData` (65).
    init(_ input: ByteInput) throws {
        var fields = Fields(input: input)
        guard try fields.bytes(9, "the magic") == MegatronIndex.magic else { throw fields.failure(0, "not a Megatron index") }
        let version = try fields.number(8, "the version")
        guard version == MegatronIndex.version else {
            throw fields.failure(9, "version \(version) of the index, this program reads version 1")
        }
        let code = UInt8(try fields.number(1, "the type"))
        guard let type = MegatronIndex.TokenType(rawValue: code) else {
            let kind = code == 6 || code == 7 ? "floating point, expected integers" : "unknown, expected 1 to 5 or 8"
            throw fields.failure(17, "type \(code) of the tokens is \(kind)")
        }
        self.type = type
        let sequences = try fields.number(8, "the number of sequences")
        let documents = try fields.number(8, "the number of documents")
        guard sequences <= UInt64(Int64.max) / 16, documents <= UInt64(Int64.max) / 16 else {
            throw fields.failure(18, "\(sequences) sequences and \(documents) documents are more than any file holds")
        }
        lengths = try MegatronIndexReader.lengths(Int(sequences), &fields)
        try MegatronIndexReader.checkPointers(lengths, width: type.width, &fields)
        try MegatronIndexReader.checkDocuments(Int(documents), sequences: Int(sequences), &fields)
        let end = input.offset
        guard try input.peek(1).isEmpty else {
            throw fields.failure(end, "bytes behind the last table (an index with modes, of several kinds of data, is not read)")
        }
    }

    private static func lengths(_ count: Int, _ fields: inout Fields) throws -> [Int32] {
        // The memory follows what has been read, not what the file claims.
        var lengths: [Int32] = []
        try fields.table(count, width: 4, "lengths") { at, value, place in
            let length = Int32(truncatingIfNeeded: value)
            guard length >= 0 else { throw Fields.Problem(place, "the length of sequence \(at) is \(length)") }
            lengths.append(length)
        }
        return lengths
    }

    private static func checkPointers(_ lengths: [Int32], width: Int, _ fields: inout Fields) throws {
        var expected = 0
        try fields.table(lengths.count, width: 8, "pointers") { at, value, place in
            guard value == UInt64(expected) else {
                throw Fields.Problem(
                    place,
                    "the pointer of sequence \(at) is \(Int64(bitPattern: value)), expected \(expected), where the one before it ends")
            }
            let (sum, overflows) = expected.addingReportingOverflow(Int(lengths[at]) * width)
            guard !overflows else { throw Fields.Problem(place, "the sequences up to \(at) are longer than any file") }
            expected = sum
        }
    }

    private static func checkDocuments(_ count: Int, sequences: Int, _ fields: inout Fields) throws {
        var before: UInt64 = 0
        try fields.table(count, width: 8, "documents") { at, value, place in
            guard value >= before, value <= UInt64(sequences) else {
                throw Fields.Problem(
                    place, "document \(at) begins at sequence \(Int64(bitPattern: value)), expected \(before) to \(sequences)")
            }
            before = value
        }
    }
}

/// Little-endian fields taken off an input.
private struct Fields {
    struct Problem: Error {
        let byte: Int
        let message: String
        init(_ byte: Int, _ message: String) { (self.byte, self.message) = (byte, message) }
    }

    let input: ByteInput

    func failure(_ byte: Int, _ message: String) -> Failure { Failure(.badData, input.name, .byte(byte), message) }

    mutating func bytes(_ count: Int, _ what: String) throws -> [UInt8] {
        let start = input.offset
        var got = 0
        let bytes = try [UInt8](unsafeUninitializedCapacity: count) { memory, filled in
            got = try input.read(exactly: count, into: memory.baseAddress!)
            filled = got
        }
        guard got == count else { throw failure(start, "expected \(count) bytes of \(what), the index ends after \(got)") }
        return bytes
    }

    mutating func number(_ width: Int, _ what: String) throws -> UInt64 {
        try bytes(width, what).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Visits `count` numbers of 4 or 8 bytes with their index and their first byte's offset.
    mutating func table(_ count: Int, width: Int, _ what: String, _ body: (_ at: Int, _ value: UInt64, _ byte: Int) throws -> Void) throws {
        let piece = 1 << 13
        let start = input.offset
        let memory = UnsafeMutableRawPointer.allocate(byteCount: piece * width, alignment: 8)
        defer { memory.deallocate() }
        var at = 0
        while at < count {
            let wanted = min(piece, count - at)
            let got = try input.read(exactly: wanted * width, into: memory)
            for index in 0..<got / width {
                let value =
                    width == 4
                    ? UInt64(UInt32(littleEndian: memory.load(fromByteOffset: 4 * index, as: UInt32.self)))
                    : UInt64(littleEndian: memory.load(fromByteOffset: 8 * index, as: UInt64.self))
                do { try body(at + index, value, start + (at + index) * width) } catch let problem as Problem {
                    throw failure(problem.byte, problem.message)
                }
            }
            guard got == wanted * width else {
                throw failure(start, "expected \(count) \(what) of \(width) bytes, the index ends in number \(at + got / width)")
            }
            at += wanted
        }
    }
}
