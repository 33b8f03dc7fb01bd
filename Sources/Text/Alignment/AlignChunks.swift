// Chunk alignment: both token sequences in the same number of chunks. The paper's baseline, for ablations.

/// Maps every student token to all teacher tokens of the chunk that has its chunk's number.
///
///     chunk c of n tokens = tokens ⌊c·n/C⌋ ..< ⌊(c+1)·n/C⌋,   c = 0 ..< C
///
/// - student, teacher: spans of one document as for `alignRanges`, which has the same ranges for C without bound and one vocabulary.
/// - chunks: C, at least 1. Tokens without bytes are not counted, and those of the student unmapped; so are tokens whose chunk has no
///   tokens of the teacher, where C passes its tokens.
/// - Cost: O(N + M). Source: VocAgnoLM, arXiv 2503.19123.
public func alignChunks(
    student: UnsafeBufferPointer<UInt32>, teacher: UnsafeBufferPointer<UInt32>, chunks: Int, into ranges: inout [UInt32],
    counting statistics: inout AlignmentStatistics
) {
    precondition(chunks > 0 && chunks < 1 << 31, "bug: \(chunks) chunks")
    let mine = countWithBytes(student)
    var begin = TokenWalk(teacher)
    var end = TokenWalk(teacher)
    let its = countWithBytes(teacher)
    var seen = 0
    ranges.reserveCapacity(ranges.count + student.count)
    for i in 0..<student.count / 2 {
        let span = student[2 * i]..<max(student[2 * i], student[2 * i + 1])
        var range = 0..<0
        if !span.isEmpty {
            let chunk = ((seen + 1) * chunks - 1) / mine
            seen += 1
            begin.move(past: chunk * its / chunks)
            end.move(past: (chunk + 1) * its / chunks - 1)
            if chunk * its / chunks < (chunk + 1) * its / chunks { range = begin.token..<end.token + 1 }
        }
        ranges.append(UInt32(range.lowerBound))
        ranges.append(UInt32(range.upperBound))
        if range.isEmpty {
            statistics.countUnmapped(hasBytes: !span.isEmpty)
        } else {
            statistics.count(span: span, cover: teacher[2 * range.lowerBound]..<teacher[2 * range.upperBound - 1], tokens: range.count)
        }
    }
}

private func countWithBytes(_ spans: UnsafeBufferPointer<UInt32>) -> Int {
    (0..<spans.count / 2).count { spans[2 * $0] < spans[2 * $0 + 1] }
}

/// A place among the tokens that have bytes, which only moves on.
private struct TokenWalk {
    private let spans: UnsafeBufferPointer<UInt32>
    /// The token's position, and how many with bytes are in front of it; -1 before the first.
    private(set) var token = -1
    private var number = -1

    init(_ spans: UnsafeBufferPointer<UInt32>) { self.spans = spans }

    /// Moves to the token with bytes that has so many such in front of it.
    mutating func move(past wanted: Int) {
        while number < wanted {
            token += 1
            if spans[2 * token] < spans[2 * token + 1] { number += 1 }
        }
    }
}
