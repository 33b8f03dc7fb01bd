// Normalisers give the text that the tokenizers package gives, and origins that follow their definition.
import Streams
import TestSupport
import XCTest

@testable import Text

final class NormaliserTests: XCTestCase {
    private struct NoRegex: Error {}

    private func normaliser(_ json: JSONValue) throws -> Normaliser {
        try Normaliser(json: json, name: "t.json") { _ in throw NoRegex() }
    }

    private func normaliser(_ json: String) throws -> Normaliser {
        try normaliser(JSONValue.parse(Array(json.utf8), name: "t.json"))
    }

    private func rewritten(_ text: [UInt8], _ normaliser: Normaliser) -> RewrittenText {
        var result = text.withUnsafeBytes { RewrittenText($0, 0..<text.count) }
        normaliser.apply(&result)
        return result
    }

    /// Origins grow from left to right, lie in the text, and are those of the text itself where nothing changed.
    private func checkOrigins(_ result: RewrittenText, of text: [UInt8], _ title: String) {
        XCTAssertEqual(result.starts.count, result.count, title)
        XCTAssertEqual(result.ends.count, result.count, title)
        for at in 0..<result.count {
            XCTAssertLessThanOrEqual(result.starts[at], result.ends[at], title)
            XCTAssertLessThanOrEqual(result.ends[at], UInt32(text.count), title)
            if at > 0 {
                XCTAssertLessThanOrEqual(result.starts[at - 1], result.starts[at], title)
                XCTAssertLessThanOrEqual(result.ends[at - 1], result.ends[at], title)
            }
        }
        if result.bytes == text { XCTAssertEqual(result, text.withUnsafeBytes { RewrittenText($0, 0..<text.count) }, title) }
    }

    func testTextsAreThoseOfThePeer() throws {
        let lines = try records("normalised.ndjson")
        let texts = lines[0]["texts"]!.elements.map { $0.bytes! }
        XCTAssertGreaterThan(texts.count, 250)
        var seen = 0
        for line in lines.dropFirst() {
            let normaliser = try normaliser(line["normalizer"]!)
            for (at, text) in texts.enumerated() {
                let expected = line["results"]![at].bytes ?? text
                let title = "\(line["normalizer"]!["type"]!.string!) of '\(printable(text, limit: 200))'"
                let result = rewritten(text, normaliser)
                XCTAssertEqual(result.bytes, expected, title)
                checkOrigins(result, of: text, title)
                if text.withUnsafeBytes({ normaliser.leavesAlone($0) }) { XCTAssertEqual(expected, text, title) }
                guard let spans = line["spans"]?[at], spans.count > 0 else { continue }
                let found = (0..<result.count).flatMap { [result.starts[$0], result.ends[$0]] }
                XCTAssertEqual(found, integers(spans), title)
                seen += 1
            }
        }
        XCTAssertEqual(lines.count, 22)
        XCTAssertGreaterThan(seen, 400)
    }

    /// The quick check may err only on one side, and not on text that is in the form already.
    func testTextInItsFormIsLeftAlone() throws {
        let texts = [
            "plain ASCII, longer than thirty-two bytes, so that whole blocks are passed", "Việt Nam, été, größer", "漢字かな交じり文", "한국어",
        ]
        for form in [NormalForm.nfc, .nfkc] {
            for text in texts { XCTAssertTrue(Array(text.utf8).withUnsafeBytes { form.leavesAlone($0) }, text) }
        }
        XCTAssertFalse(Array("e\u{301}".utf8).withUnsafeBytes { NormalForm.nfc.leavesAlone($0) })
        XCTAssertFalse(Array("한".utf8).withUnsafeBytes { NormalForm.nfd.leavesAlone($0) })
        XCTAssertFalse(Array("plain text of more than thirty-two bytes, then ﬁ".utf8).withUnsafeBytes { NormalForm.nfkc.leavesAlone($0) })
    }

    /// Every step takes the origins of the step before it.
    func testOriginsPassThroughSteps() throws {
        let steps = try normaliser(
            #"{"type":"Sequence","normalizers":[{"type":"NFD"},{"type":"StripAccents"},{"type":"Replace","pattern":{"String":"ea"},"content":"-"}]}"#
        )
        let text = Array("xéay".utf8)
        let result = rewritten(text, steps)
        XCTAssertEqual(result.bytes, Array("x-y".utf8))
        XCTAssertEqual(result.starts, [0, 1, 4])
        XCTAssertEqual(result.ends, [1, 4, 5])
    }

    /// A megabyte of marks on one letter: sorted, not shifted one by one.
    func testManyMarksTakeNoSquareTime() {
        let marks: [[UInt8]] = [[0xCC, 0x81], [0xCC, 0xA3], [0xCC, 0x96], [0xCC, 0xB4]]
        let text = [UInt8(ascii: "a")] + (0..<500_000).flatMap { marks[$0 &* 7919 % 4] }
        let result = rewritten(text, .form(.nfc))
        XCTAssertEqual(result.count, text.count - 3 + 2)
        checkOrigins(rewritten(Array(text.prefix(101)), .form(.nfd)), of: Array(text.prefix(101)), "marks")
    }

    func testMalformedNormalisersAreRefused() throws {
        let cases = [
            (#""NFC""#, "normalizer: no object with a 'type'"), (#"{"type":"NFX"}"#, "normaliser 'NFX' is not known"),
            (#"{"type":"NFC","form":1}"#, "normaliser 'NFC': field 'form' is not known"),
            (#"{"type":"Strip","strip_left":true}"#, "normaliser 'Strip': 'strip_right' is missing"),
            (#"{"type":"Strip","strip_left":1,"strip_right":true}"#, "normaliser 'Strip': 'strip_left' is not true or false"),
            (#"{"type":"Prepend","prepend":null}"#, "normaliser 'Prepend': 'prepend' is not a string"),
            (#"{"type":"Replace","pattern":"a","content":"b"}"#, "normaliser 'Replace': 'pattern' is not an object"),
            (
                #"{"type":"Replace","pattern":{"Glob":"a"},"content":"b"}"#,
                "normaliser 'Replace': 'pattern' is neither a String nor a Regex"
            ),
            (#"{"type":"Sequence","normalizers":{}}"#, "normaliser 'Sequence': 'normalizers' is not a list"),
            (#"{"type":"Precompiled","precompiled_charsmap":"A"}"#, "normalizer: 'precompiled_charsmap' is not base64"),
            (
                #"{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":3,"lowercase":true}"#,
                "normaliser 'BertNormalizer': 'strip_accents' is not true or false"
            ),
        ]
        for (json, message) in cases {
            XCTAssertThrowsError(try normaliser(json), json) {
                XCTAssertEqual($0 as? Failure, Failure(.badData, "t.json", .whole, message), json)
            }
        }
        func nested(_ depth: Int) -> String {
            String(repeating: #"{"type":"Sequence","normalizers":["#, count: depth) + String(repeating: "]}", count: depth)
        }
        XCTAssertNoThrow(try normaliser(nested(100)))
        XCTAssertThrowsError(try normaliser(nested(101))) { XCTAssertTrue("\($0)".contains("nested deeper than 100"), "\($0)") }
        XCTAssertThrowsError(try normaliser(#"{"type":"Replace","pattern":{"Regex":"a+"},"content":"b"}"#)) { XCTAssertTrue($0 is NoRegex) }
    }
}
