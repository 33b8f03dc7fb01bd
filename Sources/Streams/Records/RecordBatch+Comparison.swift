// Whether two batches hold the same.

extension RecordBatch {
    /// The name of the first column in which two batches of the same documents with the same columns differ; nil where none does.
    ///
    /// Numbers are compared bit for bit, but any NaN equals any other.
    public func firstDifference(from other: RecordBatch) -> String? {
        if inputIDs != other.inputIDs { return "input_ids" }
        return Column.all.first { column in
            switch column.storage {
            case .hashes(let path): self[keyPath: path] != other[keyPath: path]
            case .documentNumbers(let path), .tokenNumbers(let path), .spans(let path): self[keyPath: path] != other[keyPath: path]
            case .values(let path, _): !equal(self[keyPath: path], other[keyPath: path])
            case .entries(let path, _, _, _):
                self[keyPath: path]?.splits != other[keyPath: path]?.splits || self[keyPath: path]?.ids != other[keyPath: path]?.ids
                    || !equal(self[keyPath: path]?.values, other[keyPath: path]?.values)
            }
        }?.name
    }

    private func equal(_ mine: [Float]?, _ its: [Float]?) -> Bool {
        guard let mine, let its else { return mine == nil && its == nil }
        return mine.elementsEqual(its) { $0.bitPattern == $1.bitPattern || ($0.isNaN && $1.isNaN) }
    }
}
