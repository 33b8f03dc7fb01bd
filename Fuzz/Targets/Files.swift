// Files of tensors and tokens: safetensors, Megatron indexes, protobuf messages.
@testable import Streams

extension FuzzTarget {
    /// A header that is accepted, written again and read again, declares the same.
    static let safetensors = FuzzTarget("safetensors", longest: 3072) { bytes in
        let file = try SafetensorsFile(mapped(bytes))
        var at = 8 + Int(bytes.loadUnaligned(as: UInt64.self))
        for tensor in file.tensors {
            agree(tensor.range.lowerBound == at, "a gap before byte \(tensor.range.lowerBound)")
            agree(tensor.range.count == tensor.shape.reduce(tensor.type.size, *), "another size than the shape's")
            agree(file.tensor(tensor.name) == tensor, "a tensor that is not found by its name")
            agree(file.bytes(tensor).count == tensor.range.count, "other bytes")
            at = tensor.range.upperBound
        }
        agree(at == bytes.count, "bytes behind the last tensor")
        let metadata = file.metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map { ($0.key, $0.value) }
        let again = SafetensorsHeader.bytes(metadata: metadata, tensors: file.tensors.map { ($0.name, $0.type, $0.shape) })
        let data = file.tensors.reduce(0) { $0 + $1.range.count }
        let contents = try again[8...].withUnsafeBytes { try SafetensorsHeader.parse($0, dataBytes: data, name: "again", base: 8) }
        agree(contents.tensors.map(\.name) == file.tensors.map(\.name), "other names")
        agree(contents.tensors.map(\.shape) == file.tensors.map(\.shape), "other shapes")
        agree(contents.metadata.map(\.1) == metadata.map(\.1), "other metadata")
    }

    static let protobuf = FuzzTarget("protobuf", longest: 1024) {
        try walk(ProtobufReader($0, name: "input"), base: 0, end: $0.count, depth: 0)
    }

    private static func walk(_ reader: ProtobufReader, base: Int, end: Int, depth: Int) throws {
        var reader = reader
        while let field = try reader.next() {
            agree(field.place >= base && field.contentPlace > field.place && field.contentPlace <= end, "a place outside")
            _ = try? field.int32("number")
            _ = try? field.boolean("flag")
            _ = try? field.float("real")
            guard case .bytes(let bytes) = field.value else { continue }
            agree(field.contentPlace + bytes.count <= end, "contents outside")
            if depth < 4 { try? walk(field.message("message"), base: field.contentPlace, end: end, depth: depth + 1) }
        }
    }

    static let megatron = FuzzTarget("megatron", longest: 1024) { bytes in
        let index = try MegatronIndexReader(file.input(bytes))
        agree(bytes.count >= 34 + 12 * index.lengths.count, "more sequences than the file holds")
    }

    private static let file = MemoryFile()
}
