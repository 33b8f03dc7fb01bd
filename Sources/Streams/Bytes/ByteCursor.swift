// Checked reading of little-endian numbers and runs of bytes from memory.

/// A place in a run of bytes that never passes its end.
///
/// Every read that asks for more than is left throws `Failure.badData` with the byte at which the thing read begins, and leaves
/// the cursor where it was. `what` names that thing in the message. The memory must outlive the cursor.
public struct ByteCursor {
    /// All the bytes that this cursor may read.
    public let bytes: UnsafeRawBufferPointer
    /// The file, for messages.
    public let name: String
    /// The place of the first byte in the file, for messages.
    public let base: Int
    /// Bytes before the cursor. Setting it past the end is a bug.
    public var offset: Int {
        didSet { precondition(offset >= 0 && offset <= bytes.count, "bug: cursor at \(offset) of \(bytes.count) bytes") }
    }

    public init(_ bytes: UnsafeRawBufferPointer, name: String, base: Int = 0) {
        self.bytes = bytes
        self.name = name
        self.base = base
        offset = 0
    }

    /// Bytes from the cursor to the end.
    public var remaining: Int { bytes.count - offset }
    /// The cursor's place in the file.
    public var place: Int { base + offset }

    public mutating func u8(_ what: StaticString = "a byte") throws -> UInt8 { try integer(what) }
    public mutating func u16(_ what: StaticString = "a 16-bit number") throws -> UInt16 { try integer(what) }
    public mutating func u32(_ what: StaticString = "a 32-bit number") throws -> UInt32 { try integer(what) }
    public mutating func u64(_ what: StaticString = "a 64-bit number") throws -> UInt64 { try integer(what) }
    public mutating func i8(_ what: StaticString = "a byte") throws -> Int8 { try integer(what) }
    public mutating func i16(_ what: StaticString = "a 16-bit number") throws -> Int16 { try integer(what) }
    public mutating func i32(_ what: StaticString = "a 32-bit number") throws -> Int32 { try integer(what) }
    public mutating func i64(_ what: StaticString = "a 64-bit number") throws -> Int64 { try integer(what) }
    public mutating func f32(_ what: StaticString = "a 32-bit float") throws -> Float { Float(bitPattern: try integer(what)) }
    public mutating func f64(_ what: StaticString = "a 64-bit float") throws -> Double { Double(bitPattern: try integer(what)) }

    /// The next `count` bytes, not copied. `count` may be any number that a file tells.
    public mutating func bytes(_ count: UInt64, _ what: StaticString = "bytes") throws -> UnsafeRawBufferPointer {
        guard count <= UInt64(remaining) else { throw cut(what, count) }
        let run = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + Int(count)])
        offset += Int(count)
        return run
    }

    /// Passes over `count` bytes.
    public mutating func skip(_ count: UInt64, _ what: StaticString = "bytes") throws {
        _ = try bytes(count, what)
    }

    /// The hint where more is asked for than is left: a whole file may have been cut, a part of one says another length than it has.
    var cutHint: String? { base == 0 ? Failure.cutHint : nil }

    /// A failure at byte `at` of the file, or at the cursor.
    public func failure(_ message: String, at: Int? = nil, hint: String? = nil) -> Failure {
        Failure(.badData, name, .byte(at ?? place), message, hint: hint)
    }

    private mutating func integer<T: FixedWidthInteger>(_ what: StaticString) throws -> T {
        guard remaining >= MemoryLayout<T>.size else { throw cut(what, UInt64(MemoryLayout<T>.size)) }
        let value = bytes.loadUnaligned(fromByteOffset: offset, as: T.self)
        offset += MemoryLayout<T>.size
        return T(littleEndian: value)
    }

    private func cut(_ what: StaticString, _ count: UInt64) -> Failure {
        failure(
            "expected \(what), \(count) \(count == 1 ? "byte" : "bytes"), but \(remaining) \(remaining == 1 ? "is" : "are") left",
            hint: cutHint)
    }
}
