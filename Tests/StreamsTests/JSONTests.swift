// JSON in: strict, with places. JSON out: exact.
import XCTest

@testable import Streams

final class JSONTests: XCTestCase {
    private func parse(_ text: String) throws -> JSONValue { try JSONValue.parse(Array(text.utf8), name: "test") }

    func testValues() throws {
        let value = try parse(#" {"s":"a\u0000\n\ud83d\ude42","i":-9007199254740993,"r":1e3,"t":true,"f":false,"n":null,"a":[1,[],{}]} "#)
        XCTAssertEqual(value.kind, .object)
        XCTAssertEqual(value.count, 7)
        XCTAssertEqual(value["s"]?.bytes, [0x61, 0, 0x0A] + Array("🙂".utf8))
        XCTAssertEqual(value["s"]?.string, "a\0\n🙂")
        XCTAssertEqual(value["i"]?.integer, -9_007_199_254_740_993)
        XCTAssertNil(value["r"]?.integer)
        XCTAssertEqual(value["r"]?.number, 1000)
        XCTAssertEqual(value["t"]?.boolean, true)
        XCTAssertEqual(value["f"]?.boolean, false)
        XCTAssertNil(value["n"]?.boolean)
        XCTAssertEqual(value["n"]?.isNull, true)
        XCTAssertEqual(value["a"]?.elements.map(\.kind), [.integer, .array, .object])
        XCTAssertEqual(value["a"]?[0].integer, 1)
        XCTAssertNil(value["missing"])
        XCTAssertNil(value["a"]?["s"])
        XCTAssertNil(value["s"]?.integer)
        XCTAssertEqual(value["s"]?.count, 0)
    }

    func testEntriesKeepFileOrderAndBytes() throws {
        // U+03AC and U+1F71 are one string to Swift, two keys to JSON.
        let value = try parse("{\"z\":0,\"\u{3AC}\":1,\"\u{1F71}\":2,\"a\":3}")
        XCTAssertEqual(value.entries.map(\.key), ["z", "\u{3AC}", "\u{1F71}", "a"].map { Array($0.utf8) })
        XCTAssertEqual(value.entries.map { $0.value.integer }, [0, 1, 2, 3])
    }

    func testAValueOutlivesItsDocument() throws {
        var inner: JSONValue?
        do { inner = try parse(#"{"a":{"b":["kept"]}}"#)["a"]?["b"]?[0] }
        XCTAssertEqual(inner?.string, "kept")
    }

    func testWhatIsRefused() {
        let table: [(String, String)] = [
            ("", "end of file"), ("{", "end of file"), (#"{"a":1,"a":2}"#, "duplicate"),
            (
                #"{"a key longer than \" Jansson shows":1,"a key longer than \" Jansson shows":2}"#,
                #"near '"a key longer than \" Jansson shows"'"#
            ),
            ("[1,]", "not valid JSON"), ("[1 2]", "expected"),
            ("{'a':1}", "not valid JSON"), ("{} {}", "end of file expected"), ("[01]", "not valid JSON"), ("[+1]", "not valid JSON"),
            ("[.5]", "not valid JSON"), ("[1.]", "not valid JSON"), ("NaN", "not valid JSON"), ("[Infinity]", "not valid JSON"),
            ("[1e999]", "overflow"), ("[9223372036854775808]", "too big"), ("\"a\tb\"", "control character"), ("\"a", "not valid JSON"),
            (#""\ud800""#, "not valid JSON"), (#""\udc00\ud800""#, "not valid JSON"), (#""\x""#, "not valid JSON"),
            ("\u{FEFF}{}", "not valid JSON"),
            ("// c\n1", "not valid JSON"), ("\0\0", "zero byte"), ("123\0", "zero byte"), ("[1\0,true\0]", "zero byte"),
            (#"{"a\u0000":1}"#, "NUL"),
            (String(repeating: "[", count: 100_000), "depth"), ("{\"a\":1}\u{0C}", "end of file expected"),
        ]
        for (text, words) in table { expectFailure(.badData, words) { try parse(text) } }
        for bytes: [UInt8] in [[0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xE2, 0x82, 0x22]] {
            expectFailure(.badData, "decode") { try JSONValue.parse(bytes, name: "test") }
        }
    }

    func testPlaces() {
        let text = Array("{\"a\":1,\n\"b\":x}".utf8)
        XCTAssertEqual(expectFailure { try JSONValue.parse(text, name: "test") }?.place, .lineByte(line: 2, byte: 13))
        let inside = expectFailure { try text.withUnsafeBytes { try JSONValue.parse($0, name: "test", line: 7, base: 1000) } }
        XCTAssertEqual(inside?.place, .lineByte(line: 7, byte: 1013))
    }

    func testWriter() {
        var text = JSONText()
        text.beginObject()
        text.key("s\"\\")
        text.string("a\u{0}\u{8}\t\n\u{C}\r\u{1f}\u{7f}/ü")
        text.key("n")
        text.beginArray()
        text.integer(Int.min)
        text.integer(UInt64.max)
        text.integer(0)
        text.number(Float(0.1))
        text.number(0.1 as Double)
        text.number(Float.nan)
        text.number(-Double.infinity)
        text.number(Float(-0.0))
        text.number(Double.greatestFiniteMagnitude)
        text.boolean(true)
        text.null()
        text.beginArray()
        text.endArray()
        text.beginObject()
        text.endObject()
        text.endArray()
        text.endObject()
        text.newline()
        text.integer(1)
        let expected =
            #"{"s\"\\":"a\u0000\b\t\n\f\r\u001f\#u{7f}/ü","n":[-9223372036854775808,18446744073709551615,0,0.1,0.1,null,null,-0.0,"#
            + "1.7976931348623157e+308,true,null,[],{}]}\n1"
        XCTAssertEqual(String(decoding: text.bytes, as: UTF8.self), expected)
    }

    func testNumbersReadBackExactly() throws {
        var state: UInt32 = 12_345
        var column: [Float] = []
        for _ in 0..<20_000 {
            state = state &* 1_664_525 &+ 1_013_904_223
            let value = Float(bitPattern: state)
            if value.isFinite { column.append(value) }
        }
        var text = JSONText()
        text.beginArray()
        for value in column { text.number(value) }
        text.endArray()
        var read: [Float] = []
        XCTAssertNil(try JSONValue.parse(text.bytes, name: "test").appendFloats(to: &read))
        XCTAssertEqual(read.map(\.bitPattern), column.map(\.bitPattern))
    }

    func testAVocabularySizedDocumentIsQuick() throws {
        var text = JSONText()
        text.beginObject()
        for entry in 0..<150_000 {
            text.key("token\(entry)")
            text.integer(entry)
        }
        text.endObject()
        let start = Date()
        let value = try JSONValue.parse(text.bytes, name: "test")
        var sum = 0
        value.forEachEntry { key, value in sum += key.count + (value.integer ?? 0) }
        XCTAssertEqual(value.entries.count, 150_000)
        XCTAssertGreaterThan(sum, 150_000)
        XCTAssertLessThan(Date().timeIntervalSince(start), 10, "linear, not quadratic")
    }
}
