// The safetensors header: what must be refused, what must not, and what we write.
import XCTest

@testable import Streams

final class SafetensorsHeaderTests: XCTestCase {
    private func parse(_ text: String, data: Int? = nil, base: Int = 8) throws -> SafetensorsHeader.Contents {
        try Array(text.utf8).withUnsafeBytes { try SafetensorsHeader.parse($0, dataBytes: data, name: "test", base: base) }
    }

    private func entry(_ name: String, _ type: String, _ shape: String, _ offsets: String) -> String {
        "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}"
    }

    func testAccepted() throws {
        let two = try parse(
            "{\(entry("b", "F32", "[2,1]", "[8,16]")),\"__metadata__\":{\"k\":\"v\"},\(entry("a", "I64", "[]", "[0,8]"))} \n", data: 16)
        XCTAssertEqual(two.tensors.map(\.name), ["a", "b"], "in the order of the bytes")
        XCTAssertEqual(two.tensors[1].shape, [2, 1])
        XCTAssertEqual(two.tensors[1].count, 2)
        XCTAssertEqual(two.tensors[0].range.upperBound, two.tensors[1].range.lowerBound)
        XCTAssertEqual(two.metadata.map { "\($0)=\($1)" }, ["k=v"])
        XCTAssertEqual(try parse("{\(entry("e", "F32", "[2,0]", "[0,0]"))}", data: 0).tensors[0].count, 0)
        XCTAssertEqual(try parse("{}", data: 0).tensors.count, 0)
        XCTAssertEqual(try parse("{\"__metadata__\":null}").metadata.count, 0)
        let odd =
            "{\(entry("\u{3AC}", "U8", "[1]", "[0,1]")),\(entry("\u{1F71}", "U8", "[1]", "[1,2]")),\(entry("../\\n\\u001b", "U8", "[1]", "[2,3]"))}"
        XCTAssertEqual(try parse(odd, data: 3).tensors.count, 3)
        let rank = "[" + Array(repeating: "1", count: 64).joined(separator: ",") + "]"
        XCTAssertEqual(try parse("{\(entry("r", "U8", rank, "[0,1]"))}").tensors[0].shape.count, 64)
    }

    func testRefused() {
        let rank = "[" + Array(repeating: "1", count: 65).joined(separator: ",") + "]"
        let table: [(String, String)] = [
            (" {}", "'{'"), ("", "'{'"), ("[]", "'{'"), ("{}\0", "not valid JSON"), ("\u{FEFF}{}", "'{'"), ("{\"a\":", "not valid JSON"),
            ("{\"a\":1}", "must be an object"), ("{\(entry("a", "F99", "[]", "[0,4]"))}", "unknown type 'F99'"),
            ("{\(entry("a", "f32", "[]", "[0,4]"))}", "unknown type"),
            ("{\"a\":{\"dtype\":1,\"shape\":[],\"data_offsets\":[0,4]}}", "'dtype'"),
            ("{\"a\":{\"shape\":[],\"data_offsets\":[0,4]}}", "'dtype'"), ("{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", "'shape'"),
            ("{\"a\":{\"dtype\":\"F32\",\"shape\":[]}}", "'data_offsets'"),
            ("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}", "duplicate"),
            ("{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4],\"x\":1}}", "unknown field 'x'"),
            ("{\(entry("a", "F32", "[-1]", "[0,4]"))}", "integers from 0"), ("{\(entry("a", "F32", "[2.0]", "[0,8]"))}", "integers from 0"),
            ("{\(entry("a", "F32", "[\"2\"]", "[0,8]"))}", "integers from 0"),
            ("{\(entry("a", "F32", "null", "[0,4]"))}", "'shape' must be"),
            ("{\(entry("a", "F32", "[9223372036854775808]", "[0,4]"))}", "too big"),
            ("{\(entry("a", "U8", "[2,9223372036854775807]", "[0,4]"))}", "overflows"),
            ("{\(entry("a", "F32", "[4611686018427387904,4,0]", "[0,0]"))}", "overflows"),
            ("{\(entry("a", "I32", "[4611686018427387904]", "[0,4]"))}", "overflows"),
            ("{\(entry("a", "U8", rank, "[0,1]"))}", "dimensions"),
            ("{\(entry("a", "F32", "[2]", "[0,4]"))}", "takes 8 bytes"), ("{\(entry("a", "F32", "[1]", "[4,0]"))}", "begin <= end"),
            ("{\(entry("a", "F32", "[1]", "[0]"))}", "begin <= end"), ("{\(entry("a", "F32", "[1]", "[0,4,8]"))}", "begin <= end"),
            ("{\(entry("a", "U8", "[9223372036854775807]", "[0,9223372036854775807]"))}", "begin <= end"),
            ("{\(entry("a", "F32", "[1]", "[0,4]")),\(entry("b", "F32", "[1]", "[0,4]"))}", "overlaps"),
            ("{\(entry("a", "F32", "[1]", "[0,4]")),\(entry("b", "F32", "[1]", "[2,6]"))}", "overlaps"),
            ("{\(entry("a", "F32", "[1]", "[0,4]")),\(entry("b", "F32", "[1]", "[8,12]"))}", "gap"),
            ("{\(entry("a", "F32", "[1]", "[4,8]"))}", "gap"), ("{\"__metadata__\":{\"k\":1}}", "must be a string"),
            ("{\"__metadata__\":3}", "__metadata__"), ("{\"__metadata__\":{\"k\":{}}}", "must be a string"),
            ("{\(entry("a", "U8", "[1]", "[0,1]")),\(entry("a", "U8", "[1]", "[1,2]"))}", "duplicate"),
            ("{\"a\":" + String(repeating: "[", count: 100_000), "depth"),
            ("{\"a\":[" + String(repeating: "{},", count: 300_000) + "0]}", "more than"),
            ("{\"a\":[" + String(repeating: "0,", count: 5_000_000) + "0]}", "more than"),
        ]
        for (text, words) in table { expectFailure(.badData, words) { try parse(text) } }
        let whole = "{\(entry("a", "F32", "[1]", "[0,4]"))}"
        for data in [3, 5, 0] { expectFailure(.badData, "follow the header") { try parse(whole, data: data) } }
        expectFailure(.badData, "decode") {
            try ([0x7B, 0x22, 0xFF] as [UInt8]).withUnsafeBytes { try SafetensorsHeader.parse($0, dataBytes: 0, name: "test", base: 8) }
        }
    }

    func testPlaceIsTheOffsetInTheFile() {
        XCTAssertEqual(expectFailure { try parse("{\"a\":x}", base: 100) }?.place, .byte(106))
        XCTAssertEqual(expectFailure { try parse("{\"a\":1}", base: 100) }?.place, .byte(101))
    }

    /// The entry that is wrong, by the byte of its key; a cover that fails, by the byte at which the data ends.
    func testPlaceIsTheEntryThatIsWrong() {
        let good = entry("a", "U8", "[4]", "[0,4]")
        let cases: [(String, String, String)] = [
            ("second", " \n,\t ", entry("b", "F99", "[]", "[4,8]")), ("overlap", ",", entry("b", "U8", "[4]", "[2,6]")),
            ("gap", ",", entry("b", "U8", "[4]", "[5,9]")), ("escaped", ",", entry("\\u0062\\\"", "U8", "[5]", "[4,8]")),
            ("wide", ",", entry("b", "U8", "[9223372036854775807,3]", "[4,8]")), ("metadata", ",", "\"__metadata__\":{\"k\":1}"),
        ]
        for (title, between, bad) in cases {
            let place = expectFailure { try parse("{\(good)\(between)\(bad)}", data: 8, base: 100) }?.place
            XCTAssertEqual(place, .byte(100 + 1 + good.utf8.count + between.utf8.count), title)
        }
        let text = "{\(good)}"
        for (data, end) in [(3, 3), (0, 0), (5, 4)] {
            XCTAssertEqual(expectFailure { try parse(text, data: data, base: 100) }?.place, .byte(100 + text.utf8.count + end))
        }
    }

    func testWrittenHeaderIsAlignedAndReadsBack() throws {
        for name in ["a", "ab", "abc", "abcdefgh"] {
            let bytes = SafetensorsHeader.bytes(metadata: [("k\"", "v\n")], tensors: [(name, .f16, [3, 2]), ("s", .f64, [])])
            XCTAssertEqual(bytes.count % 8, 0)
            XCTAssertEqual(bytes[0], UInt8(bytes.count - 8))
            let read = try bytes[8...].withUnsafeBytes { try SafetensorsHeader.parse($0, dataBytes: 20, name: "test", base: 8) }
            XCTAssertEqual(read.metadata.map { $0.0 + $0.1 }, ["k\"v\n"])
            XCTAssertEqual(read.tensors.map(\.type), [.f16, .f64])
            XCTAssertEqual(read.tensors.map(\.range), [bytes.count..<bytes.count + 12, bytes.count + 12..<bytes.count + 20])
        }
        XCTAssertEqual(Array(SafetensorsHeader.bytes(metadata: [], tensors: [])[8...]), Array("{}      ".utf8))
    }
}
