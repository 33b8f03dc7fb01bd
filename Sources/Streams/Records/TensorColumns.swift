// The tensors of a data record, as the columns of a batch.

/// Takes the columns out of a record, checking names, types and shapes against the format.
struct TensorColumns {
    private static let known =
        ["document_splits", "document_id_splits", "input_ids", "document_ids"] + Column.all.flatMap(\.tensorNames)

    let record: TensorRecord

    /// The batch. Its values are not checked yet, only what is needed to take it apart. Throws `RecordProblem`.
    func batch() throws -> RecordBatch {
        if let other = record.tensors.first(where: { !TensorColumns.known.contains($0.name) }) {
            throw RecordProblem("unknown tensor '\(printable(other.name))'")
        }
        let documents = try length("document_splits") - 1
        guard documents >= 0 else { throw RecordProblem("'document_splits' is empty") }
        let tokens = try length("input_ids")
        let idBytes = try length("document_ids")
        var batch = RecordBatch()
        batch.documentSplits = try required("document_splits", .i64, [documents + 1])
        batch.inputIDs = try required("input_ids", .u32, [tokens])
        for column in Column.all { try take(column, tokens: tokens, documents: documents, into: &batch) }
        batch.documentIDs = try documentIDs(
            required("document_ids", .u8, [idBytes]), splits: required("document_id_splits", .i64, [documents + 1]))
        return batch
    }

    private func take(_ column: Column, tokens: Int, documents: Int, into batch: inout RecordBatch) throws {
        let name = column.name
        switch column.storage {
        case .hashes(let path): batch[keyPath: path] = try optional(name, .u64, [documents])
        case .documentNumbers(let path): batch[keyPath: path] = try optional(name, .u32, [documents])
        case .tokenNumbers(let path): batch[keyPath: path] = try optional(name, .u32, [tokens])
        case .spans(let path): batch[keyPath: path] = try optional(name, .u32, [tokens, 2])
        case .values(let path, _): batch[keyPath: path] = try optional(name, .f32, [tokens])
        case .entries(let path, let names, let type, _):
            let present = column.tensorNames.filter { name in record.tensors.contains { $0.name == name } }
            guard !present.isEmpty else { return }
            var entries = TokenEntries()
            entries.splits = try required(names.splits, .i64, [tokens + 1])
            let count = try length(names.ids)
            entries.ids = try required(names.ids, .u32, [count])
            if type == .f16 {
                let halves: [Float16] = try required(names.values, .f16, [count])
                entries.values = halves.map { Float($0) }
            } else {
                entries.values = try required(names.values, .f32, [count])
            }
            batch[keyPath: path] = entries
        }
    }

    private func documentIDs(_ bytes: [UInt8], splits: [Int]) throws -> [[UInt8]] {
        guard splits.first == 0, splits.last == bytes.count else {
            throw RecordProblem("'document_id_splits' must run from 0 to \(bytes.count)")
        }
        var ids: [[UInt8]] = []
        ids.reserveCapacity(splits.count - 1)
        for (begin, end) in zip(splits, splits.dropFirst()) {
            guard begin <= end, end <= bytes.count else { throw RecordProblem("'document_id_splits' falls at document \(ids.count)") }
            let valid = bytes.withUnsafeBytes { firstInvalidUTF8(UnsafeRawBufferPointer(rebasing: $0[begin..<end])) == nil }
            guard valid else { throw RecordProblem("the id of document \(ids.count) is not valid UTF-8") }
            ids.append(Array(bytes[begin..<end]))
        }
        return ids
    }

    /// The first dimension of a tensor that must be there.
    private func length(_ name: String) throws -> Int {
        guard let entry = record.tensors.first(where: { $0.name == name }) else { throw RecordProblem("tensor '\(name)' is missing") }
        guard let first = entry.shape.first else { throw RecordProblem("tensor '\(name)' is a scalar") }
        return first
    }

    private func required<Element>(_ name: String, _ type: ElementType, _ shape: [Int]) throws -> [Element] {
        guard let column: [Element] = try optional(name, type, shape) else { throw RecordProblem("tensor '\(name)' is missing") }
        return column
    }

    private func optional<Element>(_ name: String, _ type: ElementType, _ shape: [Int]) throws -> [Element]? {
        guard let entry = record.tensors.first(where: { $0.name == name }) else { return nil }
        guard entry.type == type, entry.shape == shape else {
            throw RecordProblem("tensor '\(name)' is \(entry.type.rawValue) \(entry.shape), expected \(type.rawValue) \(shape)")
        }
        let source = UnsafeRawBufferPointer(rebasing: record.data[entry.range])
        return [Element](unsafeUninitializedCapacity: entry.count) { memory, count in
            UnsafeMutableRawBufferPointer(memory).copyMemory(from: source)
            count = entry.count
        }
    }
}
