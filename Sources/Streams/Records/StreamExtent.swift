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
        guard let (record, end) = try? TensorRecord.read(map, at: bytes), !record.kind.isEmpty else { return nil }
        if record.kind == "data" {
            func rows(_ name: String) -> Int? { record.tensors.first { $0.name == name }?.shape.first }
            guard let tokens = rows("input_ids"), let splits = rows("document_splits"), splits > 0 else { return nil }
            self.tokens += tokens
            documents += splits - 1
        }
        return end
    }
}
