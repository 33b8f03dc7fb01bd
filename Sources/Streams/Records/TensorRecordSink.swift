// Writes records in the tensor encoding.

/// Writes a tensor stream: the header at once, a data record for each batch, the end record last.
final class TensorRecordSink: RecordSink {
    private let output: ByteOutput
    private var hash = XXH64()
    private var records = 0
    private var documents = 0
    private var tokens = 0
    private var tensors: [(name: String, type: ElementType, shape: [Int])] = []
    private var data: [UInt8] = []

    init(_ output: ByteOutput, header: StreamHeader) throws {
        self.output = output
        let facts = header.fields.map { ($0.key, $0.value) }
        try send([("kind", "header"), ("stream", header.stream.rawValue)] + facts)
    }

    func write(_ batch: RecordBatch) throws {
        gather(batch)
        let crc = data.withUnsafeBytes { crc32c($0) }
        try send([("kind", "data"), ("index", String(records)), ("crc32c", TensorStream.hex(UInt64(crc), digits: 8))])
        records += 1
        documents += batch.documentCount
        tokens += batch.tokenCount
    }

    func end() throws {
        tensors.removeAll()
        data.removeAll()
        try send([
            ("kind", "end"), ("records", String(records)), ("documents", String(documents)), ("tokens", String(tokens)),
            ("xxh64", TensorStream.hex(hash.digest(), digits: 16)),
        ])
    }

    /// Lays the columns out as the data of one record: the widest elements first, so that every tensor is aligned.
    private func gather(_ batch: RecordBatch) {
        tensors.removeAll(keepingCapacity: true)
        data.removeAll(keepingCapacity: true)
        var idSplits = [0]
        idSplits.reserveCapacity(batch.documentCount + 1)
        for id in batch.documentIDs { idSplits.append(idSplits[idSplits.count - 1] + id.count) }
        let (d, n) = (batch.documentCount, batch.tokenCount)
        add("document_splits", .i64, [d + 1], batch.documentSplits)
        add("document_id_splits", .i64, [d + 1], idSplits)
        add("text_hashes", .u64, [d], batch.textHashes)
        add("input_ids", .u32, [n], batch.inputIDs)
        add("offsets", .u32, [n, 2], batch.offsets)
        add("log_probs", .f32, [n], batch.logProbs)
        add("teacher_ranges", .u32, [n, 2], batch.teacherRanges)
        add("teacher_losses", .f32, [n], batch.teacherLosses)
        add("document_ids", .u8, [idSplits[d]], Array(batch.documentIDs.joined()))
    }

    private func add<Element>(_ name: String, _ type: ElementType, _ shape: [Int], _ column: [Element]?) {
        guard let column else { return }
        precondition(column.count == shape.reduce(1, *), "bug: column '\(name)' does not have its shape")
        tensors.append((name, type, shape))
        column.withUnsafeBytes { data.append(contentsOf: $0) }
    }

    /// Writes one record with the tensors and data gathered.
    private func send(_ metadata: [(String, String)]) throws {
        let header = SafetensorsHeader.bytes(metadata: metadata, tensors: tensors)
        for piece in [header, data] {
            piece.withUnsafeBytes { hash.update($0) }
            try output.write(piece)
        }
    }
}
