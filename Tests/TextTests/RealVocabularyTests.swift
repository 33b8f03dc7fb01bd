// Real vocabularies on texts that break tokenizers, against tokenizers and sentencepiece: Tests/oracles/tokens_expected.py.
import Foundation
import Streams
import TestSupport
import Text
import XCTest

final class RealVocabularyTests: XCTestCase {
    func testSmolLM2IsThatOfTokenizers() throws {
        let tokenizer = try Tokenizer.load(asset("smollm2.gguf"))
        XCTAssertEqual(tokenizer.vocabularySize, 49152)
        XCTAssertEqual([tokenizer.bosID, tokenizer.eosID], [1, 2])
        XCTAssertFalse(tokenizer.addsBOS || tokenizer.addsEOS)
        var texts = 0
        for record in try records("expected.ndjson") {
            let text = try XCTUnwrap(record["text"]?.bytes)
            let expected = try XCTUnwrap(record["smollm2"])
            // Twice: the second time every word may come out of the cache.
            for _ in 0..<2 {
                assertTokens(tokenizer.tokens(text), integers(expected[0]), integers(expected[1]), dropped: expected[2].integer!, text)
            }
            texts += 1
        }
        XCTAssertGreaterThan(texts, 300)
    }

    func testMistralIsThatOfSentencePiece() throws {
        let tokenizer = try Tokenizer.load(asset("mistral-v1.model"))
        XCTAssertEqual(tokenizer.vocabularySize, 32000)
        XCTAssertEqual([tokenizer.bosID, tokenizer.eosID], [1, 2])
        for record in try records("expected.ndjson") {
            let text = try XCTUnwrap(record["text"]?.bytes)
            let expected = try XCTUnwrap(record["mistral"])
            for _ in 0..<2 { assertTokens(tokenizer.tokens(text), integers(expected[0]), integers(expected[1]), text) }
        }
    }

    func testDecodingGivesTheTextBack() throws {
        let smollm2 = try Tokenizer.load(asset("smollm2.gguf"))
        let mistral = try Tokenizer.load(asset("mistral-v1.model"))
        for record in try records("expected.ndjson") {
            let text = try XCTUnwrap(record["text"]?.bytes)
            let mine = smollm2.tokens(text)
            if mine.droppedBytes == 0 { XCTAssertEqual(try smollm2.decode(mine.ids), text) }
            // ▁ in the text and a space are one and the same to sentencepiece.
            let written = String(decoding: text, as: UTF8.self).replacingOccurrences(of: "\u{2581}", with: " ")
            XCTAssertEqual(try mistral.decode(mistral.tokens(text).ids), Array(written.utf8))
        }
    }

    func testAddedTokensCanBeReadAsText() throws {
        let tokenizer = try Tokenizer.load(asset("smollm2.gguf"))
        tokenizer.recognisesAddedTokens = false
        let text = Array("<|im_start|>user".utf8)
        let tokens = tokenizer.tokens(text)
        XCTAssertGreaterThan(tokens.ids.count, 4)
        XCTAssertFalse(tokens.ids.contains(1))
        XCTAssertEqual(try tokenizer.decode(tokens.ids), text)
    }

    /// A word of a million letters, and a million spaces: many minutes if a merge cost the length of the word.
    func testLongWordsAreNotQuadratic() throws {
        for name in ["smollm2.gguf", "mistral-v1.model"] {
            let tokenizer = try Tokenizer.load(asset(name))
            for unit in ["a", " ", "\u{e9}", "ab", "="] {
                let text = Array(String(repeating: unit, count: 1_000_000 / unit.utf8.count).utf8)
                let tokens = tokenizer.tokens(text)
                XCTAssertEqual(tokens.offsets.last, UInt32(text.count))
                XCTAssertLessThan(tokens.ids.count, text.count)
            }
        }
    }

    func testUnknownIDsAreRefused() throws {
        let tokenizer = try Tokenizer.load(asset("mistral-v1.model"))
        for id in [32000, 1 << 31, UInt32.max] as [UInt32] {
            assertRefused("\(id)") { try tokenizer.decode([5, id]) }
        }
    }
}
