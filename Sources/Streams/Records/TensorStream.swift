// The tensor stream: records back to back, each a complete safetensors document.
//
//     u64 length (little-endian), JSON padded with spaces to a multiple of 8, data
//
//     header   no tensors; __metadata__: kind "header", stream, version, and the facts of StreamHeader
//     data     __metadata__: kind "data", index, crc32c (of the data bytes, 8 hexadecimal digits); the tensors of one batch:
//              document_splits I64 (D+1), document_id_splits I64 (D+1), input_ids U32 (N), document_ids U8 (bytes), and the
//              optional columns of Column.swift; the widest elements first
//     end      no tensors; __metadata__: kind "end", records, documents, tokens, xxh64 (of every byte since the header
//              record began up to this record, 16 hexadecimal digits)
//
// Streams may follow one another when their headers agree.

/// The names of the format and its small conversions.
enum TensorStream {
    /// The longest JSON header of a record: 16 MiB.
    static let longestHeader = 1 << 24

    static let truncationHint = "the stream is truncated: the program that wrote it has probably failed"

    /// A number as hexadecimal digits, `digits` of them, lower case.
    static func hex(_ value: UInt64, digits: Int) -> String {
        String(decoding: (0..<digits).reversed().map { hexDigit(UInt8(truncatingIfNeeded: value >> UInt64(4 * $0)) & 15) }, as: UTF8.self)
    }

    /// The value of exactly `digits` lower-case hexadecimal digits; nil for anything else.
    static func number(_ text: some StringProtocol, digits: Int) -> UInt64? {
        guard text.utf8.count == digits else { return nil }
        var value: UInt64 = 0
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(byte - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return value
    }
}
