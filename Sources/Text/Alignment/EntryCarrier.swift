// The teacher's most probable tokens as tokens of the student: by their bytes, where both may begin a token.

import Glibc
import Streams

/// Carries lists of the teacher's tokens over to the student's vocabulary.
///
/// A list says what may come at a byte of the text. It is carried to the student's token that begins there; its entries become the
/// student's tokens with the same bytes, and the mass of those that the student lacks is lost:
///
///     list(i) = { (id with the bytes of t, log p(t)) : t in the list of the teacher's token that begins where i does }
///     lost(i) = Σ p(t) over the t whose bytes are no token of the student
///
/// Skipped are tokens without bytes, those that begin where no token of the teacher does, and those where either side's token stands for
/// other bytes than its span has: behind a dummy prefix " the" would stand for "the", and so would all that might come in its place.
public struct EntryCarrier: Sendable {
    /// The student's id with the bytes of each of the teacher's, `ByteEntries.absent` where there is none.
    private let ids: [UInt32]
    /// Whether several of the teacher's ids become the same one.
    private let isShared: [Bool]
    private let studentLengths: [UInt32]
    private let teacherLengths: [UInt32]
    private var kept: [(id: UInt32, value: Float)] = []

    public init(student: Tokenizer, teacher: Tokenizer) {
        let entries = ByteEntries(student)
        let ids = entries.ids(of: teacher)
        var counts = [UInt32](repeating: 0, count: entries.size)
        for id in ids where id != ByteEntries.absent { counts[Int(id)] += 1 }
        self.ids = ids
        isShared = ids.map { $0 != ByteEntries.absent && counts[Int($0)] > 1 }
        studentLengths = entries.lengths
        teacherLengths = ByteEntries.lengths(of: teacher)
    }

    public var studentSize: Int { studentLengths.count }
    public var teacherSize: Int { teacherLengths.count }

    /// The tokens of one document: spans, ids, and where they are in a column of lists.
    public struct Side {
        let offsets: UnsafeBufferPointer<UInt32>
        let ids: UnsafeBufferPointer<UInt32>

        /// - offsets: two byte offsets a token, beginning in order. - ids: below the size of the vocabulary.
        public init(offsets: UnsafeBufferPointer<UInt32>, ids: UnsafeBufferPointer<UInt32>) {
            precondition(offsets.count == 2 * ids.count, "bug: offsets come in pairs")
            self.offsets = offsets
            self.ids = ids
        }

        @inline(__always)
        fileprivate func length(_ token: Int) -> UInt32 { offsets[2 * token + 1] - offsets[2 * token] }
    }

    /// Appends one list and one lost mass for each of the student's tokens of a document; an empty list and NaN where nothing is carried.
    ///
    /// - lists: the teacher's column; those of the document begin with token `first`. Ids past the teacher's vocabulary are lost.
    /// - carried: natural log p, falling, of what fits a float16. Of several ids that become one the probabilities are added.
    public mutating func carry(
        student: Side, teacher: Side, _ lists: TokenEntries, first: Int, into carried: inout TokenEntries, lost: inout [Float]
    ) {
        var j = 0
        for i in 0..<student.ids.count {
            let begin = student.offsets[2 * i]
            let length = student.length(i)
            while j < teacher.ids.count, teacher.offsets[2 * j] < begin || teacher.length(j) == 0 { j += 1 }
            guard length > 0, j < teacher.ids.count, teacher.offsets[2 * j] == begin,
                studentLengths[Int(student.ids[i])] == length, teacherLengths[Int(teacher.ids[j])] == teacher.length(j),
                !lists.entries(of: first + j).isEmpty
            else {
                carried.endToken()
                lost.append(.nan)
                continue
            }
            lost.append(carry(lists, lists.entries(of: first + j), into: &carried))
            carried.endToken()
        }
    }

    /// One list; the mass that is lost.
    private mutating func carry(_ lists: TokenEntries, _ range: Range<Int>, into carried: inout TokenEntries) -> Float {
        kept.removeAll(keepingCapacity: true)
        var lost = 0.0
        var merged = false
        for entry in range {
            let its = Int(lists.ids[entry])
            // Models have rows past their vocabulary, to round its size: no token, and so no home.
            let (id, value) = (its < ids.count ? ids[its] : ByteEntries.absent, lists.values[entry])
            if id == ByteEntries.absent {
                lost += exp(Double(value))
            } else if isShared[its], let known = kept.firstIndex(where: { $0.id == id }) {
                kept[known].value = Float(log(exp(Double(kept[known].value)) + exp(Double(value))))
                merged = true
            } else {
                kept.append((id, value))
            }
        }
        if merged { kept.sort { ($1.value, $0.id) < ($0.value, $1.id) } }
        for entry in kept { carried.append(id: entry.id, value: Float(Float16(entry.value))) }
        return Float(lost)
    }
}
