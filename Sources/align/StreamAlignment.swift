// Aligns two streams batch by batch: the student's batches come out, with the teacher's ranges and losses added.

import Command
import Streams
import Text

/// The student's batches in order, each document paired with the teacher's and aligned by bytes.
struct StreamAlignment {
    private let students: RecordReader
    private var teacher: DocumentCursor
    private let pairing: DocumentPairing
    private let aggregate: Aggregate
    /// Whether the teacher's stream has scores. Known after the first batch.
    private(set) var hasLosses = false
    /// Documents aligned, and the teacher's tokens in them.
    private(set) var documents = 0
    private(set) var teacherTokens = 0

    init(students: RecordReader, teachers: RecordReader, aggregate: Aggregate) {
        self.students = students
        self.teacher = DocumentCursor(teachers)
        self.pairing = DocumentPairing(studentName: students.name, teacherName: teachers.name)
        self.aggregate = aggregate
    }

    /// The student's fields, and the teacher's under names that begin with `teacher_`.
    func header(_ context: Context) -> StreamHeader {
        var header = StreamHeader(.aligned)
        for (key, value) in students.header.fields where key != "producer" { header[key] = value }
        for (key, value) in teacher.reader.header.fields where key != "producer" && key != "version" {
            header["teacher_" + key] = value
        }
        header["producer"] = context.producer
        header["aggregate"] = aggregate.rawValue
        return header
    }

    /// The next batch with `teacherRanges` and, where the teacher has scores, `teacherLosses`; nil at the end of both streams.
    mutating func next(counting statistics: inout AlignmentStatistics) throws -> RecordBatch? {
        guard var batch = try students.next() else {
            if try teacher.advance() { throw pairing.studentEnded(after: documents, before: teacher) }
            return nil
        }
        guard let offsets = batch.offsets else {
            throw Failure(
                .badData, students.name, students.lastPlace, "records without 'offsets' cannot be aligned",
                hint: "packed tokens have lost their text: align before packing")
        }
        var ranges: [UInt32] = []
        var losses: [Float] = []
        ranges.reserveCapacity(2 * batch.tokenCount)
        losses.reserveCapacity(batch.tokenCount)
        for document in 0..<batch.documentCount {
            guard try teacher.advance() else {
                throw pairing.teacherEnded(teacher, before: batch.documentIDs[document])
            }
            try pairing.check(batch, document, teacher)
            documents += 1
            teacherTokens += teacher.tokens.count
            try align(offsets, batch.tokens(of: document), into: &ranges, &losses, counting: &statistics)
        }
        batch.teacherRanges = ranges
        batch.teacherLosses = hasLosses ? losses : nil
        return batch
    }

    /// One document against the teacher's present one.
    private mutating func align(
        _ offsets: [UInt32], _ tokens: Range<Int>, into ranges: inout [UInt32], _ losses: inout [Float],
        counting statistics: inout AlignmentStatistics
    ) throws {
        guard let teacherOffsets = teacher.batch.offsets else {
            throw Failure(
                .badData, pairing.teacherName, teacher.reader.lastPlace, "records without 'offsets' cannot be aligned",
                hint: "make them with 'tokenize'")
        }
        let first = ranges.count
        let theirs = teacher.tokens
        offsets[2 * tokens.lowerBound..<2 * tokens.upperBound].withUnsafeBufferPointer { student in
            teacherOffsets[2 * theirs.lowerBound..<2 * theirs.upperBound].withUnsafeBufferPointer { spans in
                alignRanges(student: student, teacher: spans, into: &ranges, counting: &statistics)
            }
        }
        guard let logProbs = teacher.batch.logProbs else { return }
        hasLosses = true
        ranges[first...].withUnsafeBufferPointer { ranges in
            logProbs[theirs].withUnsafeBufferPointer { aggregateLosses(ranges: ranges, logProbs: $0, by: aggregate, into: &losses) }
        }
    }
}
