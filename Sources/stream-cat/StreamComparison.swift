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
        return mine.firstDifference(from: its).map { "differs in '\($0)'" }
    }
}
