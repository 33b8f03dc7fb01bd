// What patterns match, against Oniguruma and fancy-regex; that no pattern and no text takes more than linear work; what is refused.
import Streams
import XCTest

@testable import Text

final class PatternTests: XCTestCase {
    private func pattern(_ source: String, _ syntax: PatternSyntax = .ruby) throws -> Pattern {
        try Pattern(Array(source.utf8), name: "test", syntax: syntax)
    }

    private func matches(_ matcher: PatternMatcher, _ text: [UInt8], _ range: Range<Int>? = nil) -> [Range<Int>] {
        var found: [Range<Int>] = []
        text.withUnsafeBytes { bytes in matcher.forEachMatch(bytes, range ?? 0..<bytes.count) { found.append($0) } }
        return found
    }

    private func matches(_ source: String, _ text: String, _ syntax: PatternSyntax = .ruby) throws -> [Range<Int>] {
        matches(try pattern(source, syntax).matcher(), Array(text.utf8))
    }

    /// FNV-1a of "first-last," for each match that is not empty.
    private func fingerprint(_ matches: [Range<Int>]) -> Int {
        var value: UInt32 = 0x811C_9DC5
        for match in matches where !match.isEmpty {
            for byte in "\(match.lowerBound)-\(match.upperBound),".utf8 { value = (value ^ UInt32(byte)) &* 0x0100_0193 }
        }
        return Int(value)
    }

    /// Against tokenizers and tiktoken (Tests/oracles/patterns_expected.py), with the memo and without.
    func testMatchesAreThoseOfThePeers() throws {
        let lines = try records("patterns.ndjson")
        let texts = try XCTUnwrap(lines[0]["texts"]).elements.compactMap(\.bytes)
        XCTAssertGreaterThan(texts.count, 300)
        XCTAssertGreaterThan(lines.count, 100)
        for line in lines.dropFirst() {
            let name = try XCTUnwrap(line["name"]?.string)
            let pattern = try Pattern(
                try XCTUnwrap(line["pattern"]?.bytes), name: name, syntax: line["syntax"]?.string == "rust" ? .rust : .ruby)
            let hashes = try XCTUnwrap(line["hashes"]).elements
            XCTAssertEqual(hashes.count, texts.count)
            for (text, hash) in zip(texts, hashes) where !hash.isNull {
                for remembers in [false, true] {
                    let matcher = pattern.matcher()
                    matcher.alwaysRemembers = remembers
                    let found = matches(matcher, text)
                    XCTAssertEqual(
                        fingerprint(found), hash.integer,
                        "\(name) \(remembers) \(String(decoding: text, as: UTF8.self).debugDescription) \(found)")
                }
            }
        }
    }

    func testEmptyMatchesStandWhereOnigurumaHasThem() throws {
        XCTAssertEqual(try matches("x*", "axxb"), [0..<0, 1..<3, 4..<4])
        XCTAssertEqual(try matches("", "aé"), [0..<0, 1..<1, 3..<3])
        XCTAssertEqual(try matches("(?=b)|c", "abcb"), [1..<1, 2..<3])
        XCTAssertEqual(try matches("(?=b)|c", "acab"), [1..<2, 3..<3])
        XCTAssertEqual(try matches("$", ""), [0..<0])
        XCTAssertEqual(try matches("a", ""), [])
        XCTAssertEqual(try matches("[a&&b]", "ab"), [])
    }

    func testTheEndsOfTheRangeAreTheEndsOfTheText() throws {
        let text = Array("xab abx".utf8)
        for (source, expected) in [
            (#"\Aa"#, [1..<2]), (#"b\z"#, [5..<6]), (#"\bb"#, []), (#"(?<=x)a"#, []), (#"b(?!x)"#, [2..<3, 5..<6]),
            ("^a|b$", [1..<2, 5..<6]),
        ] {
            XCTAssertEqual(matches(try pattern(source).matcher(), text, 1..<6), expected, source)
        }
    }

    // MARK: Work

    /// Steps for a text of n bytes at most double, with a little to spare, when n does.
    func testWorkIsLinear() throws {
        let cases: [(pattern: String, unit: String)] = [
            ("(a+b|a)", "a"), ("(a+)+$", "a"), ("(?:x*)*y", "x"), ("(?:a|a)*b", "a"), ("(?:a?){30}b|a", "a"), (#"\p{L}+\d|."#, "é"),
            (#"(?=.*z)a|a"#, "a"), (#"(?=.*?a)a"#, "a"), (#"\d{1,3}(?=(?:\d{3})*\b)"#, "1"), (#"(?=(\d{3})+(?!\d))"#, "1"),
            (#"(?>a+)b|a"#, "a"),
            ("a++b|a", "a"), (#"(?>(?:a|aa)+)b|a"#, "a"), ("a*?b|a", "a"), (#"\s*[\r\n]+|\s+(?!\S)|\s"#, " "), ("(?!a*b)a", "a"),
            ("(?:a(?!.*c))*b|a", "a"),
            ("(?:(?:a*)*)*b|a", "a"), ("(?:a*b?)*c|a", "a"), ("(?>(?:a*)*)b|a", "a"), ("(?=(?>a+)b)a|(?<=aa)a", "a"), ("a{0,50}b|a", "a"),
            ("(?:ab|a){2,9}c|a", "ab"),
            ("(?>a(?=.*b)|a)+c|a", "a"), ("(?i)(?:[a-z]+\\s?)+!", "ab "), ("a.*b|a", "a"), ("(?:a+a+)+b|a", "a"), ("a(?:.|..)*b|a", "a"),
        ]
        for (source, unit) in cases {
            let pattern = try pattern(source)
            var steps: [Int] = []
            for count in [4_000, 8_000, 64_000] {
                let text = Array(String(repeating: unit, count: count / unit.utf8.count).utf8)
                let matcher = pattern.matcher()
                _ = matches(matcher, text)
                steps.append(matcher.steps)
                XCTAssertLessThan(matcher.steps, 8_192 + 2 * text.count * (64 + 8 * pattern.program.opCount), "\(source) on \(count)")
            }
            XCTAssertLessThan(steps[2], 9 * steps[1], "\(source): \(steps)")
        }
    }

    func testLongTextsNeedNoRecursion() throws {
        let text = [UInt8](repeating: UInt8(ascii: "a"), count: 2_000_000)
        XCTAssertEqual(matches(try pattern("(?:a|ba)*").matcher(), text), [0..<text.count])
        XCTAssertEqual(matches(try pattern("(a+)+$").matcher(), text), [0..<text.count])
    }

    /// A matcher that remembers gives its memory back as it goes on.
    func testMemoForgetsWhatLiesBehind() throws {
        let program = try pattern("a+b|a").program
        let memo = PatternMemo(program, 100..<100_100)
        memo.note(.fails, 0, 200)
        memo.note(.succeeds, 0, 90_000)
        XCTAssertEqual(memo.outcome(0, 200), .fails)
        memo.forget(before: 50_000)
        XCTAssertEqual(memo.outcome(0, 200), .unknown)
        XCTAssertEqual(memo.outcome(0, 90_000), .succeeds)
        XCTAssertEqual(memo.outcome(0, 90_001), .unknown)
    }

    // MARK: Refusals

    func testWhatIsNotMatchedExactlyIsRefused() {
        let cases: [(pattern: String, syntax: PatternSyntax, says: String)] = [
            (#"(a)\1"#, .ruby, #"byte 3: '\1' is not supported"#), (#"\k<a>"#, .ruby, #"'\k' is not supported"#),
            (#"a\K"#, .ruby, #"byte 1: '\K'"#),
            (#"\G"#, .ruby, #"'\G'"#), (#"\X"#, .ruby, #"'\X'"#), (#"(?(1)a|b)"#, .ruby, "the group '(?(…'"), ("(?~a)", .ruby, "the group"),
            ("(?s).", .ruby, "the group '(?s…'"),
            ("(?R)", .ruby, "the group"), ("(", .ruby, "byte 0: '(' without ')'"), ("a)", .ruby, "byte 1: ')' without '('"),
            ("[a", .ruby, "'[' without ']'"), ("*", .ruby, "nothing to repeat"),
            ("a|+", .ruby, "byte 2: nothing to repeat"), ("[z-a]", .ruby, "an empty range"),
            (#"[\w-a]"#, .ruby, "a range cannot begin with a class"), (#"[a-\d]"#, .ruby, "a range cannot end"),
            (#"\p{Foo}"#, .ruby, "the property 'Foo' is not known"), (#"\p{Script=Han}"#, .ruby, "not known"),
            (#"\p{L"#, .ruby, "has no end"), (#"\pL"#, .ruby, "is not followed by '{'"), (#"\xe9"#, .ruby, "is a byte and no character"),
            (#"\x{110000}"#, .ruby, "is not the number of a character"), (#"\ud800"#, .ruby, "is not the number"),
            (#"\x4"#, .ruby, "has 1 digits, expected 2"), ("a{3,2}", .ruby, "a repetition from 3 to 2"),
            ("a{100001}", .ruby, "more than 100000"),
            ("(?<=a+)b", .ruby, "a lookbehind whose matches differ"), ("(?:(?:ab){1000}){1000}", .ruby, "too large"),
            ("(?i)ss", .ruby, "matches 'ß'"), ("(?i)ß", .ruby, "more than one character"), ("(?i)[ß]", .ruby, "more than one"),
            (#"(?i)[\p{Lu}]"#, .ruby, "more than one"), ("\\", .ruby, #"'\' at the end"#), ("^*", .ruby, "a repeated assertion"),
            ("a****", .ruby, "more than 3"), ("[[:foo:]]", .ruby, "the class '[:foo:]'"), ("[a--b]", .rust, "the difference of classes"),
            (String(repeating: "(", count: 200) + String(repeating: ")", count: 200), .ruby, "more than 100 deep"),
            (String(repeating: "[", count: 200) + "a" + String(repeating: "]", count: 200), .ruby, "more than 100 deep"),
            (String(repeating: "(?i)", count: 200), .ruby, "more than 100 deep"), ("(?U)a", .rust, "the group"),
            ("(?<a", .ruby, "has no end"), ("(?#a", .ruby, "has no end"), ("(?i", .ruby, "'(' without ')'"),
        ]
        for (source, syntax, says) in cases {
            XCTAssertThrowsError(try pattern(source, syntax), source) { error in
                let failure = error as? Failure
                XCTAssertEqual(failure?.status, .badData, source)
                XCTAssertTrue("\(error)".contains(says), "\(source): \(error)")
                XCTAssertTrue("\(error)".hasPrefix("test: pattern '"), "\(error)")
            }
        }
        XCTAssertThrowsError(try Pattern([0x61, 0xFF], name: "test"))
    }

    /// Every prefix of a pattern, and every byte of it changed, is read or refused, never a trap; what is read can be run.
    func testNoPatternTraps() throws {
        let long = #"(?i:'s|k)|[^\r\n\p{L}&&[a-z]]?+\x{41}*?(?<=ab|c)\u0041{1,3}(?=(?>x|\d)*)(?<n>[[:alpha:]-])\b.|$"#
        let source = Array(long.utf8)
        let text = Array("it's A1 ab cA xyz é\n".utf8)
        var read = 0
        for at in source.indices {
            for changed in [Array(source[..<at])]
                + [0x28, 0x29, 0x5B, 0x5D, 0x5C, 0x7B, 0x2B, 0x7C, 0x80].map({ byte in source[..<at] + [byte] + source[(at + 1)...] })
            {
                for syntax in [PatternSyntax.ruby, .rust] {
                    guard let pattern = try? Pattern(Array(changed), name: "test", syntax: syntax) else { continue }
                    let plain = matches(pattern.matcher(), text)
                    let matcher = pattern.matcher()
                    matcher.alwaysRemembers = true
                    XCTAssertEqual(matches(matcher, text), plain, String(decoding: changed, as: UTF8.self))
                    read += 1
                }
            }
        }
        XCTAssertGreaterThan(read, 200)
    }
}
