// Writes records in the tensor encoding.

/// Writes a tensor stream: the header at once, a data record for each batch, the end record last.
final class TensorRecordSink: RecordSink {
    /// What the end record will say of the bytes so far.
    struct State {
        var hash = XXH64()
        var records = 0
        var documents = 0
        var tokens = 0

        mutating func add(_ record: TensorRecord) { record.add(to: &hash) }

        mutating func add(_ record: TensorRecord, _ batch: RecordBatch) {
            add(record)
            count(batch)
        }

        mutating func count(_ batch: RecordBatch) {
            records += 1
            documents += batch.documentCount
            tokens += batch.tokenCount
        }
    }

    private let output: ByteOutput
    private var state = State()
    private var idSplits: [Int] = []
    private var idBytes: [UInt8] = []

    init(_ output: ByteOutput, header: StreamHeader) throws {
        self.output = output
        try TensorRecordSink.headerBytes(header).withUnsafeBytes(send)
    }

    /// Goes on behind records that are there already.
    init(_ output: ByteOutput, continuing state: State) {
        self.output = output
        self.state = state
    }

    /// The header record.
    static func headerBytes(_ header: StreamHeader) -> [UInt8] {
        let facts = header.fields.map { ($0.key, $0.value) }
        return SafetensorsHeader.bytes(metadata: [("kind", "header"), ("stream", header.stream.rawValue)] + facts, tensors: [])
    }

    func write(_ batch: RecordBatch) throws {
        gatherIDs(batch)
        let parts = parts(of: batch)
        let crc = parts.reduce(0) { crc, part in part.withBytes { crc32c($0, continuing: crc) } }
        try send(
            [("kind", "data"), ("index", String(state.records)), ("crc32c", TensorStream.hex(UInt64(crc), digits: 8))],
            parts.map { ($0.name, $0.type, $0.shape) })
        for part in parts { try part.withBytes(send) }
        state.count(batch)
    }

    func end() throws {
        try send([
            ("kind", "end"), ("records", String(state.records)), ("documents", String(state.documents)), ("tokens", String(state.tokens)),
            ("xxh64", TensorStream.hex(state.hash.digest(), digits: 16)),
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

    /// A tensor of a record.
    private struct Part {
        enum Elements {
            case i64([Int])
            case u64([UInt64])
            case u32([UInt32])
            case f32([Float])
            case f16([Float16])
            case u8([UInt8])
        }
        let name: String
        let shape: [Int]
        let elements: Elements

        var type: ElementType {
            switch elements {
            case .i64: .i64
            case .u64: .u64
            case .u32: .u32
            case .f32: .f32
            case .f16: .f16
            case .u8: .u8
            }
        }

        func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
            switch elements {
            case .i64(let column): try column.withUnsafeBytes(body)
            case .u64(let column): try column.withUnsafeBytes(body)
            case .u32(let column): try column.withUnsafeBytes(body)
            case .f32(let column): try column.withUnsafeBytes(body)
            case .f16(let column): try column.withUnsafeBytes(body)
            case .u8(let column): try column.withUnsafeBytes(body)
            }
        }
    }

    /// The tensors of one record in their order in its data: the widest elements first, so that every tensor is aligned.
    private func parts(of batch: RecordBatch) -> [Part] {
        let (d, n) = (batch.documentCount, batch.tokenCount)
        var parts = [
            Part(name: "document_splits", shape: [d + 1], elements: .i64(batch.documentSplits)),
            Part(name: "document_id_splits", shape: [d + 1], elements: .i64(idSplits)),
            Part(name: "input_ids", shape: [n], elements: .u32(batch.inputIDs)),
        ]
        for column in Column.all {
            let name = column.name
            switch column.storage {
            case .hashes(let path): batch[keyPath: path].map { parts.append(Part(name: name, shape: [d], elements: .u64($0))) }
            case .documentNumbers(let path): batch[keyPath: path].map { parts.append(Part(name: name, shape: [d], elements: .u32($0))) }
            case .tokenNumbers(let path): batch[keyPath: path].map { parts.append(Part(name: name, shape: [n], elements: .u32($0))) }
            case .spans(let path): batch[keyPath: path].map { parts.append(Part(name: name, shape: [n, 2], elements: .u32($0))) }
            case .values(let path, _): batch[keyPath: path].map { parts.append(Part(name: name, shape: [n], elements: .f32($0))) }
            case .entries(let path, let names, let type, _):
                guard let entries = batch[keyPath: path] else { continue }
                let count = entries.ids.count
                parts.append(Part(name: names.splits, shape: [n + 1], elements: .i64(entries.splits)))
                parts.append(Part(name: names.ids, shape: [count], elements: .u32(entries.ids)))
                let values: Part.Elements = type == .f16 ? .f16(entries.values.map { Float16($0) }) : .f32(entries.values)
                parts.append(Part(name: names.values, shape: [count], elements: values))
            }
        }
        parts.append(Part(name: "document_ids", shape: [idBytes.count], elements: .u8(idBytes)))
        for part in parts {
            precondition(part.withBytes(\.count) == part.shape.reduce(part.type.size, *), "bug: '\(part.name)' is not of its shape")
        }
        return [8, 4, 2, 1].flatMap { size in parts.filter { $0.type.size == size } }
    }

    /// Writes the header of one record; the bytes of its tensors follow.
    private func send(_ metadata: [(String, String)], _ tensors: [(name: String, type: ElementType, shape: [Int])] = []) throws {
        try SafetensorsHeader.bytes(metadata: metadata, tensors: tensors).withUnsafeBytes(send)
    }

    private func send(_ bytes: UnsafeRawBufferPointer) throws {
        state.hash.update(bytes)
        try output.write(bytes)
    }
}
