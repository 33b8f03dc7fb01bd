// --overlap: what two vocabularies have in common, as lines or as a table, and the map of byte-identical ids as a file.

import Command
import Streams
import Text

/// The comparison of two vocabularies.
struct OverlapReport {
    private let student: Tokenizer
    private let teacher: Tokenizer
    private let overlap: VocabularyOverlap

    init(student: String, teacher: String) throws {
        self.student = try Tokenizer.load(student)
        self.teacher = try Tokenizer.load(teacher)
        overlap = VocabularyOverlap(student: self.student, teacher: self.teacher)
    }

    private var counts: [(name: String, title: String, count: VocabularyOverlap.Count)] {
        [
            ("raw", "as written", overlap.raw), ("respelled", "\u{120} read as \u{2581}", overlap.respelled),
            ("bytes", "by bytes", overlap.bytes),
        ]
    }

    /// A line for each comparison.
    var lines: [UInt8] {
        var line = JSONText()
        for (name, _, count) in counts {
            line.beginObject()
            line.member("comparison", name)
            line.member("common", count.common)
            line.member("student_strings", count.student)
            line.member("teacher_strings", count.teacher)
            line.member("share_of_student", count.shareOfStudent)
            line.member("share_of_teacher", count.shareOfTeacher)
            if name == "bytes" {
                line.member("student_ids", overlap.studentIDs)
                line.member("common_student_ids", overlap.commonStudentIDs)
            }
            line.endObject()
            line.newline()
        }
        return line.bytes
    }

    var table: String {
        var table = TextTable()
        table.add(["", "common", "student's", "teacher's", "of student's", "of teacher's"])
        for (_, title, count) in counts {
            table.add([
                title, grouped(count.common), grouped(count.student), grouped(count.teacher), percent(count.shareOfStudent),
                percent(count.shareOfTeacher),
            ])
        }
        return table.text
    }

    /// Writes the ids of byte-identical entries: `student_ids` and `teacher_ids`, both U32 (n), the student's ascending.
    func writeMap(_ output: ByteOutput) throws {
        let metadata = [
            ("format", "preceptor-vocabulary-map"), ("version", "1"), ("student_vocabulary_sha256", student.vocabularySHA256),
            ("student_vocabulary_size", String(student.vocabularySize)), ("teacher_vocabulary_sha256", teacher.vocabularySHA256),
            ("teacher_vocabulary_size", String(teacher.vocabularySize)),
        ]
        let count = overlap.pairs.count
        let writer = try SafetensorsWriter(
            output, metadata: metadata, tensors: [("student_ids", .u32, [count]), ("teacher_ids", .u32, [count])])
        try overlap.pairs.map(\.student).withUnsafeBytes(writer.write)
        try overlap.pairs.map(\.teacher).withUnsafeBytes(writer.write)
        try writer.finish()
    }
}

/// 0.0632 as "6.32 %".
func percent(_ share: Double) -> String { decimals(100 * share, 2) + " %" }
