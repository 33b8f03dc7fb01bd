// Compares two streams document by document, whatever their encodings and batches.

import Streams

/// Walks two streams side by side.
struct StreamComparison {
    private var left: DocumentCursor
    private var right: DocumentCursor

    init(_ left: RecordReader, _ right: RecordReader) {
        self.left = DocumentCursor(left)
        self.right = DocumentCursor(right)
    }

    /// The first difference in words; nil where both hold the same documents with the same columns.
    mutating func first() throws -> String? {
        if let key = left.reader.header.disagreement(with: right.reader.header) {
            return "headers differ in '\(key)'"
        }
        while true {
            switch (try left.advance(), try right.advance()) {
            case (false, false): return nil
            case (false, true): return "the first stream ends after \(left.count) documents, the second goes on"
            case (true, false): return "the second stream ends after \(right.count) documents, the first goes on"
            case (true, true):
                if let what = difference(left.document, right.document) {
                    return "document \(left.count) ('\(printable(left.id))') \(what)"
                }
            }
        }
    }

    private func difference(_ mine: RecordBatch, _ its: RecordBatch) -> String? {
        if mine.documentIDs != its.documentIDs { return "has another id in the second stream: '\(printable(its.documentIDs[0]))'" }
        if mine.columns != its.columns { return "has other columns in the second stream" }
        if mine.inputIDs != its.inputIDs { return "differs in 'input_ids'" }
        if mine.textHashes != its.textHashes { return "differs in 'text_hashes'" }
        if mine.offsets != its.offsets { return "differs in 'offsets'" }
        if mine.teacherRanges != its.teacherRanges { return "differs in 'teacher_ranges'" }
        if !equal(mine.logProbs, its.logProbs) { return "differs in 'log_probs'" }
        if !equal(mine.teacherLosses, its.teacherLosses) { return "differs in 'teacher_losses'" }
        return nil
    }

    /// Bit for bit, but any NaN equals any other.
    private func equal(_ mine: [Float]?, _ its: [Float]?) -> Bool {
        guard let mine, let its else { return mine == nil && its == nil }
        return mine.elementsEqual(its) { $0.bitPattern == $1.bitPattern || ($0.isNaN && $1.isNaN) }
    }
}
