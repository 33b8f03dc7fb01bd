// One line of NDJSON records, as a document of a batch.

/// A record parsed from a line.
struct NDJSONDocument {
    /// The fields that may be absent, in the order of the format.
    private static let optional = Column.all.flatMap(\.fields)

    let record: JSONValue
    /// The 0-based number of the record: its id when it has none.
    let number: Int

    /// Refuses a record that has not the same fields as the first one; `fields` is nil before that. Throws `RecordProblem`.
    func expectFields(_ fields: inout [String]?) throws {
        let present = NDJSONDocument.optional.filter { record[$0] != nil }
        guard let before = fields else {
            fields = present
            return
        }
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
        for column in Column.all { try append(column, ids.count, to: &batch) }
        batch.endDocument(id: id)
    }

    /// Appends the document's part of a column, when its fields are here.
    private func append(_ column: Column, _ tokens: Int, to batch: inout RecordBatch) throws {
        let fields = column.fields
        guard let value = record[fields[0]] ?? record[fields[fields.count - 1]] else { return }
        column.setPresent(true, in: &batch)
        switch column.storage {
        case .hashes(let path):
            guard let hash = value.string.flatMap({ TensorStream.number($0, digits: 16) }) else {
                throw RecordProblem("field '\(column.field)' must be 16 lower-case hexadecimal digits")
            }
            batch[keyPath: path]?.append(hash)
        case .documentNumbers(let path):
            guard let number = value.integer.flatMap({ UInt32(exactly: $0) }) else {
                throw RecordProblem("field '\(column.field)' must be an integer from 0 to 4294967295")
            }
            batch[keyPath: path]?.append(number)
        case .tokenNumbers(let path):
            try expect(column.field, "an integer from 0 to 4294967295", value.appendUnsigned(to: &batch[keyPath: path]!))
            try expectCount(column.field, value, tokens)
        case .spans(let path):
            try expect(column.field, "[begin, end] of integers", value.appendPairs(to: &batch[keyPath: path]!))
            try expectCount(column.field, value, tokens)
        case .values(let path, _):
            try expect(column.field, "a number or null", value.appendFloats(to: &batch[keyPath: path]!))
            try expectCount(column.field, value, tokens)
        case .entries(let path, let names, let type, _):
            try appendEntries(names, tokens, rounded: type == .f16, to: &batch[keyPath: path]!)
        }
    }

    /// Two arrays of arrays, one of each a token.
    private func appendEntries(_ names: Column.EntryNames, _ tokens: Int, rounded: Bool, to entries: inout TokenEntries) throws {
        guard let ids = record[names.ids] else { throw RecordProblem("field '\(names.values)' is here, but '\(names.ids)' is missing") }
        guard let values = record[names.values] else {
            throw RecordProblem("field '\(names.ids)' is here, but '\(names.values)' is missing")
        }
        let splits = entries.splits.count
        let first = entries.values.count
        try expect(
            names.ids, "an array of integers from 0 to 4294967295",
            ids.appendLists(ends: &entries.splits) { $0.appendUnsigned(to: &entries.ids) })
        try expectCount(names.ids, ids, tokens)
        var ends: [Int] = [first]
        try expect(names.values, "an array of numbers", values.appendLists(ends: &ends) { $0.appendFloats(to: &entries.values) })
        try expectCount(names.values, values, tokens)
        if let token = (0..<tokens).first(where: { ends[$0 + 1] != entries.splits[splits + $0] }) {
            throw RecordProblem("fields '\(names.ids)' and '\(names.values)' have lists of different lengths for token \(token)")
        }
        // The same numbers in either encoding.
        if rounded { for at in first..<entries.values.count { entries.values[at] = Float(Float16(entries.values[at])) } }
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
