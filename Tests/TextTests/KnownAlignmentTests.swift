// Alignments of Llama-2's with Qwen2's tokens that were known before this code: spans by Tests/oracles/alignment_spans.py.
import Streams
import Text
import XCTest

final class KnownAlignmentTests: XCTestCase {
    /// For each text the teacher token of each student token; nil is unmapped.
    private let expected: [[Int?]] = [
        [0, 0, 0, 1, 2, 3, 4, 5],
        [0, 1, 2, 3, 4, 5, 5, 6],
        [nil, 0, 0, 1, 2, 3, 3, 3],
        [0, 1, 2, 3, 3, 4, 4, 5, 6, 6, 6, 6, 6],
        [0, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8],
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13],
    ]

    func testKnownAlignments() throws {
        let lines = try records("alignment.ndjson")
        XCTAssertEqual(lines.count, expected.count)
        for (record, expected) in zip(lines, expected) {
            let ranges = alignRanges(student: spans(record, "student"), teacher: spans(record, "teacher"))
            let text = record["text"]?.string ?? ""
            XCTAssertEqual(ranges.count, 2 * expected.count, text)
            for (token, known) in expected.enumerated() {
                let range = ranges[2 * token]..<ranges[2 * token + 1]
                XCTAssertEqual(
                    range, known.map { UInt32($0)..<UInt32($0 + 1) } ?? range.lowerBound..<range.lowerBound, "\(text), token \(token)")
                XCTAssertEqual(range.isEmpty, known == nil, "\(text), token \(token)")
            }
        }
    }

    /// The same from the texts on: the spans of the peers are those of our tokenizers.
    func testKnownSpans() throws {
        let student = try Tokenizer.load(asset("all/gguf-llama-spm/ggml-vocab-llama-spm.gguf"))
        let teacher = try Tokenizer.load(asset("all/qwen/qwen.tiktoken"))
        for record in try records("alignment.ndjson") {
            let text = try XCTUnwrap(record["text"]?.bytes)
            XCTAssertEqual(student.tokens(text).offsets, spans(record, "student"), printable(text))
            XCTAssertEqual(teacher.tokens(text).offsets, spans(record, "teacher"), printable(text))
        }
    }

    /// On English, Markdown and code about 97.5 % of Llama-2's tokens lie inside one of Qwen's, 63 % have its span, and the mean overlap
    /// is 0.81, as was measured on other texts with other programs.
    func testKnownShares() throws {
        let student = try Tokenizer.load(asset("all/gguf-llama-spm/ggml-vocab-llama-spm.gguf"))
        let teacher = try Tokenizer.load(asset("all/qwen/qwen.tiktoken"))
        var statistics = AlignmentStatistics()
        for name in ["LICENSE", "CONTRIBUTING.md", "docs/decisions/0004-offsets.md", "Tests/oracles/alignment_spans.py"] {
            let text = try contents(fixture("../../../\(name)"))
            let (mine, its) = (student.tokens(text).offsets, teacher.tokens(text).offsets)
            var ranges: [UInt32] = []
            mine.withUnsafeBufferPointer { mine in
                its.withUnsafeBufferPointer { alignRanges(student: mine, teacher: $0, into: &ranges, counting: &statistics) }
            }
        }
        XCTAssertGreaterThan(statistics.tokens, 5_000)
        XCTAssertEqual(statistics.shareInsideOne, 0.975, accuracy: 0.02)
        XCTAssertEqual(statistics.shareIdentical, 0.63, accuracy: 0.08)
        XCTAssertEqual(statistics.meanIntersectionOverUnion, 0.81, accuracy: 0.05)
    }

    private func spans(_ record: JSONValue, _ key: String) -> [UInt32] {
        (record[key]?.elements ?? []).flatMap { span in span.elements.compactMap { $0.integer.map { UInt32($0) } } }
    }
}
