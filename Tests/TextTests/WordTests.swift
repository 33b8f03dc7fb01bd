// Where byte-level pre-tokenisers cut, what the cache of words gives back, and which strings are added tokens.
import XCTest

@testable import Text

final class WordTests: XCTestCase {
    private func ends(_ splitter: WordSplitter, _ text: [UInt8]) -> [Int] {
        var ends: [Int] = []
        var last = 0
        text.withUnsafeBytes { bytes in
            splitter.forEachWord(bytes, 0..<bytes.count) {
                XCTAssertEqual($0.lowerBound, last, "words must tile the text")
                last = $0.upperBound
                ends.append(last)
            }
        }
        return ends
    }

    /// Against the regex package (Tests/oracles/tokens_words.py).
    func testSplittersCutWhereThePatternDoes() throws {
        let texts = try records("words.ndjson")
        XCTAssertGreaterThan(texts.count, 200)
        for line in texts {
            let text = try XCTUnwrap(line["text"]?.bytes)
            for (key, splitter) in [("gpt2", WordSplitter.gpt2), ("digits", .digitsThenGPT2)] {
                let expected = try XCTUnwrap(line[key]).elements.compactMap(\.integer)
                XCTAssertEqual(ends(splitter, text), expected, "\(key) \(String(decoding: text, as: UTF8.self).debugDescription)")
            }
            XCTAssertEqual(ends(.whole, text), text.isEmpty ? [] : [text.count])
        }
    }

    func testCacheGivesBackWhatItWasGiven() {
        var cache = WordCache()
        var given = TokenSequence()
        given.append(7, 100, 102)
        given.append(8, 102, 105)
        let word = Array("hello".utf8)
        word.withUnsafeBytes { bytes in
            var found = TokenSequence()
            XCTAssertFalse(cache.append(bytes, at: 0, to: &found))
            cache.remember(bytes, given, from: 0, at: 100)
            XCTAssertTrue(cache.append(bytes, at: 40, to: &found))
            XCTAssertEqual(found.ids, [7, 8])
            XCTAssertEqual(found.offsets, [40, 42, 42, 45])
        }
        Array("hellp".utf8).withUnsafeBytes { bytes in
            var found = TokenSequence()
            XCTAssertFalse(cache.append(bytes, at: 0, to: &found))
        }
    }

    func testCacheLeavesLongWordsAlone() {
        var cache = WordCache()
        for (length, tokens, isKept) in [(32, 12, true), (33, 1, false), (32, 13, false), (32, 0, false)] {
            let word = [UInt8](repeating: UInt8(tokens + 60), count: length)
            var given = TokenSequence()
            for at in 0..<tokens { given.append(1, at, at + 1 == tokens ? length : at + 1) }
            word.withUnsafeBytes { bytes in
                var found = TokenSequence()
                cache.remember(bytes, given, from: 0, at: 0)
                XCTAssertEqual(cache.append(bytes, at: 0, to: &found), isKept, "\(length) bytes, \(tokens) tokens")
                XCTAssertEqual(found.ids.count, isKept ? tokens : 0)
            }
        }
    }

    /// "S3-5" for a stretch of text, "7:0-3" for a match of token 7.
    private func split(_ text: String, _ tokens: [AddedToken]) -> [String] {
        var result: [String] = []
        Array(text.utf8).withUnsafeBytes { bytes in
            AddedTokens(tokens).split(
                bytes, 0..<bytes.count, section: { result.append("S\($0.lowerBound)-\($0.upperBound)") },
                match: { result.append("\($0):\($1.lowerBound)-\($1.upperBound)") })
        }
        return result
    }

    private func token(_ id: UInt32, _ content: String) -> AddedToken { AddedToken(id: id, content: Array(content.utf8)) }

    func testTheLongestAddedTokenWins() {
        let tokens = [token(1, "<a>"), token(2, "<a><b>"), token(3, "<b>")]
        XCTAssertEqual(split("<a><b><a>x<b>", tokens), ["2:0-6", "1:6-9", "S9-10", "3:10-13"])
        XCTAssertEqual(split("<a", tokens), ["S0-2"])
        XCTAssertEqual(split("", tokens), [])
    }

    func testStrippingTakesWhiteSpaceAlong() {
        var (left, right) = (token(1, "<l>"), token(2, "<r>"))
        left.stripsLeft = true
        right.stripsRight = true
        XCTAssertEqual(split("a \u{3000}\n<l> b", [left, right]), ["S0-1", "1:1-9", "S9-11"])
        XCTAssertEqual(split("a <r> \u{3000}\nb", [left, right]), ["S0-2", "2:2-10", "S10-11"])
        XCTAssertEqual(split("<r>  <l>", [left, right]), ["2:0-5", "1:5-8"])
    }

    func testWholeWordsAreNotTouchedByLetters() {
        var word = token(1, "<w>")
        word.isWholeWord = true
        for text in ["a<w>", "<w>a", "1<w>", "_<w>", "é<w>", "<w>日", "e\u{301}<w>", "<w>\u{301}", "\u{203f}<w>", "\u{200d}<w>", "Ⅻ<w>"] {
            XCTAssertEqual(split(text, [word]), ["S0-\(text.utf8.count)"], text)
        }
        for text in [" <w>", ".<w>", "²<w>", "½<w>", "😀<w>"] {
            XCTAssertEqual(split(text, [word]).last, "1:\(text.utf8.count - 3)-\(text.utf8.count)", text)
        }
    }
}
