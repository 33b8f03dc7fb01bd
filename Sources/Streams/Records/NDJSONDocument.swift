// One line of NDJSON records, as a document of a batch.

/// A record parsed from a line.
struct NDJSONDocument {
    /// The fields that may be absent, in the order of the format.
    private static let optional = ["text_hash", "offsets", "log_probs", "teacher_ranges", "teacher_losses"]

    let record: JSONValue
    /// The 0-based number of the record: its id when it has none.
    let number: Int

    /// Refuses a record that has not the same fields as the first one; `fields` is nil before that. Throws `RecordProblem`.
    func expectFields(_ fields: inout [String]?) throws {
        let present = NDJSONDocument.optional.filter { record[$0] != nil }
        guard let before = fields else { return fields = present }
        if let lost = before.first(where: { !present.contains($0) }) {
            throw RecordProblem("field '\(lost)' is missing, which the records before have")
        }
        if let new = present.first(where: { !before.contains($0) }) {
            throw RecordProblem("field '\(new)' is here, which the records before lack")
        }
    }

    /// Appends the document to a batch. Throws `RecordProblem`; the batch is of no use then.
    func append(to batch: inout RecordBatch) throws {
        guard let ids = record["input_ids"] else {
            let hint = record["text"] == nil ? nil : "this looks like a corpus: make records of it with 'tokenize'"
            throw RecordProblem("field 'input_ids' is missing", hint: hint)
        }
        guard let id = recordID(record["id"], number: number) else { throw RecordProblem("field 'id' must be a string or an integer") }
        try expect("input_ids", "an integer from 0 to 4294967295", ids.appendUnsigned(to: &batch.inputIDs))
        try pairs("offsets", &batch.offsets, ids.count)
        try floats("log_probs", &batch.logProbs, ids.count)
        try pairs("teacher_ranges", &batch.teacherRanges, ids.count)
        try floats("teacher_losses", &batch.teacherLosses, ids.count)
        if let text = record["text_hash"] {
            guard let hash = text.string.flatMap({ TensorStream.number($0, digits: 16) }) else {
                throw RecordProblem("field 'text_hash' must be 16 lower-case hexadecimal digits")
            }
            if batch.textHashes == nil { batch.textHashes = [] }
            batch.textHashes?.append(hash)
        }
        batch.endDocument(id: id)
    }

    private func pairs(_ field: String, _ column: inout [UInt32]?, _ tokens: Int) throws {
        guard let value = record[field] else { return }
        if column == nil { column = [] }
        try expect(field, "[begin, end] of integers", value.appendPairs(to: &column!))
        try expectCount(field, value, tokens)
    }

    private func floats(_ field: String, _ column: inout [Float]?, _ tokens: Int) throws {
        guard let value = record[field] else { return }
        if column == nil { column = [] }
        try expect(field, "a number or null", value.appendFloats(to: &column!))
        try expectCount(field, value, tokens)
    }

    private func expect(_ field: String, _ element: String, _ bad: Int?) throws {
        guard let bad else { return }
        throw RecordProblem(bad < 0 ? "field '\(field)' must be an array" : "field '\(field)' entry \(bad) must be \(element)")
    }

    private func expectCount(_ field: String, _ value: JSONValue, _ tokens: Int) throws {
        guard value.count != tokens else { return }
        throw RecordProblem("field 'input_ids' has \(tokens) entries but '\(field)' has \(value.count)")
    }
}
