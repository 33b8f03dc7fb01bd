// How much two vocabularies have in common: as their files write them, with one sign for the space, and by bytes.

/// Strings that two vocabularies have in common, counted in three ways.
///
/// Most of what two vocabularies seem not to share they only write differently: "▁the" and "Ġthe" are both " the".
public struct VocabularyOverlap {
    /// Distinct strings of either side and of both.
    public struct Count: Equatable, Sendable {
        public var common: Int
        public var student: Int
        public var teacher: Int

        public init(common: Int, student: Int, teacher: Int) {
            (self.common, self.student, self.teacher) = (common, student, teacher)
        }

        public var shareOfStudent: Double { student == 0 ? 0 : Double(common) / Double(student) }
        public var shareOfTeacher: Double { teacher == 0 ? 0 : Double(common) / Double(teacher) }
    }

    /// As the files write them, special tokens included.
    public let raw: Count
    /// The same with "Ġ" read as "▁", in parts of what is written.
    public let respelled: Count
    /// The bytes that the entries stand for, special tokens left out.
    public let bytes: Count
    /// Ids of the student that stand for bytes, and those whose bytes the teacher has: a string can have several.
    public let studentIDs: Int
    public let commonStudentIDs: Int
    /// The ids of byte-identical entries, the student's ascending; for strings with several ids see `ByteEntries`.
    public let pairs: [(student: UInt32, teacher: UInt32)]

    /// Cost: about a microsecond an entry.
    public init(student: Tokenizer, teacher: Tokenizer) {
        raw = Self.count(Self.spellings(student), Self.spellings(teacher))
        var respelled = Self.count(Self.spellings(student, respelling), Self.spellings(teacher, respelling))
        (respelled.student, respelled.teacher) = (raw.student, raw.teacher)
        self.respelled = respelled
        let (mine, its) = (ByteEntries(student), ByteEntries(teacher))
        let common = mine.common(with: its)
        bytes = Count(common: common.strings, student: mine.count, teacher: its.count)
        studentIDs = mine.idCount
        commonStudentIDs = common.ids
        pairs = common.pairs.map { ($0.mine, $0.its) }
    }

    private static func spellings(_ tokenizer: Tokenizer, _ change: ([UInt8]) -> [UInt8] = { $0 }) -> DistinctStrings {
        let strings = DistinctStrings(capacity: tokenizer.vocabularySize)
        for id in 0..<UInt32(tokenizer.vocabularySize) {
            let spelling = tokenizer.spelling(of: id)
            if !spelling.isEmpty { strings.insert(change(spelling), id: id, isFallback: false) }
        }
        return strings
    }

    private static func count(_ student: DistinctStrings, _ teacher: DistinctStrings) -> Count {
        let common = (0..<student.count).count { teacher.place(of: student.bytes($0)) != nil }
        return Count(common: common, student: student.count, teacher: teacher.count)
    }
}

/// "Ġ" (C4 A0) becomes "▁" (E2 96 81).
private func respelling(_ spelling: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var at = 0
    while at < spelling.count {
        if spelling[at] == 0xC4, at + 1 < spelling.count, spelling[at + 1] == 0xA0 {
            result += PieceTables.boundary
            at += 2
        } else {
            result.append(spelling[at])
            at += 1
        }
    }
    return result
}
