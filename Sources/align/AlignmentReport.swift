// --report: how well two vocabularies cut the same text.

import Streams
import Text

/// One teacher's line.
func reportLine(_ teacher: TeacherAlignment, documents: Int) -> [UInt8] {
    let statistics = teacher.statistics
    var line = JSONText()
    line.beginObject()
    line.member("documents", documents)
    line.member("student_tokens", statistics.tokens)
    line.member("teacher_tokens", teacher.tokens)
    line.member("mapped_tokens", statistics.mapped)
    line.member("unmapped_tokens", statistics.unmapped)
    line.member("straddling_tokens", statistics.straddling)
    line.member("share_inside_one_teacher_token", statistics.shareInsideOne)
    line.member("share_identical_span", statistics.shareIdentical)
    line.member("mean_intersection_over_union", statistics.meanIntersectionOverUnion)
    line.endObject()
    line.newline()
    return line.bytes
}
