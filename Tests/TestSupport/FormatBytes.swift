// Files put together byte by byte, so that a test can say exactly what is wrong with them.

/// Little-endian bytes of a number.
public func littleEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

/// The pieces of a GGUF file.
public enum GGUFBytes {
    public static func string(_ text: String) -> [UInt8] { littleEndian(UInt64(text.utf8.count)) + Array(text.utf8) }
    public static func entry(_ key: String, type: UInt32, _ value: [UInt8]) -> [UInt8] { string(key) + littleEndian(type) + value }
    public static func uint32(_ key: String, _ value: UInt32) -> [UInt8] { entry(key, type: 4, littleEndian(value)) }
    public static func float32(_ key: String, _ value: Float) -> [UInt8] { entry(key, type: 6, littleEndian(value.bitPattern)) }
    public static func boolean(_ key: String, _ value: Bool) -> [UInt8] { entry(key, type: 7, [value ? 1 : 0]) }
    public static func text(_ key: String, _ value: String) -> [UInt8] { entry(key, type: 8, string(value)) }
    public static func array(_ key: String, type: UInt32, count: UInt64, _ values: [UInt8]) -> [UInt8] {
        entry(key, type: 9, littleEndian(type) + littleEndian(count) + values)
    }
    /// `dimensions` innermost first, as in the file.
    public static func tensor(_ name: String, _ dimensions: [UInt64], type: UInt32, offset: UInt64) -> [UInt8] {
        string(name) + littleEndian(UInt32(dimensions.count)) + dimensions.flatMap { littleEndian($0) } + littleEndian(type)
            + littleEndian(offset)
    }

    /// A whole file; `tensors` are table entries; `data` follows after padding to `alignment`.
    public static func file(
        version: UInt32 = 3, entryCount: UInt64? = nil, tensorCount: UInt64? = nil, entries: [[UInt8]] = [], tensors: [[UInt8]] = [],
        alignment: Int = 32, data: [UInt8] = []
    ) -> [UInt8] {
        var bytes = Array("GGUF".utf8) + littleEndian(version)
        bytes += littleEndian(tensorCount ?? UInt64(tensors.count)) + littleEndian(entryCount ?? UInt64(entries.count))
        bytes += entries.joined()
        bytes += tensors.joined()
        if !tensors.isEmpty { bytes += [UInt8](repeating: 0, count: (alignment - bytes.count % alignment) % alignment) }
        return bytes + data
    }
}

/// A safetensors document from its JSON text and its data.
public func safetensorsBytes(_ json: String, data: [UInt8] = [], length: UInt64? = nil) -> [UInt8] {
    littleEndian(length ?? UInt64(json.utf8.count)) + Array(json.utf8) + data
}

/// The bytes of float32 values.
public func float32Bytes(_ values: [Float]) -> [UInt8] { values.flatMap { littleEndian($0.bitPattern) } }
