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

    private func spans(_ record: JSONValue, _ key: String) -> [UInt32] {
        (record[key]?.elements ?? []).flatMap { span in span.elements.compactMap { $0.integer.map { UInt32($0) } } }
    }
}
