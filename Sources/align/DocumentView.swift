// One document as both sides see it: spans, ids, losses and, where it is known, the text.

import Streams
import Text

/// A document of the student's with one teacher's, for reports and drawings.
struct DocumentView {
    let id: [UInt8]
    let student: Side
    let teacher: Side
    /// Two indices a student token, half-open, into the teacher's.
    let ranges: [UInt32]
    let text: [UInt8]?

    /// The tokens of one side.
    struct Side {
        let ids: [UInt32]
        /// Two byte offsets a token.
        let offsets: [UInt32]
        /// Nats; NaN where there is none. Empty without scores.
        let losses: [Float]

        var count: Int { ids.count }

        func span(_ token: Int) -> Range<Int> { Int(offsets[2 * token])..<Int(offsets[2 * token + 1]) }

        func hasBytes(_ token: Int) -> Bool { offsets[2 * token] < offsets[2 * token + 1] }
    }

    /// - teacher: at its document. - columns: of the batch, up to the document at least.
    init(_ batch: RecordBatch, _ document: Int, _ teacher: DocumentCursor, _ columns: AlignedColumns, text: [UInt8]?) {
        let (mine, its) = (batch.tokens(of: document), teacher.tokens)
        id = batch.documentIDs[document]
        func pairs(_ column: [UInt32]?, _ tokens: Range<Int>) -> [UInt32] {
            Array(column?[2 * tokens.lowerBound..<2 * tokens.upperBound] ?? [])
        }
        student = Side(
            ids: Array(batch.inputIDs[mine]), offsets: pairs(batch.offsets, mine),
            losses: columns.losses.isEmpty ? [] : Array(columns.losses[mine]))
        self.teacher = Side(
            ids: Array(teacher.batch.inputIDs[its]), offsets: pairs(teacher.batch.offsets, its),
            losses: teacher.batch.logProbs.map { logProbs in its.map { -logProbs[$0] } } ?? [])
        ranges = pairs(columns.ranges, mine)
        self.text = text
    }

    func range(of token: Int) -> Range<Int> { Int(ranges[2 * token])..<Int(ranges[2 * token + 1]) }

    /// Visits the groups between common boundaries.
    func forEachGroup(_ body: (TokenGroup) -> Void) {
        student.offsets.withUnsafeBufferPointer { student in
            teacher.offsets.withUnsafeBufferPointer { teacher in
                var groups = TokenGroups(student: student, teacher: teacher)
                while let group = groups.next() { body(group) }
            }
        }
    }
}
