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

    /// Every length around the short word's, one to all tokens, first with little and then with much behind the word to read.
    func testCacheGivesBackWhatItWasGiven() {
        for padding in [0, 40] {
            let cache = WordCache()
            for length in [1, 2, 7, 8, 9, 14, 15, 16, 17, 24, 100, WordCache.longestWord] {
                for count in Set([1, 2, 3, 4, 5, length]) where count <= length {
                    let word = (0..<length).map { UInt8(($0 * 7 + count) & 0xFF) } + [UInt8](repeating: 0xAA, count: padding)
                    let ids = (0..<count).map { UInt32(1000 * length + $0) }
                    let ends = (1...count).map { $0 == count ? length : $0 }
                    let spans = (0..<count).map { UInt64(100 + ($0 == 0 ? 0 : ends[$0 - 1])) | UInt64(100 + ends[$0]) << 32 }
                    word.withUnsafeBufferPointer { word in
                        let key = WordCache.key(word.baseAddress!, min(length, WordCache.shortWord), readable: word.count)
                        let foundIDs = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: count + 16)
                        let foundSpans = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: count + 16)
                        defer {
                            foundIDs.deallocate()
                            foundSpans.deallocate()
                        }
                        func find() -> Int {
                            defer { cache.writeAwaited() }
                            let (ids, spans) = (foundIDs.baseAddress!, foundSpans.baseAddress!)
                            if length <= WordCache.shortWord { return cache.find(key, cache.place(key), length, at: 40, ids, spans) }
                            let hash = cache.placeLong(word.baseAddress!, length)
                            return cache.findLong(word.baseAddress!, length, hash, at: 40, ids, spans)
                        }
                        XCTAssertEqual(find(), 0)
                        if length <= WordCache.shortWord {
                            cache.remember(key, length, at: 100, ids, spans, count)
                        } else {
                            cache.rememberLong(word.baseAddress!, length, at: 100, ids, spans, count)
                        }
                        XCTAssertEqual(find(), count, "\(length) bytes, \(count) tokens")
                        XCTAssertEqual(Array(foundIDs.prefix(count)), ids)
                        XCTAssertEqual(Array(foundSpans.prefix(count)), spans.map { $0 - 60 - 60 << 32 })
                    }
                }
            }
        }
    }

    /// More longer words than there is room for at first, and at all.
    func testLongerWordsAreFoundAfterGrowth() {
        for words in [20_000, 200_000] {
            let cache = WordCache()
            func word(_ at: Int) -> [UInt8] { Array("a longer word number \(at)".utf8) }
            for at in 0..<words {
                let bytes = word(at)
                cache.rememberLong(bytes, bytes.count, at: 0, [UInt32(at), 1], [4 << 32, 4 | UInt64(bytes.count) << 32], 2)
            }
            var known = 0
            let (ids, spans) = (UnsafeMutablePointer<UInt32>.allocate(capacity: 16), UnsafeMutablePointer<UInt64>.allocate(capacity: 16))
            defer {
                ids.deallocate()
                spans.deallocate()
            }
            for at in 0..<words {
                let bytes = word(at)
                if cache.findLong(bytes, bytes.count, cache.placeLong(bytes, bytes.count), at: 10, ids, spans) > 0 {
                    cache.writeAwaited()
                    known += 1
                    XCTAssertEqual(ids[0], UInt32(at))
                    XCTAssertEqual(spans[1], UInt64(14 | (10 + bytes.count) << 32))
                }
            }
            XCTAssertGreaterThan(known, min(words / 2, 15_000))
        }
    }

    /// More words than there is room for: whatever is still there is right, and most of it is.
    func testAFullCacheForgetsAndNeverLies() {
        let cache = WordCache()
        let words = 400_000
        func word(_ at: Int) -> [UInt8] { Array("word\(at)".utf8) }
        var known = 0
        var (ids, spans) = ([UInt32](repeating: 0, count: 16), [UInt64](repeating: 0, count: 16))
        for at in 0..<words {
            let bytes = word(at)
            let key = bytes.withUnsafeBufferPointer { WordCache.key($0.baseAddress!, $0.count, readable: $0.count) }
            cache.remember(key, bytes.count, at: 0, [UInt32(at)], [UInt64(bytes.count) << 32], 1)
        }
        for at in 0..<words {
            let bytes = word(at)
            let key = bytes.withUnsafeBufferPointer { WordCache.key($0.baseAddress!, $0.count, readable: $0.count) }
            if cache.find(key, cache.place(key), bytes.count, at: 0, &ids, &spans) > 0 {
                known += 1
                XCTAssertEqual(ids[0], UInt32(at))
            }
        }
        XCTAssertGreaterThan(known, words / 3)
        XCTAssertLessThan(known, words)
    }

    /// "S3-5" for a stretch of text, "7:0-3" for a match of token 7.
    private func split(_ text: String, _ tokens: [AddedToken]) throws -> [String] {
        var result: [String] = []
        try Array(text.utf8).withUnsafeBytes { bytes in
            try AddedTokens(tokens, name: "test").split(
                bytes, 0..<bytes.count, section: { result.append("S\($0.lowerBound)-\($0.upperBound)") },
                match: { result.append("\($0):\($1.lowerBound)-\($1.upperBound)") })
        }
        return result
    }

    private func token(_ id: UInt32, _ content: String) -> AddedToken { AddedToken(id: id, content: Array(content.utf8)) }

    func testTheLongestAddedTokenWins() {
        let tokens = [token(1, "<a>"), token(2, "<a><b>"), token(3, "<b>")]
        XCTAssertEqual(try split("<a><b><a>x<b>", tokens), ["2:0-6", "1:6-9", "S9-10", "3:10-13"])
        XCTAssertEqual(try split("<a", tokens), ["S0-2"])
        XCTAssertEqual(try split("", tokens), [])
    }

    func testStrippingTakesWhiteSpaceAlong() {
        var (left, right) = (token(1, "<l>"), token(2, "<r>"))
        left.stripsLeft = true
        right.stripsRight = true
        XCTAssertEqual(try split("a \u{3000}\n<l> b", [left, right]), ["S0-1", "1:1-9", "S9-11"])
        XCTAssertEqual(try split("a <r> \u{3000}\nb", [left, right]), ["S0-2", "2:2-10", "S10-11"])
        XCTAssertEqual(try split("<r>  <l>", [left, right]), ["2:0-5", "1:5-8"])
    }

    func testWholeWordsAreNotTouchedByLetters() {
        var word = token(1, "<w>")
        word.isWholeWord = true
        for text in ["a<w>", "<w>a", "1<w>", "_<w>", "é<w>", "<w>日", "e\u{301}<w>", "<w>\u{301}", "\u{203f}<w>", "\u{200d}<w>", "Ⅻ<w>"] {
            XCTAssertEqual(try split(text, [word]), ["S0-\(text.utf8.count)"], text)
        }
        for text in [" <w>", ".<w>", "²<w>", "½<w>", "😀<w>"] {
            XCTAssertEqual(try split(text, [word]).last, "1:\(text.utf8.count - 3)-\(text.utf8.count)", text)
        }
    }
}
