// GGUF, the model file of llama.cpp: metadata and tensors in one file, mapped and read in place.
//
//     magic "GGUF", u32 version (2 or 3), u64 tensors, u64 entries                                   (all little-endian)
//     entry:  string key, u32 type, value            string: u64 length, bytes        array: u32 type, u64 count, values
//     tensor: string name, u32 dimensions, u64 each (innermost first), u32 type, u64 offset from the start of the data
//     padding to the alignment (general.alignment, default 32); data, each tensor padded to the alignment
//
// Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md

/// A GGUF file of version 2 or 3, checked as a whole when it is opened.
///
/// After that every range lies in the file, every name is unique and UTF-8, and tensors follow each other without gap or overlap.
/// Memory: the table of names only; strings and arrays stay in the map.
public final class GGUFFile {
    /// The file, as bytes.
    public let map: MappedFile
    /// 2 or 3.
    public let version: UInt32
    /// The keys of the metadata in file order.
    public let keys: [String]
    /// The tensors in file order.
    public let tensors: [GGUFTensor]
    /// Bytes after the last tensor and its padding. They are ignored, as the reference does.
    public let trailingBytes: Int
    /// The path as the user named it.
    public var name: String { map.name }

    private let values: [[UInt8]: (value: GGUFValue, place: Int)]
    private let places: [[UInt8]: Int]

    /// Maps and checks the file at `path`.
    ///
    /// Throws `Failure.cannotOpen` (66), or `Failure.badData` (65) with the byte of what is wrong. Nothing is allocated by a number
    /// that the file tells before that number was compared with the bytes there are.
    public static func open(_ path: String) throws -> GGUFFile {
        try GGUFFile(MappedFile.open(path))
    }

    /// Checks a file that is mapped already.
    public init(_ map: MappedFile) throws {
        self.map = map
        var reader = GGUFReader(map)
        try reader.readAll()
        version = reader.version
        keys = reader.keys
        values = reader.values
        tensors = reader.tensors
        places = reader.places
        trailingBytes = reader.trailingBytes
    }

    /// The metadata under `key`, compared byte for byte.
    public func value(_ key: String) -> GGUFValue? {
        values[Array(key.utf8)]?.value
    }

    /// The byte at which the entry of `key` begins, for messages.
    public func place(_ key: String) -> Int? {
        values[Array(key.utf8)]?.place
    }

    /// The tensor called `name`, compared byte for byte.
    public func tensor(_ name: String) -> GGUFTensor? {
        places[Array(name.utf8)].map { tensors[$0] }
    }

    /// The bytes of one of this file's tensors.
    public func bytes(_ tensor: GGUFTensor) -> UnsafeRawBufferPointer {
        map[tensor.range]
    }
}
