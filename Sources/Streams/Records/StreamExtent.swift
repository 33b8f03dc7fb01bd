// How much a file of tensor records holds, told by the headers of its records: a page or two of each is read.

/// Documents, tokens and bytes of a tensor stream, or of several in a row.
public struct StreamExtent: Equatable, Sendable {
    public internal(set) var documents = 0
    public internal(set) var tokens = 0
    public internal(set) var bytes = 0

    /// Nil for anything but whole tensor records in a regular file. What it says is not checked against the data: readers do that.
    public static func read(_ path: String) -> StreamExtent? {
        guard let map = try? MappedFile.open(path) else { return nil }
        var extent = StreamExtent()
        while extent.bytes < map.bytes.count {
            guard let end = extent.addRecord(map) else { return nil }
            extent.bytes = end
        }
        return extent.bytes > 0 ? extent : nil
    }

    /// Counts the record that begins at `bytes`; returns where it ends.
    private mutating func addRecord(_ map: MappedFile) -> Int? {
        guard map.bytes.count - bytes >= 8 else { return nil }
        let length = UInt64(littleEndian: map.bytes.loadUnaligned(fromByteOffset: bytes, as: UInt64.self))
        guard length >= 2, length <= TensorStream.longestHeader, Int(length) <= map.bytes.count - bytes - 8 else { return nil }
        let header = UnsafeRawBufferPointer(rebasing: map.bytes[bytes + 8..<bytes + 8 + Int(length)])
        guard let contents = try? SafetensorsHeader.parse(header, dataBytes: nil, name: map.name, base: bytes + 8),
            let kind = contents.metadata.first(where: { $0.0 == "kind" })?.1
        else { return nil }
        if kind == "data" {
            func rows(_ name: String) -> Int? { contents.tensors.first { $0.name == name }?.shape.first }
            guard let tokens = rows("input_ids"), let splits = rows("document_splits"), splits > 0 else { return nil }
            self.tokens += tokens
            documents += splits - 1
        }
        let end = contents.tensors.last?.range.upperBound ?? bytes + 8 + Int(length)
        return end <= map.bytes.count ? end : nil
    }
}
