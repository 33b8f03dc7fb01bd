// Overlaps of real vocabularies that were counted before this code, with sentencepiece's and tiktoken's own files, in Python.
import Text
import XCTest

final class VocabularyOverlapTests: XCTestCase {
    private func percent(_ share: Double) -> String { String(format: "%.2f", 100 * share) }

    func testLlama2AndQwen() throws {
        let llama = try Tokenizer.load(asset("all/gguf-llama-spm/ggml-vocab-llama-spm.gguf"))
        let qwen = try Tokenizer.load(asset("all/qwen/qwen.tiktoken"))
        let overlap = VocabularyOverlap(student: llama, teacher: qwen)
        XCTAssertEqual(overlap.raw, VocabularyOverlap.Count(common: 9_587, student: 32_000, teacher: 151_643))
        XCTAssertEqual(percent(overlap.raw.shareOfTeacher), "6.32")
        XCTAssertEqual(percent(overlap.raw.shareOfStudent), "29.96")
        XCTAssertEqual(overlap.respelled.common, 22_289)
        XCTAssertEqual(percent(overlap.respelled.shareOfTeacher), "14.70")
        XCTAssertEqual(percent(overlap.respelled.shareOfStudent), "69.65")
        XCTAssertEqual([overlap.bytes.common, overlap.bytes.teacher], [26_342, 151_643])
        XCTAssertEqual(percent(overlap.bytes.shareOfTeacher), "17.37")
        XCTAssertEqual([overlap.commonStudentIDs, overlap.studentIDs], [26_438, 31_997])
        XCTAssertEqual(overlap.pairs.count, 26_342)
        for pair in overlap.pairs { XCTAssertEqual(llama.bytes(of: pair.student), qwen.bytes(of: pair.teacher)) }
        XCTAssertTrue(zip(overlap.pairs, overlap.pairs.dropFirst()).allSatisfy { $0.student < $1.student })
        XCTAssertEqual(Set(overlap.pairs.map(\.teacher)).count, 26_342)
    }

    func testMistralAndQwen() throws {
        let overlap = try VocabularyOverlap(
            student: Tokenizer.load(asset("mistral-v1.model")), teacher: Tokenizer.load(asset("all/qwen/qwen.tiktoken")))
        XCTAssertEqual(overlap.raw.common, 10_566)
        XCTAssertEqual(percent(overlap.raw.shareOfTeacher), "6.97")
        XCTAssertEqual(overlap.bytes.common, 29_234)
        XCTAssertEqual(percent(overlap.bytes.shareOfTeacher), "19.28")
        XCTAssertEqual(overlap.commonStudentIDs, 29_359)
    }

    /// A vocabulary with itself: everything, but for special tokens.
    func testIdentity() throws {
        let tokenizer = try Tokenizer.load(asset("smollm2.gguf"))
        let overlap = VocabularyOverlap(student: tokenizer, teacher: tokenizer)
        XCTAssertEqual(overlap.raw.common, tokenizer.vocabularySize)
        XCTAssertEqual(overlap.bytes.common, overlap.bytes.student)
        XCTAssertTrue(overlap.pairs.allSatisfy { $0.student == $0.teacher })
        let specials = (0..<UInt32(tokenizer.vocabularySize)).count { tokenizer.isSpecial($0) }
        XCTAssertGreaterThan(specials, 2)
        XCTAssertEqual(overlap.studentIDs, tokenizer.vocabularySize - specials)
    }

    /// Llama's "A" is a piece of its own, and <0x41> only for texts that have no piece for it, which are none.
    func testAPieceStandsForItsByte() throws {
        let mistral = try Tokenizer.load(asset("mistral-v1.model"))
        let letter = try XCTUnwrap((0..<UInt32(32_000)).first { mistral.spelling(of: $0) == Array("A".utf8) })
        let fallback = try XCTUnwrap((0..<UInt32(32_000)).first { mistral.spelling(of: $0) == Array("<0x41>".utf8) })
        XCTAssertLessThan(fallback, letter)
        XCTAssertEqual(mistral.bytes(of: fallback), mistral.bytes(of: letter))
        let pairs = VocabularyOverlap(student: mistral, teacher: mistral).pairs
        XCTAssertTrue(pairs.contains { $0.student == letter && $0.teacher == letter })
        XCTAssertFalse(pairs.contains { $0.student == fallback })
    }

    func testSpellings() throws {
        let smollm2 = try Tokenizer.load(asset("smollm2.gguf"))
        let mistral = try Tokenizer.load(asset("mistral-v1.model"))
        XCTAssertTrue((0..<UInt32(32_000)).contains { mistral.spelling(of: $0) == Array("▁the".utf8) })
        XCTAssertTrue((0..<UInt32(49_152)).contains { smollm2.spelling(of: $0) == Array("Ġthe".utf8) })
        XCTAssertEqual(mistral.spelling(of: 0), Array("<unk>".utf8))
        XCTAssertEqual(mistral.spelling(of: 1), Array("<s>".utf8))
        XCTAssertEqual([0, 1, 2, 3].map { mistral.isSpecial($0) }, [true, true, true, false])
        XCTAssertEqual(smollm2.spelling(of: 1), Array("<|im_start|>".utf8))
        XCTAssertTrue(smollm2.isSpecial(1))
    }
}
