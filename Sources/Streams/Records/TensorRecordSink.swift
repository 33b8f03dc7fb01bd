// Writes records in the tensor encoding.

/// Writes a tensor stream: the header at once, a data record for each batch, the end record last.
final class TensorRecordSink: RecordSink {
    private let output: ByteOutput
    private var hash = XXH64()
    private var records = 0
    private var documents = 0
    private var tokens = 0
    private var idSplits: [Int] = []
    private var idBytes: [UInt8] = []

    init(_ output: ByteOutput, header: StreamHeader) throws {
        self.output = output
        let facts = header.fields.map { ($0.key, $0.value) }
        try send([("kind", "header"), ("stream", header.stream.rawValue)] + facts)
    }

    func write(_ batch: RecordBatch) throws {
        gatherIDs(batch)
        var tensors: [(name: String, type: ElementType, shape: [Int])] = []
        var crc: UInt32 = 0
        eachColumn(of: batch) { name, type, shape, bytes in
            tensors.append((name, type, shape))
            crc = crc32c(bytes, continuing: crc)
        }
        try send([("kind", "data"), ("index", String(records)), ("crc32c", TensorStream.hex(UInt64(crc), digits: 8))], tensors)
        try eachColumn(of: batch) { _, _, _, bytes in try send(bytes) }
        records += 1
        documents += batch.documentCount
        tokens += batch.tokenCount
    }

    func end() throws {
        try send([
            ("kind", "end"), ("records", String(records)), ("documents", String(documents)), ("tokens", String(tokens)),
            ("xxh64", TensorStream.hex(hash.digest(), digits: 16)),
        ])
    }

    /// Lays the ids one behind the other.
    private func gatherIDs(_ batch: RecordBatch) {
        idBytes.removeAll(keepingCapacity: true)
        idSplits.removeAll(keepingCapacity: true)
        idSplits.append(0)
        for id in batch.documentIDs {
            idBytes.append(contentsOf: id)
            idSplits.append(idBytes.count)
        }
    }

    /// Visits the tensors of one record in their order in its data: the widest elements first, so that every tensor is aligned.
    private func eachColumn(
        of batch: RecordBatch, _ body: (_ name: String, _ type: ElementType, _ shape: [Int], _ bytes: UnsafeRawBufferPointer) throws -> Void
    ) rethrows {
        func visit<Element>(_ name: String, _ type: ElementType, _ shape: [Int], _ column: [Element]?) throws {
            guard let column else { return }
            precondition(column.count == shape.reduce(1, *), "bug: column '\(name)' does not have its shape")
            try column.withUnsafeBytes { try body(name, type, shape, $0) }
        }
        let (d, n) = (batch.documentCount, batch.tokenCount)
        try visit("document_splits", .i64, [d + 1], batch.documentSplits)
        try visit("document_id_splits", .i64, [d + 1], idSplits)
        try visit("text_hashes", .u64, [d], batch.textHashes)
        try visit("input_ids", .u32, [n], batch.inputIDs)
        try visit("offsets", .u32, [n, 2], batch.offsets)
        try visit("log_probs", .f32, [n], batch.logProbs)
        try visit("teacher_ranges", .u32, [n, 2], batch.teacherRanges)
        try visit("teacher_losses", .f32, [n], batch.teacherLosses)
        try visit("document_ids", .u8, [idBytes.count], idBytes)
    }

    /// Writes the header of one record; the bytes of its tensors follow.
    private func send(_ metadata: [(String, String)], _ tensors: [(name: String, type: ElementType, shape: [Int])] = []) throws {
        try SafetensorsHeader.bytes(metadata: metadata, tensors: tensors).withUnsafeBytes(send)
    }

    private func send(_ bytes: UnsafeRawBufferPointer) throws {
        hash.update(bytes)
        try output.write(bytes)
    }
}
