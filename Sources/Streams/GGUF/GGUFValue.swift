// Metadata values of GGUF: scalars and strings are held, arrays stay in the file until they are asked for.

/// A metadata value.
///
/// The accessors give nil when the value is of another kind, or does not fit.
public enum GGUFValue {
    case unsigned(UInt64)
    case signed(Int64)
    case real(Double)
    case boolean(Bool)
    /// Bytes, not required to be UTF-8.
    case string([UInt8])
    case array(GGUFArray)

    /// An integer of any width.
    public var integer: Int? {
        switch self {
        case .unsigned(let value): Int(exactly: value)
        case .signed(let value): Int(value)
        default: nil
        }
    }

    /// A float32 or float64; integers are not taken for floats.
    public var real: Double? {
        if case .real(let value) = self { value } else { nil }
    }

    public var boolean: Bool? {
        if case .boolean(let value) = self { value } else { nil }
    }

    /// The bytes of a string.
    public var bytes: [UInt8]? {
        if case .string(let value) = self { value } else { nil }
    }

    /// A string that is valid UTF-8.
    public var string: String? {
        bytes.flatMap { String(validating: $0, as: UTF8.self) }
    }

    public var array: GGUFArray? {
        if case .array(let value) = self { value } else { nil }
    }

    /// The entries of an array of strings, copied out of the file.
    public var strings: [[UInt8]]? { array?.strings }
    /// The entries of an array of integers of any width that fit 64 signed bits.
    public var integers: [Int64]? { array?.integers }
    /// The entries of an array of float32.
    public var reals: [Float]? { array?.reals }

    /// What the value is, for messages: "a string", "an array of uint32".
    public var kind: String {
        switch self {
        case .unsigned, .signed: "an integer"
        case .real: "a float"
        case .boolean: "a boolean"
        case .string: "a string"
        case .array(let array): "an array of \(array.type.name)"
        }
    }
}

/// The types that metadata values have in the file.
public enum GGUFValueType: UInt32, Sendable {
    case uint8 = 0
    case int8 = 1
    case uint16 = 2
    case int16 = 3
    case uint32 = 4
    case int32 = 5
    case float32 = 6
    case bool = 7
    case string = 8
    case array = 9
    case uint64 = 10
    case int64 = 11
    case float64 = 12

    /// "uint32", as the specification names it.
    public var name: String { "\(self)" }

    /// Bytes of a value; nil for strings and arrays.
    var size: Int? {
        switch self {
        case .uint8, .int8, .bool: 1
        case .uint16, .int16: 2
        case .uint32, .int32, .float32: 4
        case .uint64, .int64, .float64: 8
        case .string, .array: nil
        }
    }
}

/// An array of the metadata, left in the mapped file: a vocabulary of 150,000 strings costs nothing until it is read.
public struct GGUFArray {
    /// The type of the entries; never `.array`.
    public let type: GGUFValueType
    public let count: Int
    /// Where the entries stand in the file. Their lengths were checked when the file was opened.
    let range: Range<Int>
    let map: MappedFile

    /// Calls `body` with the bytes of every entry of an array of strings, in order, not copied. False when it holds no strings.
    public func forEachString(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows -> Bool {
        guard type == .string else { return false }
        let bytes = map[range]
        var at = 0
        for _ in 0..<count {
            let length = Int(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)))
            try body(UnsafeRawBufferPointer(rebasing: bytes[at + 8..<at + 8 + length]))
            at += 8 + length
        }
        return true
    }

    public var strings: [[UInt8]]? {
        var all: [[UInt8]] = []
        all.reserveCapacity(count)
        return forEachString { all.append([UInt8]($0)) } ? all : nil
    }

    public var integers: [Int64]? {
        switch type {
        case .uint8: numbers(UInt8.self).map(Int64.init)
        case .int8: numbers(Int8.self).map(Int64.init)
        case .uint16: numbers(UInt16.self).map(Int64.init)
        case .int16: numbers(Int16.self).map(Int64.init)
        case .uint32: numbers(UInt32.self).map(Int64.init)
        case .int32: numbers(Int32.self).map(Int64.init)
        case .int64: numbers(Int64.self)
        case .uint64:
            numbers(UInt64.self).allSatisfy { $0 <= UInt64(Int64.max) } ? numbers(UInt64.self).map(Int64.init) : nil
        default: nil
        }
    }

    public var reals: [Float]? {
        type == .float32 ? numbers(UInt32.self).map(Float.init(bitPattern:)) : nil
    }

    public var booleans: [Bool]? {
        type == .bool ? map[range].map { $0 == 1 } : nil
    }

    private func numbers<T: FixedWidthInteger>(_: T.Type) -> [T] {
        let bytes = map[range]
        return (0..<count).map { T(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<T>.size, as: T.self)) }
    }
}
