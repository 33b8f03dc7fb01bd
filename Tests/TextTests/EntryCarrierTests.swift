// The teacher's lists of tokens as lists of the student's.
import Foundation
import Streams
import TestSupport
import Text
import XCTest

final class EntryCarrierTests: XCTestCase {
    private func load(_ name: String) throws -> Tokenizer {
        try Tokenizer.load(fixture("../vocabularies/\(name)"))
    }

    /// Tokens of a text, and lists for the teacher's in which each entry is a string with its probability.
    private func carry(_ text: String, _ student: Tokenizer, _ teacher: Tokenizer, _ lists: [[(UInt32, Float)]])
        -> (carried: TokenEntries, lost: [Float])
    {
        let (mine, its) = (student.tokens(text), teacher.tokens(text))
        XCTAssertEqual(its.ids.count, lists.count, "the test's lists do not fit the tokens")
        var column = TokenEntries()
        column.endToken()  // another document's token in front
        for list in lists {
            for (id, p) in list { column.append(id: id, value: Float(Float16(Float.log(p)))) }
            column.endToken()
        }
        var carried = TokenEntries()
        var lost: [Float] = []
        var carrier = EntryCarrier(student: student, teacher: teacher)
        mine.offsets.withUnsafeBufferPointer { mineOffsets in
            mine.ids.withUnsafeBufferPointer { mineIDs in
                its.offsets.withUnsafeBufferPointer { itsOffsets in
                    its.ids.withUnsafeBufferPointer { itsIDs in
                        carrier.carry(
                            student: EntryCarrier.Side(offsets: mineOffsets, ids: mineIDs),
                            teacher: EntryCarrier.Side(offsets: itsOffsets, ids: itsIDs), column, first: 1, into: &carried, lost: &lost)
                    }
                }
            }
        }
        XCTAssertEqual(carried.tokenCount, mine.ids.count)
        XCTAssertEqual(lost.count, mine.ids.count)
        return (carried, lost)
    }

    func testByBytes() throws {
        let (student, teacher) = try (load("student"), load("teacher"))
        func id(_ text: String) -> UInt32 { teacher.tokens(text).ids[0] }
        func mine(_ text: String) -> UInt32 { student.tokens(text).ids[0] }
        // "thing": the student has th|in|g, the teacher t|h|ing.
        XCTAssertEqual(student.tokens("thing").offsets, [0, 2, 2, 4, 4, 5])
        XCTAssertEqual(teacher.tokens("thing").offsets, [0, 1, 1, 2, 2, 5])
        let (carried, lost) = carry(
            "thing", student, teacher,
            [[(id("the"), 0.5), (id("t"), 0.25)], [(id("h"), 1)], [(id("ing"), 0.5), (id("in"), 0.25), (id("i"), 0.125)]])
        // At 0 "the" has no token of the student's; at 2 "in" and "i" have; at 4 no token of the teacher begins.
        XCTAssertEqual(carried.splits, [0, 1, 3, 3])
        XCTAssertEqual(carried.ids, [mine("t"), mine("in"), mine("i")])
        XCTAssertEqual(carried.values, [0.25, 0.25, 0.125].map { Float(Float16(Float.log($0))) })
        XCTAssertEqual(lost[0], 0.5, accuracy: 1e-3)
        XCTAssertEqual(lost[1], 0.5, accuracy: 1e-3)
        XCTAssertTrue(lost[2].isNaN)
    }

    func testNothingIsCarriedWithoutAList() throws {
        let (student, teacher) = try (load("student"), load("teacher"))
        let (carried, lost) = carry("at", student, teacher, [[]])
        XCTAssertEqual(carried.splits, [0, 0, 0])
        XCTAssertTrue(lost.allSatisfy(\.isNaN))
    }

    /// Behind Mistral's dummy prefix the first token is "▁The": what the teacher says of "The" is nothing of " The".
    func testPrefixIsSkipped() throws {
        let student = try Tokenizer.load(asset("mistral-v1.model"))
        let teacher = try Tokenizer.load(asset("smollm2.gguf"))
        let its = teacher.tokens("The cat sat")
        let (carried, lost) = carry("The cat sat", student, teacher, its.ids.map { [($0, Float(0.75))] })
        let mine = student.tokens("The cat sat")
        XCTAssertEqual(mine.offsets, its.offsets, "the test needs one token a word on both sides")
        XCTAssertEqual(carried.splits, [0, 0, 1, 2])
        XCTAssertEqual(carried.ids, Array(mine.ids[1...]))
        XCTAssertEqual(lost.map { $0.description }, ["nan", "0.0", "0.0"])
    }

    /// Mistral's "A" and <0x41> are one string: their probabilities are added under the piece's id, and the order holds.
    func testIDsOfOneStringAreAdded() throws {
        let mistral = try Tokenizer.load(asset("mistral-v1.model"))
        let smollm2 = try Tokenizer.load(asset("smollm2.gguf"))
        func id(_ spelling: String) throws -> UInt32 {
            try XCTUnwrap((0..<UInt32(32_000)).first { mistral.spelling(of: $0) == Array(spelling.utf8) })
        }
        let text = "x A"
        let count = mistral.tokens(text).ids.count
        var lists = [[(UInt32, Float)]](repeating: [], count: count)
        lists[count - 1] = try [(id("b"), 0.375), (id("A"), 0.25), (id("<0x41>"), 0.25), (id("</s>"), 0.0625), (32_000, 0.0625)]
        let (carried, lost) = carry(text, smollm2, mistral, lists)
        XCTAssertEqual(smollm2.tokens(text).offsets.suffix(2), mistral.tokens(text).offsets.suffix(2))
        XCTAssertEqual(carried.ids, [smollm2.tokens("A").ids[0], smollm2.tokens("b").ids[0]])
        XCTAssertEqual(carried.values[0], Float.log(0.5), accuracy: 1e-3)
        XCTAssertEqual(try XCTUnwrap(lost.last), 0.125, accuracy: 1e-3)
    }
}

extension Float {
    fileprivate static func log(_ p: Float) -> Float { Foundation.log(p) }
}
