// Tokens made text again, against tokenizers and sentencepiece: Tests/oracles/tokens_decoded.py.
import Streams
import TestSupport
import Text
import XCTest

final class DecodingTests: XCTestCase {
    func testTextIsThatOfThePeer() throws {
        var tokenizers: [String: Tokenizer] = [:]
        for record in try records("decoded.ndjson") {
            let file = try XCTUnwrap(record["file"]?.string)
            if tokenizers[file] == nil { tokenizers[file] = try Tokenizer.load(fixture(file)) }
            let ids = integers(try XCTUnwrap(record["ids"]))
            let text = try XCTUnwrap(tokenizers[file]).decode(ids)
            let expected = try XCTUnwrap(record["text"]?.bytes)
            XCTAssertEqual(text, expected, "\(file) \(ids): '\(printable(text))', expected '\(printable(expected))'")
        }
        XCTAssertEqual(tokenizers.count, 19)
    }

    /// In the middle of a text a space in front of the first token is the text's own.
    func testContinuing() throws {
        for file in ["branches/plain.model", "branches/legacy.json", "branches/byte-level.json"] {
            let tokenizer = try Tokenizer.load(fixture(file))
            let ids = tokenizer.tokens("a b").ids
            for cut in 0...ids.count {
                let head = try tokenizer.decode(Array(ids[..<cut]))
                let tail = try tokenizer.decode(Array(ids[cut...]), continuing: cut > 0)
                XCTAssertEqual(head + tail, try tokenizer.decode(ids), "\(file), cut at \(cut)")
            }
        }
    }

    func testBytesThatMakeUpNoCharacterStay() throws {
        for file in ["branches/byte-level.json", "branches/plain.model", "branches/legacy.json", "shapes/unigram-bytes.json"] {
            let tokenizer = try Tokenizer.load(fixture(file))
            let ids = tokenizer.tokens("\u{6F22}").ids
            XCTAssertEqual(try tokenizer.decode(ids), [0xE6, 0xBC, 0xA2], file)
            XCTAssertEqual(try tokenizer.decode(ids.dropLast()), [0xE6, 0xBC], file)
        }
    }
}
