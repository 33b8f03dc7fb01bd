// Corpora: what is a record, what is refused, and where.
import Streams
import XCTest

final class CorpusReaderTests: XCTestCase {
    private func read(_ source: ByteInput, lineLimit: Int = 1 << 20) throws -> [CorpusDocument] {
        let reader = CorpusReader(source, lineLimit: lineLimit)
        var documents: [CorpusDocument] = []
        while let document = try reader.next() { documents.append(document) }
        return documents
    }

    private func texts(_ text: String) throws -> [String] {
        try read(input(text)).map { String(decoding: $0.text, as: UTF8.self) }
    }

    func testAccepted() throws {
        let table: [(String, [String])] = [
            ("", []), ("\n \n\t\r\n", []), ("{\"text\":\"a\"}", ["a"]), ("{\"text\":\"a\"}\r\n\r\n{\"text\":\"b\"}\n", ["a", "b"]),
            ("\u{FEFF}{\"text\":\"a\"}\n", ["a"]), (#"{"text":"\u0000"}"#, ["\0"]), (#"{"text":""}"#, [""]),
            ("{\"text\":\"\u{2028}\u{85}\"}\n", ["\u{2028}\u{85}"]), (#" {"x":[{"y":null}],"text":"a","z":1e3} "#, ["a"]),
            ("{\"\u{3AC}\":1,\"\u{1F71}\":2,\"text\":\"a\"}", ["a"]),
        ]
        for (text, expected) in table { XCTAssertEqual(try texts(text), expected, text) }
    }

    func testIdsAndPlaces() throws {
        let text = "{\"text\":\"a\",\"id\":\"x\\u00e4\"}\n\n{\"id\":-9007199254740993,\"text\":\"b\", \"k\":[1, 2]}\r\n{\"text\":\"c\"}"
        for source in [input(text), slowInput(Array(text.utf8))] {
            let documents = try read(source)
            XCTAssertEqual(documents.map { String(decoding: $0.id, as: UTF8.self) }, ["xä", "-9007199254740993", "2"])
            XCTAssertEqual(documents.map(\.line), [1, 3, 4])
            XCTAssertEqual(documents.map(\.byte), [0, 29, 78])
            XCTAssertEqual(String(decoding: documents[1].raw, as: UTF8.self), "{\"id\":-9007199254740993,\"text\":\"b\", \"k\":[1, 2]}\r")
        }
    }

    /// A text with escapes stays what it is while other strings with escapes are read behind it.
    func testTextsWithEscapesOutliveOtherStrings() throws {
        for length in [0, 1, 15, 16, 17, 4090, 4096, 70_000] {
            let letters = String(repeating: "é", count: length)
            let line = #"{"a\\b":"\b","text":"\n\#(letters)\\","id":"\t\#(letters)","z":"\"\#(letters)"}"#
            let documents = try read(input("\(line)\n\(line)\n"))
            XCTAssertEqual(documents.map { String(decoding: $0.text, as: UTF8.self) }, ["\n\(letters)\\", "\n\(letters)\\"])
            XCTAssertEqual(documents.map { String(decoding: $0.id, as: UTF8.self) }, ["\t\(letters)", "\t\(letters)"])
        }
    }

    func testNumbersAsIdsKeepTheirText() throws {
        for id in [
            "9007199254740993", "9223372036854775808", "-18446744073709551616", "1e3", "-0", "1.50", "12345678901234567890123456789",
        ] {
            for line in [
                "{\"id\": \(id) ,\"text\":\"a\"}",
                "{\"x\":{\"id\":5},\"y\":[\"id\",{\"id\":6}],\"z\":\"\\\"id\\\":7\",\"text\":\"a\",\"id\":\(id)}",
            ] {
                XCTAssertEqual(try read(input(line)).map { String(decoding: $0.id, as: UTF8.self) }, [id], line)
            }
        }
        XCTAssertEqual(try read(input("{\"\\u0069d\":12,\"text\":\"a\"}")).map(\.id), [Array("12".utf8)])
        XCTAssertEqual(try read(input("{\"id\":1,\"text\":\"a\",\"simhash\":18446744073709551615}")).count, 1)
    }

    func testOtherKeys() throws {
        let reader = CorpusReader(input(#"{"body":"b","name":7,"text":1,"id":null}"#), textKey: "body", idKey: "name")
        let document = try XCTUnwrap(try reader.next())
        XCTAssertEqual(document.text, Array("b".utf8))
        XCTAssertEqual(document.id, Array("7".utf8))
    }

    func testRefusedRecords() {
        let table: [(String, String)] = [
            ("{\"text\":\"a\"", "cut"), ("{\"text\":\"a", "cut"), ("\0\0\0\0", "not valid JSON"),
            ("{\"text\":\"a\tb\"}", "control character"),
            ("{\"text\":\"a\",\"text\":\"b\"}", "duplicate"), ("{\"id\":1}", "field 'text' is missing"),
            ("{\"text\":null}", "must be a string"),
            ("{\"text\":1}", "must be a string"), ("{\"text\":[]}", "must be a string"), ("{\"text\":\"a\",\"id\":true}", "field 'id'"),
            ("{\"text\":\"a\",\"id\":null}", "field 'id'"), ("{\"text\":\"a\",\"id\":[1]}", "field 'id'"),
            ("{\"text\":\"a\",\"x\":NaN}", "not valid JSON"),
            ("{\"text\":\"a\",\"x\":1e999}", "overflow"), ("{\"text\":\"a\",\"x\":01}", "not valid JSON"),
            ("{\"text\":\"a\",}", "not valid JSON"),
            ("{'text':'a'}", "not valid JSON"), ("{\"text\":\"a\"} {\"text\":\"b\"}", "end of file expected"),
            ("{\"text\":\"a\"} x", "end of file expected"), (#"{"text":"\ud800"}"#, "not valid JSON"),
            ("\"text\"", "expected a JSON object"),
            ("12", "expected a JSON object"), ("\u{FEFF}{\"text\":\"b\"}", "not valid JSON"),
            (String(repeating: "[", count: 100_000), "depth"),
            ("{\"text\":\"a\"}//c", "end of file expected"),
        ]
        for (line, words) in table {
            let ending = words == "cut" ? "" : "\n{\"text\":\"after\"}\n"
            let reader = CorpusReader(input("{\"text\":\"before\"}\n\n\(line)\(ending)"))
            XCTAssertNoThrow(try reader.next())
            let failure = expectFailure(.badData, words) { try reader.next() }
            guard case .lineByte(3, let byte)? = failure?.place else {
                return XCTFail("\(line): no place in \(String(describing: failure))")
            }
            XCTAssertTrue((19...19 + line.utf8.count).contains(byte), "\(line): byte \(byte)")
            XCTAssertTrue(reader.canContinue)
            XCTAssertEqual(reader.refusedLine, Array(line.utf8))
            if !ending.isEmpty { XCTAssertEqual(try reader.next()?.text, Array("after".utf8), "reads on behind \(line)") }
        }
        for bytes: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82]] {
            expectFailure(.badData, "decode") { try read(input(Array("{\"text\":\"".utf8) + bytes + Array("\"}\n".utf8))) }
        }
    }

    func testMissingTextNamesAnotherKey() {
        for (line, hint) in [
            (#"{"id":"a long id","lang":"en","body":"words"}"#, "the text may be under another key: --text-key body"),
            (#"{"id":1}"#, "--text-key names the key of the text"),
        ] {
            XCTAssertEqual(expectFailure(.badData, "is missing") { try read(input(line)) }?.hint, hint)
        }
        XCTAssertNil(expectFailure { try CorpusReader(input(#"{"body":"words"}"#), keysAreOptions: false).next() }?.hint)
    }

    func testEveryTruncationIsRefused() throws {
        let first = "{\"text\":\"a\"}\n"
        let last = Array(#"{"id":12,"text":"äb\n"}"#.utf8)
        for cut in 1..<last.count {
            let reader = CorpusReader(input(Array(first.utf8) + last[..<cut]))
            XCTAssertEqual(try reader.next()?.text, [0x61])
            expectFailure(.badData, "from byte 13, is cut") { try reader.next() }
        }
        XCTAssertEqual(try read(input(Array(first.utf8) + last)).count, 2)
    }

    func testLineLimit() throws {
        let line = "{\"text\":\"aaaa\"}"
        XCTAssertEqual(try read(input(line + "\n"), lineLimit: line.utf8.count).count, 1)
        let reader = CorpusReader(input("\(line)\n{\"text\":\"b\"}\n"), lineLimit: line.utf8.count - 1)
        expectFailure(.badData, "longer than 14 bytes") { try reader.next() }
        XCTAssertTrue(reader.canContinue)
        XCTAssertNil(reader.refusedLine)
        XCTAssertEqual(try reader.next()?.id, Array("1".utf8), "a refused record keeps its number")
    }

    func testOtherFilesAreNamed() {
        let table: [([UInt8], String)] = [
            ([0x1F, 0x8B, 8], "gzip"), ([0x28, 0xB5, 0x2F, 0xFD, 0], "zstd"), ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0], "xz"),
            (Array("PAR1....".utf8), "parquet"), (Array("version https://git-lfs.github.com/spec/v1\n".utf8), "Git LFS pointer"),
            (Array("<!DOCTYPE html>".utf8), "HTML"), (Array("\n <html>".utf8), "HTML"),
            ([0x50, 0x4B, 3, 4, 0], "PyTorch checkpoint"),
            ([0x80, 2, 0x7D], "pickle"), ([0xFF, 0xFE, 0x7B, 0], "UTF-16"), ([0x7B, 0, 0x22, 0, 0x74, 0], "UTF-16"),
            ([0, 0x7B, 0, 0x22], "UTF-16"), (Array("GGUF".utf8) + [3, 0, 0, 0], "GGUF"), (Array("[{\"text\":1}]".utf8), "JSON array"),
            ([UInt8](repeating: 0, count: 20), "zero bytes"), (SafetensorsHeader.bytes(metadata: [], tensors: []), "safetensors"),
            (SafetensorsHeader.bytes(metadata: [("kind", "header"), ("stream", "tokens")], tensors: []), "tensor stream"),
        ]
        for (bytes, words) in table {
            let reader = CorpusReader(input(bytes))
            let failure = expectFailure(.badData, words) { try reader.next() }
            XCTAssertFalse(reader.canContinue)
            XCTAssertEqual(failure?.message.hasPrefix("not NDJSON: this is"), true)
        }
    }

    func testAnEntryInAngleBracketsIsNoPage() {
        expectFailure(.badData, "not valid JSON") { try read(input("<unk>\t0\n")) }
    }

    func testPrettyPrintedIsHinted() {
        let failure = expectFailure(.badData) { try read(input("{\n  \"text\": \"a\"\n}\n")) }
        XCTAssertEqual(failure?.hint?.contains("jq -c"), true)
    }

    func testPlainTextIsHinted() {
        let failure = expectFailure(.badData, "not valid JSON") { try read(input("plain text\n")) }
        XCTAssertEqual(failure?.hint?.contains("jq -cR"), true)
        XCTAssertNil(expectFailure(.badData, "not valid JSON") { try read(input("{\"text\":\"a\"}\nplain text\n")) }?.hint)
    }
}
