// Token-level lexical alignment: which of the teacher's tokens cover a student's token, by bytes, in one sweep.

/// Maps every student token to the shortest run of teacher tokens that covers its bytes, and counts how well they fit.
///
///     student i = [s, e)     teacher j = [a_j, b_j)
///     lo = max { j : a_j <= s }     hi = min { j : b_j >= e }     range(i) = lo ..< hi + 1
///
/// - student, teacher: spans of one document, two bytes offsets a token, half-open, beginning in order. A student span that ends before
///   one in front of it ended is taken to end there, so that `lo` and `hi` never decrease.
/// - ranges: two indices a student token are appended, half-open; `0, 0` for an unmapped one.
/// - Unmapped are student tokens with an empty span (BOS, EOS, a lone dummy prefix), and those that begin before the teacher's first
///   byte or end after its last.
/// - The teacher's tokens with empty spans are never `lo` or `hi`, so adding BOS or EOS to either side changes no map.
/// - At a gap between the teacher's spans (bytes that its vocabulary cannot express) the formula holds as it stands: a student
///   token that begins in the gap takes the teacher token in front of the gap along, one that ends in it the token behind it.
/// - Where teacher spans overlap (several tokens for one byte), `lo` can lie behind `hi`: then the range is all of `hi ... lo`.
/// - Cost: O(N + M), no allocation but the growth of `ranges`.
/// - Source: VocAgnoLM, arXiv 2503.19123, which bisects twice for each token; over bytes instead of characters.
public func alignRanges(
    student: UnsafeBufferPointer<UInt32>, teacher: UnsafeBufferPointer<UInt32>, into ranges: inout [UInt32],
    counting statistics: inout AlignmentStatistics
) {
    precondition(student.count % 2 == 0 && teacher.count % 2 == 0, "bug: offsets come in pairs")
    let teachers = teacher.count / 2
    let first = ranges.count
    ranges.append(contentsOf: repeatElement(0, count: student.count))
    var counts = statistics
    ranges.withUnsafeMutableBufferPointer { ranges in
        var lo = -1  // the last token with bytes that begins at or before s
        var hi = 0  // the first token with bytes that ends at or after e
        var next = 0
        var reach: UInt32 = 0
        for i in 0..<student.count / 2 {
            let s = student[2 &* i]
            let e = student[2 &* i &+ 1]
            guard s < e else {
                counts.countUnmapped(hasBytes: false)
                continue
            }
            reach = max(reach, e)
            while next < teachers, teacher[2 &* next] <= s {
                if teacher[2 &* next] < teacher[2 &* next &+ 1] { lo = next }
                next &+= 1
            }
            while hi < teachers, teacher[2 &* hi &+ 1] < reach || teacher[2 &* hi] == teacher[2 &* hi &+ 1] { hi &+= 1 }
            guard lo >= 0, hi < teachers else {
                counts.countUnmapped(hasBytes: true)
                continue
            }
            let low = min(lo, hi)
            let high = max(lo, hi)
            ranges[first &+ 2 &* i] = UInt32(truncatingIfNeeded: low)
            ranges[first &+ 2 &* i &+ 1] = UInt32(truncatingIfNeeded: high &+ 1)
            counts.count(span: s..<e, cover: teacher[2 &* low]..<max(teacher[2 &* high &+ 1], e), tokens: high &+ 1 &- low)
        }
    }
    statistics = counts
}

/// The same over arrays, without statistics: the appended ranges.
public func alignRanges(student: [UInt32], teacher: [UInt32]) -> [UInt32] {
    var ranges: [UInt32] = []
    var statistics = AlignmentStatistics()
    student.withUnsafeBufferPointer { student in
        teacher.withUnsafeBufferPointer { alignRanges(student: student, teacher: $0, into: &ranges, counting: &statistics) }
    }
    return ranges
}
