// The wire format of Protocol Buffers, as far as a SentencePiece model needs it: fields in order, no schema, no recursion.
//
//     field:  varint (number << 3 | wire type), then
//             0: varint    1: 8 bytes    2: varint length, bytes    5: 4 bytes        (little-endian)
//
// Source: https://protobuf.dev/programming-guides/encoding/

/// One field of a message, with its place in the file.
public struct ProtobufField {
    public enum Value {
        case varint(UInt64)
        case fixed64(UInt64)
        case fixed32(UInt32)
        /// A string, bytes, a packed list or a message: not copied.
        case bytes(UnsafeRawBufferPointer)
    }

    /// 1 to 536,870,911.
    public let number: Int
    public let value: Value
    /// The byte of the file at which the field begins, and at which its contents begin.
    public let place: Int
    public let contentPlace: Int
    let name: String

    /// The contents as bytes; throws `Failure.badData` naming `what` when the wire type is another.
    public func bytes(_ what: String) throws -> UnsafeRawBufferPointer {
        guard case .bytes(let bytes) = value else { throw mismatch(what, "bytes") }
        return bytes
    }

    /// A reader of the message inside the field.
    public func message(_ what: String) throws -> ProtobufReader {
        ProtobufReader(try bytes(what), name: name, base: contentPlace)
    }

    /// An int32 or an enumeration: the low 32 bits of a varint, as every implementation reads it.
    public func int32(_ what: String) throws -> Int32 {
        guard case .varint(let value) = value else { throw mismatch(what, "a varint") }
        return Int32(truncatingIfNeeded: value)
    }

    /// A boolean: a varint other than 0.
    public func boolean(_ what: String) throws -> Bool {
        guard case .varint(let value) = value else { throw mismatch(what, "a varint") }
        return value != 0
    }

    public func float(_ what: String) throws -> Float {
        guard case .fixed32(let value) = value else { throw mismatch(what, "a 32-bit float") }
        return Float(bitPattern: value)
    }

    private func mismatch(_ what: String, _ expected: String) -> Failure {
        let found =
            switch value {
            case .varint: "a varint"
            case .fixed64: "8 bytes"
            case .fixed32: "4 bytes"
            case .bytes: "a run of bytes"
            }
        return Failure(.badData, name, .byte(place), "field '\(what)' must be \(expected), found \(found)")
    }
}

/// Reads the fields of one message in order. The bytes must outlive the reader and its fields.
///
/// A field that is not known is a field like any other: its reader skips it by asking for the next. Groups (wire types 3 and 4) are
/// refused, so nothing here recurses; a message inside a message is a new reader over the field's bytes.
public struct ProtobufReader {
    private var cursor: ByteCursor

    public init(_ bytes: UnsafeRawBufferPointer, name: String, base: Int = 0) {
        cursor = ByteCursor(bytes, name: name, base: base)
    }

    /// The next field, or nil at the end. Throws `Failure.badData` with the byte of what is malformed or missing.
    public mutating func next() throws -> ProtobufField? {
        guard cursor.remaining > 0 else { return nil }
        let place = cursor.place
        let key = try varint()
        let number = key >> 3
        guard number > 0, number < 1 << 29 else { throw cursor.failure("protobuf field number \(number) is not allowed", at: place) }
        let contentPlace: Int
        let value: ProtobufField.Value
        switch key & 7 {
        case 0:
            contentPlace = cursor.place
            value = .varint(try varint())
        case 1:
            contentPlace = cursor.place
            value = .fixed64(try cursor.u64("a protobuf field"))
        case 2:
            let length = try varint()
            contentPlace = cursor.place
            guard length <= UInt64(cursor.remaining) else {
                throw cursor.failure(
                    "protobuf field \(number) takes \(length) bytes, but \(cursor.remaining) are left", at: place, hint: cursor.cutHint)
            }
            value = .bytes(try cursor.bytes(length))
        case 5:
            contentPlace = cursor.place
            value = .fixed32(try cursor.u32("a protobuf field"))
        default:
            throw cursor.failure("protobuf field \(number) has wire type \(key & 7), which is not supported", at: place)
        }
        return ProtobufField(number: Int(number), value: value, place: place, contentPlace: contentPlace, name: cursor.name)
    }

    /// A number of up to 64 bits, seven to a byte, lowest first.
    private mutating func varint() throws -> UInt64 {
        let place = cursor.place
        var value: UInt64 = 0
        for index in 0..<10 {
            let byte = try cursor.u8("a protobuf varint")
            if index == 9, byte > 1 { throw cursor.failure("a protobuf varint of more than 64 bits", at: place) }
            value |= UInt64(byte & 0x7F) << (7 * index)
            if byte & 0x80 == 0 { return value }
        }
        throw cursor.failure("a protobuf varint of more than 10 bytes", at: place)
    }
}
