// Text or records: what an input that opens with JSON holds.
import Glibc
import TestSupport
import XCTest

@testable import Streams

final class CorpusKindTests: XCTestCase {
    private let scratch = ScratchFolder()

    override func tearDown() { scratch.remove() }

    func testTheFirstLineTells() throws {
        let long = String(repeating: "x", count: 100_000)
        let table: [(String, CorpusKind)] = [
            (#"{"id":"a","text":"b"}"#, .text), (#"{"text":"b","input_ids":[1]}"#, .text), (#"{"id":1,"input_ids":[1]}"#, .records),
            (#"{"stream":"tokens","version":1}"#, .records), (#"{"stream":"my radio","text":"b"}"#, .text),
            ("\u{FEFF}\n {\"id\":\"\(long)\",\"text\":1}", .text), (#"{"a":"\#(long)","input_ids":[]}"#, .records),
            (#"{"a":"\"input_ids\":[1]","text":"t"}"#, .text), (#"{"a":{"input_ids":1},"text":"t"}"#, .text),
            ("\n\n{\"a\":\"\(long)\",\"input_ids\":[]}", .records),
            ("{\"a\":\n\"text\"", .text), ("{", .text), ("", .text), ("[1]", .text), (#"{"stream":"#, .text),
        ]
        for (content, expected) in table {
            let input = try ByteInput.open(scratch.write("input", content))
            XCTAssertEqual(try CorpusKind(input), expected, String(content.prefix(60)))
            XCTAssertEqual(try input.rest(limit: 1 << 20), Array(content.utf8), "consumed")
        }
        let other = try ByteInput.open(scratch.write("input", #"{"body":"b","input_ids":[1]}"#))
        XCTAssertEqual(try CorpusKind(other, textKey: "body"), .text)
    }

    /// The first line decides as soon as it is there: nobody waits for the rest of a pipe.
    func testASlowWriter() throws {
        var ends: [Int32] = [0, 0]
        XCTAssertEqual(pipe(&ends), 0)
        let line = Array((#"{"id":"a","text":""# + String(repeating: "y", count: 300)).utf8)
        XCTAssertEqual(write(ends[1], line, line.count), line.count)
        let input = ByteInput(descriptor: ends[0], name: "pipe", closing: true)
        XCTAssertEqual(try CorpusKind(input), .text)
        close(ends[1])
    }
}
