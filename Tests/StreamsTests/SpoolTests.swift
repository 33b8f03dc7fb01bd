// Spools: the same bytes come back from memory and from a file, in any pieces.
import TestSupport
import XCTest

@testable import Streams

final class SpoolTests: XCTestCase {
    private let scratch = ScratchFolder()

    override func tearDown() { scratch.remove() }

    private func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) } }

    func testWhatGoesInComesBack() throws {
        for count in [0, 1, 999, Spool.pieceBytes - 1, Spool.pieceBytes, Spool.pieceBytes + 1, 3 * Spool.pieceBytes + 17] {
            for memory in [0, Spool.pieceBytes, 64 << 20] {
                let all = bytes(count)
                let spool = Spool(memory: memory, folder: scratch.path)
                for start in stride(from: 0, to: count, by: 1000) {
                    try all[start..<min(start + 1000, count)].withUnsafeBytes(spool.append)
                }
                XCTAssertEqual(spool.count, count)
                XCTAssertEqual(spool.isOnDisk, count > 0 && (count - 1) / Spool.pieceBytes * Spool.pieceBytes + Spool.pieceBytes > memory)
                for _ in 0..<2 { XCTAssertEqual(try read(spool.reader(), in: 777, count), all, "\(count) bytes, memory \(memory)") }
                let range = count / 3..<count - count / 5
                XCTAssertEqual(try read(spool.reader(of: range, buffer: 100), in: 13, range.count), Array(all[range]))
                XCTAssertEqual(try scratch.names, [], "the file has a name")
            }
        }
    }

    /// What is appended after a reading comes behind what was there.
    func testReadingInBetween() throws {
        let all = bytes(2 * Spool.pieceBytes)
        for memory in [0, 64 << 20] {
            let spool = Spool(memory: memory, folder: scratch.path)
            try all[..<1000].withUnsafeBytes(spool.append)
            XCTAssertEqual(try read(spool.reader(), in: 64, 1000), Array(all[..<1000]))
            try all[1000...].withUnsafeBytes(spool.append)
            XCTAssertEqual(try read(spool.reader(), in: 4096, all.count), all)
        }
    }

    func testNoFolder() throws {
        let spool = Spool(memory: 0, folder: scratch("absent"))
        assertRefused(status: .cannotCreate, "absent", "temporary file") {
            try [UInt8](repeating: 1, count: 9).withUnsafeBytes(spool.append)
        }
    }

    private func read(_ reader: Spool.Reader, in piece: Int, _ count: Int) throws -> [UInt8] {
        var reader = reader
        var result: [UInt8] = []
        while result.count < count {
            var part = [UInt8](repeating: 0, count: min(piece, count - result.count))
            XCTAssertTrue(try part.withUnsafeMutableBytes { try reader.read(into: $0) })
            result += part
        }
        var one: UInt8 = 0
        XCTAssertFalse(try withUnsafeMutableBytes(of: &one) { try reader.read(into: $0) })
        return result
    }
}
