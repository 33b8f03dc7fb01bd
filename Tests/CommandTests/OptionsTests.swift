// Options that tools share: their forms, their defaults, their limits.
import ArgumentParser
import Streams
import TestSupport
import XCTest

@testable import Command

final class OptionsTests: XCTestCase {
    func testDefaults() throws {
        let common = try CommonOptions.parse([])
        XCTAssertEqual(common.progress, .auto)
        XCTAssertFalse(common.verbose || common.noProvenance)
        XCTAssertEqual(try ThreadOptions.parse([]).count, min(availableProcessors(), 1024))
        XCTAssertEqual(try OutputOptions.parse([]).format, .tensor)
    }

    func testThreadsHaveLimits() throws {
        XCTAssertEqual(try ThreadOptions.parse(["--threads", "1024"]).count, 1024)
        for wrong in ["0", "1025", "-1", "two"] { XCTAssertThrowsError(try ThreadOptions.parse(["--threads", wrong])) }
    }

    func testByteSizes() {
        let table: [(String, Int?)] = [
            ("0", 0), ("4096", 4096), ("64K", 65_536), ("256M", 256 << 20), ("2G", 2 << 30), ("1T", 1 << 40), ("9999999T", nil), ("K", nil),
            ("", nil), ("-1", nil), ("+1", nil), ("1k", nil), ("1.5G", nil), ("12 M", nil), ("99999999999999999999", nil),
        ]
        for (text, bytes) in table { XCTAssertEqual(ByteSize(argument: text)?.bytes, bytes, text) }
        for text in ["0", "1", "64K", "256M", "3G", "1T", "1025"] {
            XCTAssertEqual(ByteSize(argument: text)?.defaultValueDescription, text)
        }
    }

    func testFormats() throws {
        XCTAssertEqual(try OutputOptions.parse(["--format", "ndjson"]).format, .ndjson)
        XCTAssertThrowsError(try OutputOptions.parse(["--format", "json"]))
    }

    func testWindowAndStride() throws {
        XCTAssertEqual(try WindowOptions.parse(["--window", "8", "--stride", "8"]).stride, 8)
        for wrong in [["--window", "1"], ["--stride", "0"], ["--window", "8", "--stride", "9"]] {
            XCTAssertThrowsError(try WindowOptions.parse(wrong))
        }
    }

    func testOutputIsAFileOrTheStandardStream() throws {
        let scratch = ScratchFolder()
        let path = scratch("records")
        for arguments in [["-o", path], ["--output", path]] {
            let output = try OutputOptions.parse(arguments).open()
            XCTAssertEqual(output.name, path)
            output.discard()
        }
        XCTAssertEqual(try FileOptions.parse(["-o", "-"]).open().name, "<stdout>")
        XCTAssertThrowsError(try FileOptions.parse(["-o", scratch("absent/file")]).open()) {
            XCTAssertEqual(($0 as? Failure)?.status, .cannotCreate)
        }
    }

    func testWordsAsTypedInAShell() {
        XCTAssertEqual(
            ["plain-1.0/x=y", "", "a b", "it's", "$HOME", "été"].map(shellQuoted),
            ["plain-1.0/x=y", "''", "'a b'", "'it'\\''s'", "'$HOME'", "été"])
    }
}
