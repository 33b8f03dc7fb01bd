// Writes records in the NDJSON encoding: the header's line, then one document a line.

/// Writes NDJSON records. The layout is in NDJSONRecordSource.swift; columns that are absent are left out.
final class NDJSONRecordSink: RecordSink {
    private let output: ByteOutput
    private var line = JSONText()

    init(_ output: ByteOutput, header: StreamHeader) throws {
        self.output = output
        line.beginObject()
        line.key("stream")
        line.string(header.stream.rawValue)
        for (key, value) in header.fields {
            line.key(key)
            // Numbers and truth values as JSON has them; they read back as the same text.
            if let number = decimal(value) {
                line.integer(number)
            } else if value == "true" || value == "false" {
                line.boolean(value == "true")
            } else {
                line.string(value)
            }
        }
        line.endObject()
        try send()
    }

    func write(_ batch: RecordBatch) throws {
        for document in 0..<batch.documentCount {
            let tokens = batch.tokens(of: document)
            line.beginObject()
            line.key("id")
            line.string(batch.documentIDs[document])
            for column in Column.all {
                if case .hashes = column.storage { write(column, of: batch, document, tokens) }
            }
            line.key("input_ids")
            batch.inputIDs.withUnsafeBufferPointer { line.integers(UnsafeBufferPointer(rebasing: $0[tokens])) }
            for column in Column.all {
                if case .hashes = column.storage { continue }
                write(column, of: batch, document, tokens)
            }
            line.endObject()
            try send()
        }
    }

    func end() throws {}

    /// The document's part of a column, when the batch has it.
    private func write(_ column: Column, of batch: RecordBatch, _ document: Int, _ tokens: Range<Int>) {
        switch column.storage {
        case .hashes(let path):
            guard let hashes = batch[keyPath: path] else { return }
            line.key(column.field)
            line.string(TensorStream.hex(hashes[document], digits: 16))
        case .documentNumbers(let path):
            guard let numbers = batch[keyPath: path] else { return }
            line.key(column.field)
            line.integer(Int(numbers[document]))
        case .tokenNumbers(let path):
            guard let numbers = batch[keyPath: path] else { return }
            line.key(column.field)
            numbers.withUnsafeBufferPointer { line.integers(UnsafeBufferPointer(rebasing: $0[tokens])) }
        case .spans(let path):
            guard let spans = batch[keyPath: path] else { return }
            line.key(column.field)
            let range = 2 * tokens.lowerBound..<2 * tokens.upperBound
            spans.withUnsafeBufferPointer { line.pairs(UnsafeBufferPointer(rebasing: $0[range])) }
        case .values(let path, _):
            guard let values = batch[keyPath: path] else { return }
            line.key(column.field)
            floats(values[tokens])
        case .entries(let path, let names, _, _):
            guard let entries = batch[keyPath: path] else { return }
            line.key(names.ids)
            line.beginArray()
            entries.ids.withUnsafeBufferPointer { ids in
                for token in tokens { line.integers(UnsafeBufferPointer(rebasing: ids[entries.entries(of: token)])) }
            }
            line.endArray()
            line.key(names.values)
            line.beginArray()
            for token in tokens { floats(entries.values[entries.entries(of: token)]) }
            line.endArray()
        }
    }

    private func floats(_ values: ArraySlice<Float>) {
        line.beginArray()
        for value in values { line.number(value) }
        line.endArray()
    }

    private func send() throws {
        line.newline()
        try output.write(line.bytes)
        line.removeAll()
    }
}
