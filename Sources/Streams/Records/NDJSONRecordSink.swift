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
            if let hashes = batch.textHashes {
                line.key("text_hash")
                line.string(TensorStream.hex(hashes[document], digits: 16))
            }
            line.key("input_ids")
            batch.inputIDs.withUnsafeBufferPointer { line.integers(UnsafeBufferPointer(rebasing: $0[tokens])) }
            if let offsets = batch.offsets { pairs("offsets", offsets, tokens) }
            if let logProbs = batch.logProbs { floats("log_probs", logProbs, tokens) }
            if let ranges = batch.teacherRanges { pairs("teacher_ranges", ranges, tokens) }
            if let losses = batch.teacherLosses { floats("teacher_losses", losses, tokens) }
            line.endObject()
            try send()
        }
    }

    func end() throws {}

    private func pairs(_ key: String, _ column: [UInt32], _ tokens: Range<Int>) {
        line.key(key)
        let range = 2 * tokens.lowerBound..<2 * tokens.upperBound
        column.withUnsafeBufferPointer { line.pairs(UnsafeBufferPointer(rebasing: $0[range])) }
    }

    private func floats(_ key: String, _ column: [Float], _ tokens: Range<Int>) {
        line.key(key)
        line.beginArray()
        for token in tokens { line.number(column[token]) }
        line.endArray()
    }

    private func send() throws {
        line.newline()
        try output.write(line.bytes)
        line.removeAll()
    }
}
