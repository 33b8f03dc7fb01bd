// Where pre-tokenisers cut, against Hugging Face's; how they are read, and what is refused.
import Streams
import XCTest

@testable import Text

final class PreTokeniserTests: XCTestCase {
    private func read(_ json: String) throws -> PreTokeniser {
        try PreTokeniser(json: JSONValue.parse(Array(json.utf8), name: "test"), name: "test")
    }

    private func words(_ preTokeniser: PreTokeniser, _ text: [UInt8], from start: Int = 0) -> Words {
        var words = Words(text.withUnsafeBytes { RewrittenText($0, start..<$0.count) })
        preTokeniser.cut(&words)
        return words
    }

    /// The words, "|" between them.
    private func cut(_ json: String, _ text: String, from start: Int = 0) throws -> String {
        let words = words(try read(json), Array(text.utf8), from: start)
        return words.ranges.map { String(decoding: words.text.bytes[$0], as: UTF8.self) }.joined(separator: "|")
    }

    /// As Tests/oracles/pretokenisers_expected.py has it.
    private func fingerprint(_ words: Words, tellsPlaces: Bool) -> Int {
        var value: UInt32 = 0x811C_9DC5
        for word in words.ranges {
            let origin = words.text.origin(word)
            let place = tellsPlaces ? Array("\(origin.lowerBound)-\(origin.upperBound):".utf8) : []
            for byte in place + words.text.bytes[word] + [0xFF] { value = (value ^ UInt32(byte)) &* 0x0100_0193 }
        }
        return Int(value)
    }

    func testCutsAreThoseOfThePeer() throws {
        let lines = try records("pretokenisers.ndjson")
        let texts = try XCTUnwrap(lines[0]["texts"]).elements.compactMap(\.bytes)
        XCTAssertGreaterThan(texts.count, 250)
        XCTAssertGreaterThan(lines.count, 120)
        let every = (0..<0x110000).compactMap(Unicode.Scalar.init).flatMap { Array("a\(Character($0))1".utf8) }
        var tried = 0
        for line in lines.dropFirst() {
            let json = try XCTUnwrap(line["pre_tokenizer"])
            let steps = json["pretokenizers"]?.elements ?? []
            let tellsPlaces = !steps.dropLast().contains { $0["type"]?.string == "ByteLevel" }
            let preTokeniser = try PreTokeniser(json: json, name: "test")
            if let hash = line["every"]?.integer {
                XCTAssertEqual(fingerprint(words(preTokeniser, every), tellsPlaces: true), hash, "\(preTokeniser) on every code point")
                tried += 1
            }
            let hashes = try XCTUnwrap(line["hashes"]).elements
            XCTAssertEqual(hashes.count, texts.count)
            for (text, hash) in zip(texts, hashes) {
                let words = words(preTokeniser, text)
                let found = words.ranges.map { String(decoding: words.text.bytes[$0], as: UTF8.self) }
                XCTAssertEqual(
                    fingerprint(words, tellsPlaces: tellsPlaces), hash.integer,
                    "\(preTokeniser) \(String(decoding: text, as: UTF8.self).debugDescription) \(found)")
            }
        }
        XCTAssertGreaterThan(tried, 8)
    }

    func testAPrefixStandsForNothingAndASpaceForItsByte() throws {
        let always = try read(#"{"type":"Metaspace","replacement":"▁","prepend_scheme":"always"}"#)
        let words = words(always, Array("ab c▁".utf8))
        XCTAssertEqual(words.ranges, [0..<5, 5..<9, 9..<12])
        XCTAssertEqual(words.ranges.map { words.text.origin($0) }, [0..<2, 2..<4, 4..<7])
        XCTAssertEqual(Array(words.text.starts[0..<6]), [0, 0, 0, 0, 1, 2])
        XCTAssertEqual(Array(words.text.ends[0..<6]), [0, 0, 0, 1, 2, 3])
    }

    func testOnlyTheFirstWordOfTheTextIsFirst() throws {
        let first = #"{"type":"Metaspace","replacement":"▁","prepend_scheme":"first"}"#
        XCTAssertEqual(try cut(first, "ab c"), "▁ab|▁c")
        XCTAssertEqual(try cut(first, "ab c", from: 1), "b|▁c")
        let behind = #"{"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},\#(first)]}"#
        XCTAssertEqual(try cut(behind, "ab c"), "▁ab|c")
        XCTAssertEqual(try cut(behind, " ab c"), "ab|c")
        // What a normaliser took from the start does not make the text begin later.
        let text = Array("  ab".utf8)
        var words = Words(text.withUnsafeBytes { RewrittenText($0, 2..<4) }, start: 0)
        try read(first).cut(&words)
        XCTAssertEqual(words.text.bytes, Array("▁ab".utf8))
    }

    /// Behind ByteLevel a step sees printable characters: the last byte of U+0BF2 is written ², a number.
    func testWhatFollowsByteLevelMayCutInsideACharacter() throws {
        let json =
            #"{"type":"Sequence","pretokenizers":[{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false},"#
            + #"{"type":"Digits","individual_digits":true}]}"#
        let words = words(try read(json), [0x61, 0xE0, 0xAF, 0xB2, 0x62])
        XCTAssertEqual(words.ranges, [0..<3, 3..<4, 4..<5])
        XCTAssertEqual(words.text.bytes, [0x61, 0xE0, 0xAF, 0xB2, 0x62])
        XCTAssertEqual(words.ranges.map { words.text.origin($0) }, [0..<3, 3..<4, 4..<5])
    }

    func testOlderFilesAreRead() throws {
        XCTAssertEqual(try cut(#"{"type":"Metaspace","replacement":"▁","add_prefix_space":false,"str_rep":"▁"}"#, "a b"), "a|▁b")
        XCTAssertEqual(try cut(#"{"type":"ByteLevel","add_prefix_space":false}"#, "a b"), "a| b")
    }

    func testAnEmptyTextHasNoWords() throws {
        for json in [#"{"type":"Metaspace","replacement":"▁"}"#, #"{"type":"ByteLevel"}"#, #"{"type":"FixedLength","length":1}"#] {
            XCTAssertEqual(try cut(json, ""), "")
        }
    }

    func testWhatIsUnknownIsRefused() {
        func nested(_ depth: Int) -> String {
            String(repeating: #"{"type":"Sequence","pretokenizers":["#, count: depth) + #"{"type":"Whitespace"}"#
                + String(repeating: "]}", count: depth)
        }
        let byteLevel = #"{"type":"ByteLevel","add_prefix_space":false}"#
        let metaspace = #"{"type":"Metaspace","replacement":"▁"}"#
        let cases: [(json: String, says: String)] = [
            (#"{"type":"Foo"}"#, "pre-tokeniser 'Foo' is not known"), ("3", "no object with a 'type'"), ("{}", "no object with a 'type'"),
            (#"{"type":"Whitespace","x":1}"#, "pre-tokeniser 'Whitespace': field 'x' is not known"),
            (#"{"type":"ByteLevel","add_prefix_space":null}"#, "'add_prefix_space' is not true or false"),
            (#"{"type":"Digits"}"#, "'individual_digits' is missing"), (#"{"type":"Split","behavior":"Removed"}"#, "'pattern' is missing"),
            (#"{"type":"Split","pattern":{"Regex":"a"}}"#, "'behavior' is missing"),
            (#"{"type":"Split","pattern":"a","behavior":"Removed"}"#, "neither a String nor a Regex"),
            (#"{"type":"Split","pattern":{"Regex":"(a"},"behavior":"Removed"}"#, "pattern '(a': byte 0: '(' without ')'"),
            (#"{"type":"Split","pattern":{"String":"a"},"behavior":"removed"}"#, "'behavior' is 'removed', expected"),
            (#"{"type":"Punctuation","behavior":1}"#, "'behavior' is ''"), (#"{"type":"Metaspace"}"#, "'replacement' is not a character"),
            (#"{"type":"Metaspace","replacement":"ab"}"#, "'replacement' is 'ab', expected one character"),
            (#"{"type":"Metaspace","replacement":"▁","prepend_scheme":"last"}"#, "'prepend_scheme' is 'last', expected"),
            (#"{"type":"Metaspace","replacement":"▁","prepend_scheme":"first","add_prefix_space":false}"#, "does not agree"),
            (#"{"type":"Metaspace","replacement":"▁","str_rep":"_"}"#, "'str_rep' is not the 'replacement'"),
            (#"{"type":"CharDelimiterSplit","delimiter":""}"#, "'delimiter' is not a character"),
            (#"{"type":"FixedLength","length":0}"#, "'length' is not a positive number"),
            (#"{"type":"FixedLength","length":1.5}"#, "'length' is not a positive number"),
            (#"{"type":"Sequence"}"#, "'pretokenizers' is no list"),
            (#"{"type":"Sequence","pretokenizers":[\#(byteLevel),\#(byteLevel)]}"#, "may follow 'ByteLevel'"),
            (
                #"{"type":"Sequence","pretokenizers":[{"type":"Sequence","pretokenizers":[\#(byteLevel)]},\#(metaspace)]}"#,
                "may follow 'ByteLevel'"
            ),
            (
                #"{"type":"Sequence","pretokenizers":[\#([metaspace, metaspace, metaspace, metaspace, metaspace].joined(separator: ","))]}"#,
                "more than 4 steps"
            ),
            (nested(100), "nested deeper than 100"),
        ]
        for (json, says) in cases {
            XCTAssertThrowsError(try read(json), json) { error in
                XCTAssertEqual((error as? Failure)?.status, .badData, json)
                XCTAssertTrue("\(error)".contains(says), "\(json): \(error)")
            }
        }
        XCTAssertNoThrow(try read(nested(99)))
    }
}
