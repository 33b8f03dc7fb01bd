// A safetensors file: named tensors behind a JSON header, mapped and read in place.
//
//     u64 length (little-endian), JSON of that length (see SafetensorsHeader), the tensors' bytes to the end of the file

/// A safetensors file, checked as a whole when it is opened.
///
/// After that every range lies in the file, and the ranges cover its data without gap, overlap or rest. The data may start at any
/// byte, so a tensor need not be aligned to its elements: read with `loadUnaligned`.
public final class SafetensorsFile {
    /// The file, as bytes.
    public let map: MappedFile
    /// The strings of `__metadata__`.
    public let metadata: [String: String]
    /// The tensors in the order of their bytes.
    public let tensors: [TensorEntry]
    /// The path as the user named it.
    public var name: String { map.name }

    private let places: [[UInt8]: Int]

    /// Maps and checks the file at `path`.
    ///
    /// Throws `Failure.cannotOpen` (66), or `Failure.badData` (65) with the byte of what is wrong; a file of another kind is named.
    public static func open(_ path: String) throws -> SafetensorsFile {
        try SafetensorsFile(MappedFile.open(path))
    }

    /// Checks a file that is mapped already.
    public init(_ map: MappedFile) throws {
        self.map = map
        let json = try SafetensorsFile.header(map)
        let contents = try SafetensorsHeader.parse(
            map[json], dataBytes: map.bytes.count - json.upperBound, name: map.name, base: json.lowerBound)
        metadata = Dictionary(contents.metadata) { first, _ in first }
        tensors = contents.tensors
        places = Dictionary(contents.tensors.enumerated().map { (Array($1.name.utf8), $0) }) { first, _ in first }
    }

    /// The range of the JSON, once its length makes sense and it begins as JSON must.
    private static func header(_ map: MappedFile) throws -> Range<Int> {
        func refuse(_ message: String) -> Failure {
            if let kind = otherKind(map.bytes) {
                return Failure(.badData, map.name, .byte(0), "not a safetensors file: this is \(kind.title)", hint: kind.hint)
            }
            return Failure(.badData, map.name, .byte(0), "not a whole safetensors file: \(message)")
        }
        let count = map.bytes.count
        guard count >= 8 else { throw refuse("it has \(count) bytes, fewer than the 8 of its header's length") }
        let length = UInt64(littleEndian: map.bytes.loadUnaligned(as: UInt64.self))
        guard length > 0 else { throw refuse("its header's length is 0") }
        guard length <= UInt64(SafetensorsHeader.longest) else {
            throw refuse("its header's length is \(length), more than \(SafetensorsHeader.longest)")
        }
        guard length <= UInt64(count - 8) else { throw refuse("its header's length is \(length), but \(count - 8) bytes follow") }
        guard map.bytes[8] == UInt8(ascii: "{") else { throw refuse("expected '{' at byte 8") }
        return 8..<8 + Int(length)
    }

    /// What the bytes are, when they are surely something else: the low bytes of a length may look like any magic number.
    private static func otherKind(_ bytes: UnsafeRawBufferPointer) -> FileKind? {
        guard bytes.count > 8, bytes[8] != UInt8(ascii: "{") else { return nil }
        let kind = FileKind(Array(bytes.prefix(FileKind.sniffed)))
        switch kind {
        case .unknown, .utf16, .empty: return nil
        default: return kind
        }
    }

    /// The tensor called `name`, compared byte for byte.
    public func tensor(_ name: String) -> TensorEntry? {
        places[Array(name.utf8)].map { tensors[$0] }
    }

    /// The bytes of one of this file's tensors.
    public func bytes(_ tensor: TensorEntry) -> UnsafeRawBufferPointer {
        map[tensor.range]
    }
}
