// The scanner takes nothing that Jansson refuses, reads what it takes to the same values, and takes what is plain.
import XCTest

@testable import Streams

final class JSONScannerTests: XCTestCase {
    // MARK: One value, two readers

    /// The value as text, strings in hexadecimal, reals by their bits.
    private func dump(_ value: JSONValue) -> String {
        switch value.kind {
        case .object: "{" + value.entries.map { "\(hexadecimal($0.key)):\(dump($0.value))" }.joined(separator: ",") + "}"
        case .array: "[" + value.elements.map(dump).joined(separator: ",") + "]"
        case .string: "'" + hexadecimal(value.bytes ?? []) + "'"
        case .integer: "i\(value.integer ?? 0)"
        case .real: "r\((value.number ?? 0).bitPattern)"
        case .boolean: value.boolean == true ? "t" : "f"
        case .null: "n"
        }
    }

    private func dump(_ scanner: inout JSONScanner) throws(JSONScanner.NotPlain) -> String {
        var parts: [String] = []
        switch try scanner.nextKind() {
        case .object:
            try scanner.beginObject()
            while let key = try scanner.nextKey() {
                let name = hexadecimal(key)
                parts.append("\(name):\(try dump(&scanner))")
            }
            return "{" + parts.joined(separator: ",") + "}"
        case .array:
            try scanner.beginArray()
            while try scanner.nextElement() { parts.append(try dump(&scanner)) }
            return "[" + parts.joined(separator: ",") + "]"
        case .string: return "'" + hexadecimal(try scanner.string()) + "'"
        case .integer: return "i\(try scanner.integer())"
        case .real: return "r\((Double(String(decoding: try scanner.number(), as: UTF8.self)) ?? .nan).bitPattern)"
        case .boolean: return try scanner.boolean() ? "t" : "f"
        case .null:
            try scanner.null()
            return "n"
        }
    }

    private func scanned(_ bytes: [UInt8]) -> String? {
        bytes.withUnsafeBytes { bytes in
            var scanner = JSONScanner(bytes)
            do throws(JSONScanner.NotPlain) {
                let text = try dump(&scanner)
                try scanner.end()
                return text
            } catch { return nil }
        }
    }

    private func isPassedOver(_ bytes: [UInt8], wideIntegers: Bool = false) -> Bool {
        bytes.withUnsafeBytes { bytes in
            var scanner = JSONScanner(bytes, wideIntegers: wideIntegers)
            do throws(JSONScanner.NotPlain) {
                try scanner.skipValue()
                try scanner.end()
                return true
            } catch { return false }
        }
    }

    /// Compares the readers over one text; returns whether the scanner took it.
    @discardableResult
    private func compare(_ bytes: [UInt8], line: UInt = #line) -> Bool {
        let parsed = (try? JSONValue.parse(bytes, name: "test")).map(dump)
        let found = scanned(bytes)
        if let found { XCTAssertEqual(found, parsed, printable(bytes), line: line) }
        XCTAssertEqual(isPassedOver(bytes), found != nil, "skipping \(printable(bytes))", line: line)
        if isPassedOver(bytes, wideIntegers: true) {
            let wide = try? bytes.withUnsafeBytes { try JSONValue.parse($0, name: "test", wideIntegers: true) }
            XCTAssertNotNil(wide, "wide \(printable(bytes))", line: line)
        }
        return found != nil
    }

    // MARK: JSONTestSuite

    /// Texts that JSON allows and the scanner takes.
    private static let legal = [
        "[[]   ]", "[\"\"]", "[]", "[\"a\"]", "[false]", "[null, 1, \"1\", {}]", "[null]", "[1\n]", " [1]", "[1,null,null,null,2]", "[2] ",
        "[0e+1]", "[0e1]", "[ 4]", "[-0]", "[-123]", "[-1]", "[-0.0]", "[1E22]", "[1E-2]", "[1E+2]", "[123e45]", "[123.456e78]", "[1e-2]",
        "[1e+2]", "[123]", "[123.456789]", "[0.4e5]", "[20e1]", "[123.456e-78]",
        "[-0.000000000000000000000000000000000000000000000000000001]",
        "{\"asd\":\"sdf\", \"dfg\":\"fgh\"}", "{\"asd\":\"sdf\"}", "{}", "{\"\":0}", "{ \"min\": -1.0e+28, \"max\": 1.0e+28 }",
        "{\"x\":[{\"id\": \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}], \"id\": \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}",
        "{\"a\":[]}",
        "{\"title\":\"\\u041f\\u043e\\u043b\\u0442\\u043e\\u0440\\u0430\" }", "{\n\"a\": \"b\"\n}", "[\"\\u0060\\u012a\\u12AB\"]",
        "[\"\\uD801\\udc37\"]", "[\"\\ud83d\\ude39\\ud83d\\udc8d\"]", "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]", "[\"\\\\u0000\"]", "[\"\\\"\"]",
        "[\"a/*b*/c/*d//e\"]", "[\"\\\\a\"]", "[\"\\\\n\"]", "[\"\\u0012\"]", "[\"\\uFFFF\"]", "[ \"asd\"]", "[\"\\uDBFF\\uDFFF\"]",
        "[\"new\\u00A0line\"]", "[\"\u{10FFFF}\"]", "[\"\u{FFFF}\"]", "[\"\\u0000\"]", "[\"\\u002c\"]", "[\"π\"]", "[\"\u{1BFFF}\"]",
        "[\"asd \"]",
        "\" \"", "[\"\\uD834\\uDd1e\"]", "[\"\\u0821\"]", "[\"\\u0123\"]", "[\"\u{2028}\"]", "[\"\u{2029}\"]",
        "[\"\\u0061\\u30af\\u30EA\\u30b9\"]",
        "[\"new\\u000Aline\"]", "[\"\u{7F}\"]", "[\"\\uA66D\"]", "[\"\\u005C\"]", "[\"⍂㈴⍂\"]", "[\"\\u200B\"]", "[\"\\u2064\"]",
        "[\"\\uFDD0\"]",
        "[\"\\uFFFE\"]", "[\"\\u0022\"]", "[\"€𝄞\"]", "[\"a\u{7F}a\"]", "false", "42", "-0.1", "null", "\"asd\"", "true", "\"\"",
        "[\"a\"]\n",
        "[true]", " [] ", "\t[\r\n]", "{\"a\":{\"a\":{\"a\":0}}}", "{\"\u{3AC}\":1,\"\u{1F71}\":2}",
        "[\"aaaaaaa\\n\",\"aaaaaaaa\\n\",\"é\\té\"]",
        "[999999999999999999,-999999999999999999]",
    ]

    /// Legal, but for Jansson: the scanner must not read them to another value.
    private static let forJansson = [
        "[9007199254740993999]", "[1e100]", "[-9223372036854775808]", "[1e-999]", "[1000000000000000000]",
        String(repeating: "[", count: 600) + String(repeating: "]", count: 600),
    ]

    private static let illegal = [
        "[1 true]", "[a\u{E5}]", "[\"\": 1]", "[\"\"],", "[,1]", "[1,,2]", "[\"x\",,]", "[\"x\"]]", "[\"\",]", "[\"x\"", "[x", "[3[4]]",
        "[1:2]", "[,]",
        "[-]", "[   , \"\"]", "[\"a\",\n4\n,1,", "[1,]", "[\"\u{B}a\"\\f]", "[*]", "[\"\"", "[1,", "[1,\n1\n,1", "[{}", "[fals]", "[nul]",
        "[tru]",
        "[++1234]", "[+1]", "[+Inf]", "[-01]", "[-1.0.]", "[-2.]", "[-NaN]", "[.-1]", "[.2e-3]", "[0.1.2]", "[0.3e+]", "[0.3e]", "[0.e1]",
        "[0E+]", "[0E]",
        "[0e+]", "[0e]", "[1.0e+]", "[1.0e-]", "[1.0e]", "[1 000.0]", "[1eE2]", "[2.e+3]", "[2.e-3]", "[2.e3]", "[9.e+]", "[Inf]", "[NaN]",
        "[\u{FF11}]",
        "[1+2]", "[0x1]", "[0x42]", "[Infinity]", "[0e+-1]", "[-123.123foo]", "[-Infinity]", "[-foo]", "[- 1]", "[-012]", "[-.123]",
        "[-1x]",
        "[1ea]", "[1.]", "[.123]", "[1.2a-3]", "[1.8011670033376514H-308]", "[012]", "[\"x\", truth]", "{[: \"x\"}\n", "{\"x\", null}",
        "{\"x\"::\"b\"}",
        "{🇨🇭}", "{\"a\":\"a\" 123}", "{key: 'value'}", "{\"a\" b}", "{:\"b\"}", "{\"a\" \"b\"}", "{\"a\":", "{\"a\"", "{1:1}",
        "{9999E9999:1}",
        "{null:null,null:null}", "{\"id\":0,,,,,}", "{'a':0}", "{\"id\":0,}", "{\"a\":\"b\"}/**/", "{\"a\":\"b\"}/**//", "{\"a\":\"b\"}//",
        "{\"a\":\"b\"}/", "{\"a\":\"b\",,\"c\":\"d\"}", "{a: \"b\"}", "{\"a\":\"a", "{ \"foo\" : \"bar\", \"a\" }", "{\"a\":\"b\"}#", " ",
        "", "[\"\\uD800\\\"]",
        "[\"\\uD800\\u\"]", "[\"\\uD800\\u1\"]", "[\"\\uD800\\u1x\"]", "[é]", "[\"\\\u{0}\"]", "[\"\\x00\"]", "[\"\\\\\\\"]", "[\"\\\t\"]",
        "[\"\\🌀\"]",
        "[\"\\\"]", "[\"\\u00A\"]", "[\"\\uD834\\uDd\"]", "[\"\\uD800\\uD800\\x\"]", "[\"\\a\"]", "[\"\\uqqqq\"]", "[\\u0020\"asd\"]",
        "[\\n]", "\"",
        "['single quote']", "abc", "[\"\\", "[\"a\u{0}a\"]", "[\"new\nline\"]", "[\"\t\"]", "\"\\UA66D\"", "\"\"x", "<.>", "[<null>]",
        "[1]x", "[1]]", "[\"asd]", "aå",
        "[True]", "1]", "{\"x\": true,", "[][]", "]", "{]", "{}}", "{\"\":", "{\"a\":/*comment*/\"b\"}", "{\"a\": true} \"x\"", "['", "[,",
        "[{\"\":[{\"\":", "{",
        "{[", "{,", "{'", "*", "[\"\\{[\"\\{[\"\\{[\"\\{", "[1}", "{\"a\":1]", "[\u{2060}]", "[\u{C}]", "\u{FEFF}", "\u{FEFF}{}",
        "{\"a\":\"b\",\"a\":\"b\"}", "{\"a\":1,\"a\":2}",
        "{\"x\":{\"a\":1,\"b\":2,\"a\":3}}", "{\"a\":1,\"\\u0061\":2}", "{\"\\u0000\":1}", "[1\0]", "123\0", "[true\0]", "nullx",
        "[falsetrue]", "[1e1000]",
        "[-1e+9999]", "[123123123123123123123123123123]", "[-9223372036854775809]", "[1e9999999999]", "[\"\\uDADA\"]",
        "[\"\\uD888\\u1234\"]",
        "[\"\\uD800\\n\"]", "[\"\\uDd1ea\"]", "[\"\\uD800\\uD800\\n\"]", "[\"\\ud800\"]", "[\"\\ud800abc\"]", "[\"\\uDd1e\\uD834\"]",
        "[\"\\uDFAA\"]", "[\"\u{1F}\"]",
        "\u{A0}[]", "\u{2028}[]", "{\"a\":1}\u{0}", "[1,2,3", "// c\n1", "[\"\\u 123\"]", "[\"\\u+123\"]", "[\"\\u12 4\"]",
    ]

    /// Invalid UTF-8 between quotes.
    private static let invalid: [[UInt8]] = [
        [0xFF], [0xC0, 0x80], [0xC0, 0xAF], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF],
        [0xF0, 0x80, 0x80, 0x80],
        [0xF0, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xF8, 0x80, 0x80, 0x80, 0x80],
        [0xFC, 0x83, 0xBF, 0xBF, 0xBF, 0xBF], [0x81], [0xBF],
        [0xE2, 0x82], [0xC3], [0xF0, 0x9F, 0x98], [0xF0, 0x9F], [0xE6, 0x97, 0xA5, 0xD1, 0x88, 0xFA], [0xC3, 0x28], [0xE2, 0x28, 0xA1],
        [0xE2, 0x82, 0x28],
        [0xF0, 0x28, 0x8C, 0xBC], [0xF0, 0x90, 0x28, 0xBC], [0xF0, 0x28, 0x8C, 0x28], [0xFE], [0xC3, 0xA9, 0xA9], [0xEF, 0xBF, 0xBD, 0x80],
    ]

    func testLegalTextsAreTaken() {
        for text in JSONScannerTests.legal {
            XCTAssertNoThrow(try JSONValue.parse(Array(text.utf8), name: "test"), text)
            XCTAssertTrue(compare(Array(text.utf8)), text)
        }
        for text in JSONScannerTests.forJansson {
            XCTAssertNoThrow(try JSONValue.parse(Array(text.utf8), name: "test"), text)
            XCTAssertFalse(compare(Array(text.utf8)), text)
        }
    }

    func testIllegalTextsAreNot() {
        for text in JSONScannerTests.illegal {
            XCTAssertThrowsError(try JSONValue.parse(Array(text.utf8), name: "test"), text)
            XCTAssertFalse(compare(Array(text.utf8)), text)
        }
        XCTAssertFalse(compare(Array(String(repeating: "[", count: 100_000).utf8)))
        XCTAssertFalse(compare(Array(String(repeating: "{\"\":", count: 100_000).utf8)))
    }

    func testInvalidUTF8IsFoundWhereverItStands() {
        for bytes in JSONScannerTests.invalid {
            for before in 0..<34 {
                for after in [0, 1, 3, 9, 17] {
                    let text = [0x22] + [UInt8](repeating: 0x61, count: before) + bytes + [UInt8](repeating: 0x62, count: after) + [0x22]
                    XCTAssertFalse(compare(text), "\(bytes) behind \(before)")
                }
            }
        }
    }

    func testEveryCharacterIsRead() {
        for value in 0..<UInt32(0x110000) where value % 61 == 0 || value < 0x3000 || (0xD700...0xE100).contains(value) || value > 0x10FF00 {
            guard let scalar = Unicode.Scalar(value) else { continue }
            if value < 0x20 || value == 0x22 || value == 0x5C { continue }
            let utf8 = Array(String(Character(scalar)).utf8)
            XCTAssertEqual(scanned([0x22] + utf8 + [0x22]), "'" + hexadecimal(utf8) + "'")
        }
    }

    func testQuotesEscapesAndControlsAtEveryPlace() {
        for length in 0..<40 {
            for place in 0...length {
                for part in ["\\n", "\u{1}", "\\", "\"", "é", "日本", "\\u00e9", "\\ud83d\\ude42", "\u{7F}", "!", "#", "[", "]"] {
                    let text = "\"" + String(repeating: "x", count: place) + part + String(repeating: "y", count: length - place) + "\""
                    compare(Array(text.utf8))
                    // The same behind an escape: another loop.
                    compare(Array(("\"\\t" + text.dropFirst()).utf8))
                }
            }
        }
    }

    /// Valid lines with a few bytes changed, doubled, moved or taken out: same verdict, same value.
    func testRandomDamage() {
        let seeds =
            JSONScannerTests.legal + [
                #"{"id":"a-1","text":"The cat sat; \"quoted\"\n\tand é 日本語 🙂 at the end.","meta":{"url":"https://x.y/z","n":[1,2.5,-3e4],"ok":true}}"#,
                #"{"text":"\u0041\ud83d\ude42\\\/","id":12345678901234567,"k":null,"l":[[],{},[{"a":[]}]],"m":{"a":1,"b":{"a":1}}}"#,
                #" { "text" : "x" , "id" : -0 , "r" : 0.5e-3 } "#,
            ]
        let letters =
            Array("\"\\{}[],:0123456789eE+-.truefalsn u \t\n\r/bdD8".utf8) + [
                0, 0x1F, 0x7F, 0x80, 0xBF, 0xC2, 0xE0, 0xED, 0xF0, 0xF4, 0xFF,
            ]
        var state: UInt64 = 20_260_101
        func random(_ below: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(below))
        }
        var taken = 0
        for round in 0..<120_000 {
            var text = Array(seeds[round % seeds.count].utf8)
            for _ in 0...random(3) where !text.isEmpty {
                let at = random(text.count)
                switch random(5) {
                case 0: text[at] = letters[random(letters.count)]
                case 1: text.insert(letters[random(letters.count)], at: at)
                case 2: text.remove(at: at)
                case 3: text.insert(contentsOf: text[at..<min(text.count, at + random(9))], at: random(text.count))
                default: text.removeLast(random(text.count))
                }
            }
            if compare(text) { taken += 1 }
        }
        XCTAssertGreaterThan(taken, 10_000, "the damage must leave some texts legal")
    }

    func testWideIntegersAreTakenWhereTheyAreAllowed() {
        for text in ["18446744073709551615", "-9223372036854775809", String(repeating: "9", count: 200)] {
            XCTAssertTrue(isPassedOver(Array("[\(text)]".utf8), wideIntegers: true))
            XCTAssertFalse(isPassedOver(Array("[\(text)]".utf8)))
            compare(Array("[\(text)]".utf8))
        }
        compare(Array("[\(String(repeating: "9", count: 400))]".utf8))
    }

    // MARK: The interface

    func testLargeObjects() throws {
        var text = JSONText()
        text.beginObject()
        text.key("model")
        text.beginObject()
        for entry in 0..<20_000 {
            text.key("tok\"en\(entry)")
            text.integer(entry)
        }
        text.endObject()
        text.endObject()
        XCTAssertTrue(compare(text.bytes))
        var bytes = text.bytes
        bytes.replaceSubrange(bytes.count - 2..<bytes.count, with: ",\"tok\\u0022en7\":1}}".utf8)
        XCTAssertFalse(compare(bytes), "an equal key far behind, written otherwise")
        let count = try bytes.withUnsafeBytes { bytes in
            var scanner = JSONScanner(bytes)
            var count = 0
            try scanner.beginObject()
            while try scanner.nextKey() != nil {
                try scanner.beginObject(uniqueKeys: false)
                while try scanner.nextKey() != nil { count += try scanner.integer() >= 0 ? 1 : 0 }
            }
            try scanner.end()
            return count
        }
        XCTAssertEqual(count, 20_001, "whoever looks for equal keys alone sees them all")
    }

    func testStringsWithoutEscapesAreViews() throws {
        try Array(#"["plain","esc\naped","plain again"]"#.utf8).withUnsafeBytes { bytes in
            var scanner = JSONScanner(bytes)
            try scanner.beginArray()
            var inside: [Bool] = []
            while try scanner.nextElement() {
                let text = try scanner.string()
                inside.append(bytes.baseAddress! <= text.baseAddress! && text.baseAddress! < bytes.baseAddress! + bytes.count)
            }
            try scanner.end()
            XCTAssertEqual(inside, [true, false, true])
            scanner.reset(bytes)
            try scanner.skipValue()
            try scanner.end()
        }
    }

    func testAnotherKindIsNotPlain() {
        func refuses(_ text: String, _ body: (inout JSONScanner) throws(JSONScanner.NotPlain) -> Void) -> Bool {
            Array(text.utf8).withUnsafeBytes { bytes in
                var scanner = JSONScanner(bytes)
                do throws(JSONScanner.NotPlain) {
                    try body(&scanner)
                    return false
                } catch { return true }
            }
        }
        XCTAssertTrue(refuses("1.0") { s throws(JSONScanner.NotPlain) in _ = try s.integer() })
        XCTAssertTrue(refuses("1e2") { s throws(JSONScanner.NotPlain) in _ = try s.integer() })
        XCTAssertTrue(refuses("\"1\"") { s throws(JSONScanner.NotPlain) in _ = try s.integer() })
        XCTAssertTrue(refuses("1") { s throws(JSONScanner.NotPlain) in _ = try s.string() })
        XCTAssertTrue(refuses("[]") { s throws(JSONScanner.NotPlain) in try s.beginObject() })
        XCTAssertTrue(refuses("{}") { s throws(JSONScanner.NotPlain) in try s.beginArray() })
        XCTAssertTrue(refuses("nul") { s throws(JSONScanner.NotPlain) in try s.null() })
        XCTAssertTrue(refuses("ttrue") { s throws(JSONScanner.NotPlain) in _ = try s.boolean() })
        XCTAssertTrue(
            refuses("[1]") { s throws(JSONScanner.NotPlain) in
                try s.beginArray()
                try s.end()
            })
    }
}
