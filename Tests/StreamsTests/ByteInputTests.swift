// Reading: short counts, lines, limits, what cannot be opened.
import Glibc
import XCTest

@testable import Streams

final class ByteInputTests: XCTestCase {
    private func lines(_ input: ByteInput, limit: Int = 1 << 20) throws -> [[UInt8]] {
        var list: [[UInt8]] = []
        while let line = try input.line(limit: limit) { list.append(Array(line)) }
        return list
    }

    func testLinesEndOnlyAtNewlines() throws {
        let text = "a\r\nb\u{2028}c\u{85}\rd\n\nlast"
        let expected = ["a\r", "b\u{2028}c\u{85}\rd", "", "last"].map { Array($0.utf8) }
        for source in [input(text), slowInput(Array(text.utf8))] {
            XCTAssertEqual(try lines(source), expected)
            XCTAssertEqual(source.lineNumber, 4)
            XCTAssertFalse(source.lineWasEnded)
            XCTAssertEqual(source.offset, text.utf8.count)
        }
        XCTAssertEqual(try lines(input("")), [])
        XCTAssertEqual(try lines(input("\n")), [[]])
    }

    func testLineLimitIsExact() throws {
        for length in [10, 3 << 20] {
            let line = [UInt8](repeating: 0x61, count: length)
            XCTAssertEqual(try lines(input(line + [10]), limit: length), [line])
            XCTAssertEqual(try lines(input(line), limit: length), [line])
            let long = input([0x62, 10] + line + [0x61, 10, 0x63, 10])
            XCTAssertEqual(try long.line(limit: length).map(Array.init), [0x62])
            let failure = expectFailure(.badData, "longer than \(length) bytes") { try long.line(limit: length) }
            XCTAssertEqual(failure?.place, .lineByte(line: 2, byte: 2))
            XCTAssertEqual(try long.line(limit: length).map(Array.init), [0x63], "reads on behind the long line")
            XCTAssertEqual(long.lineNumber, 3)
        }
    }

    func testMixedReadsKeepTheirPlace() throws {
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
        let source = input(bytes)
        XCTAssertEqual(try source.peek(5), Array(bytes[..<5]))
        var got: [UInt8] = []
        var size = 1
        while true {
            var piece = [UInt8](repeating: 0, count: size)
            let count = try piece.withUnsafeMutableBytes { try source.read(exactly: size, into: $0.baseAddress!) }
            got += piece[..<count]
            XCTAssertEqual(source.offset, got.count)
            if count < size { break }
            XCTAssertEqual(try source.peek(3), Array(bytes[got.count..<min(got.count + 3, bytes.count)]))
            size = size * 7 % 1_500_000 + 1
        }
        XCTAssertEqual(got, bytes)
    }

    func testPeekPastTheEnd() throws {
        let source = slowInput([1, 2, 3])
        XCTAssertEqual(try source.peek(10), [1, 2, 3])
        XCTAssertEqual(try source.peek(2), [1, 2])
        XCTAssertEqual(try source.rest(limit: 3), [1, 2, 3])
        XCTAssertEqual(try source.peek(1), [])
        expectFailure(.badData, "longer than 2 bytes") { try input([1, 2, 3]).rest(limit: 2) }
    }

    func testWhatCannotBeOpened() throws {
        try withScratchFolder { folder in
            expectFailure(.cannotOpen, "No such file") { try ByteInput.open("\(folder)/none") }
            expectFailure(.cannotOpen, "folder") { try ByteInput.open(folder) }
        }
        expectFailure(.cannotOpen, "closed") { try ByteInput(descriptor: 999, name: "closed", closing: false).peek(1) }
    }

    func testAStopRequestEndsAWait() throws {
        var pair: [Int32] = [0, 0]
        XCTAssertEqual(pipe(&pair), 0)
        defer { close(pair[1]) }
        Interruption.requested = { true }
        defer { Interruption.requested = nil }
        expectFailure(.stopped) { try ByteInput(descriptor: pair[0], name: "pipe", closing: true).peek(1) }
    }

    func testNonBlockingPipeIsWaitedFor() throws {
        var pair: [Int32] = [0, 0]
        XCTAssertEqual(pipe(&pair), 0)
        XCTAssertEqual(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0)
        let writer = pair[1]
        Thread.detachNewThread {
            usleep(20_000)
            write(writer, "late", 4)
            close(writer)
        }
        XCTAssertEqual(try ByteInput(descriptor: pair[0], name: "pipe", closing: true).rest(limit: 10), Array("late".utf8))
    }

    func testUTF8Validation() {
        let good = ["", "abc", "äöü", "日本語 text that is longer than eight", "\u{10FFFF}\u{FFFF}\u{0}", "a🙂b"]
        for text in good { XCTAssertNil(Array(text.utf8).withUnsafeBytes(firstInvalidUTF8), text) }
        let bad: [([UInt8], Int)] = [
            ([0xFF], 0), ([0x61, 0xC0, 0x80], 1), ([0xED, 0xA0, 0x80], 0), ([0xE0, 0x9F, 0xBF], 0), ([0xF0, 0x8F, 0xBF, 0xBF], 0),
            ([0xF4, 0x90, 0x80, 0x80], 0), ([0x61, 0xE2, 0x82], 1), ([0xC3], 0), ([0xE2, 0x82, 0x28], 0), ([0x80], 0),
            (Array("12345678".utf8) + [0xFE], 8),
        ]
        for (bytes, at) in bad { XCTAssertEqual(bytes.withUnsafeBytes(firstInvalidUTF8), at, "\(bytes)") }
        // Against the standard library on every two-byte string.
        for high in UInt8.min...UInt8.max {
            for low in UInt8.min...UInt8.max {
                let valid = String(validating: [high, low], as: UTF8.self) != nil
                XCTAssertEqual([high, low].withUnsafeBytes(firstInvalidUTF8) == nil, valid, "\(high) \(low)")
            }
        }
    }

    func testPrintable() {
        XCTAssertEqual(printable("a\nb\u{1B}[0mü"), "a\\x0ab\\x1b[0mü")
        XCTAssertEqual(printable([0x61, 0xFF, 0xC3] as [UInt8]), "a\\xff\\xc3")
        XCTAssertEqual(printable("abcdef", limit: 3), "abc...")
    }
}
