// Groups of tokens between boundaries that both sequences have: the smallest stretches of text that both cut out whole.

/// One group: the tokens of both sequences whose bytes overlap, directly or through others.
public struct TokenGroup: Equatable, Sendable {
    /// The student's tokens, as positions in the document; empty where only the teacher has tokens for the bytes.
    public var student: Range<Int>
    /// The teacher's; empty where it has none.
    public var teacher: Range<Int>
    /// Their bytes.
    public var bytes: Range<UInt32>
}

/// Walks the groups of a document in the order of its bytes.
///
/// Where both sequences tile the text, a group ends at every byte where a token of each ends: the groups that tokenkit and TRL distil
/// over. Bytes that one side has no token for make a group with tokens of the other side alone. Tokens without bytes are in no group; they
/// may lie between the tokens of one.
///
/// Cost: O(N + M), no allocation.
public struct TokenGroups {
    private let student: UnsafeBufferPointer<UInt32>
    private let teacher: UnsafeBufferPointer<UInt32>
    private var i = 0
    private var j = 0

    /// - student, teacher: spans of one document, two byte offsets a token, half-open, beginning in order; valid as long as this lives.
    public init(student: UnsafeBufferPointer<UInt32>, teacher: UnsafeBufferPointer<UInt32>) {
        precondition(student.count % 2 == 0 && teacher.count % 2 == 0, "bug: offsets come in pairs")
        self.student = student
        self.teacher = teacher
    }

    /// The next group; nil behind the last.
    public mutating func next() -> TokenGroup? {
        Self.skipEmpty(student, &i)
        Self.skipEmpty(teacher, &j)
        let begin = min(Self.begin(student, i), Self.begin(teacher, j))
        guard begin < .max else { return nil }
        // One byte, which takes in the tokens that begin with it, those that overlap them, and so on.
        var end = UInt64(begin) + 1
        var group = TokenGroup(student: i..<i, teacher: j..<j, bytes: begin..<begin)
        while Self.absorb(student, &i, &group.student, &end) || Self.absorb(teacher, &j, &group.teacher, &end) {}
        group.bytes = begin..<UInt32(end)
        return group
    }

    private static func begin(_ spans: UnsafeBufferPointer<UInt32>, _ token: Int) -> UInt32 {
        2 * token < spans.count ? spans[2 * token] : .max
    }

    private static func skipEmpty(_ spans: UnsafeBufferPointer<UInt32>, _ token: inout Int) {
        while 2 * token < spans.count, spans[2 * token] >= spans[2 * token + 1] { token += 1 }
    }

    /// Takes the tokens that begin before `end`, which may move it; whether there were any.
    private static func absorb(
        _ spans: UnsafeBufferPointer<UInt32>, _ token: inout Int, _ taken: inout Range<Int>, _ end: inout UInt64
    ) -> Bool {
        let first = token
        while 2 * token < spans.count, UInt64(spans[2 * token]) < end {
            if spans[2 * token] < spans[2 * token + 1] {
                taken = (taken.isEmpty ? token : taken.lowerBound)..<token + 1
                end = max(end, UInt64(spans[2 * token + 1]))
            }
            token += 1
        }
        return token > first
    }
}

/// Stands for "in no group" among group numbers: of tokens without bytes.
public let noGroup = UInt32.max

/// Numbers the groups of a document and adds up what the teacher says of each.
///
///     groups(i) = the number of token i's group among those with tokens of the student, from 0
///     sum at the last token of a group = Σ of logProbs over the group's tokens of the teacher
///
/// - student, teacher: as for `TokenGroups`. - logProbs: natural log p of each of the teacher's tokens, or nil.
/// - groups, sums: one entry a token of the student is appended; `noGroup` for tokens without bytes. A sum is NaN at all tokens but the
///   last of a group, and there where the teacher has no token in the group or one without a log-probability. Without `logProbs`
///   nothing is appended to `sums`.
public func appendGroups(
    student: UnsafeBufferPointer<UInt32>, teacher: UnsafeBufferPointer<UInt32>, logProbs: UnsafeBufferPointer<Float>?,
    into groups: inout [UInt32], _ sums: inout [Float]
) {
    let first = groups.count
    let tokens = student.count / 2
    groups.append(contentsOf: repeatElement(noGroup, count: tokens))
    let firstSum = sums.count
    if logProbs != nil { sums.append(contentsOf: repeatElement(.nan, count: tokens)) }
    var walk = TokenGroups(student: student, teacher: teacher)
    var number: UInt32 = 0
    while let group = walk.next() {
        guard !group.student.isEmpty else { continue }
        for token in group.student where student[2 * token] < student[2 * token + 1] { groups[first + token] = number }
        number += 1
        guard let logProbs, !group.teacher.isEmpty else { continue }
        var sum = 0.0
        for token in group.teacher where teacher[2 * token] < teacher[2 * token + 1] { sum += Double(logProbs[token]) }
        sums[firstSum + group.student.upperBound - 1] = Float(sum)
    }
}
