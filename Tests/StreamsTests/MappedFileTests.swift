import Foundation
import Streams
import TestSupport
import XCTest

final class MappedFileTests: XCTestCase {
    func testMapsARegularFile() throws {
        let scratch = ScratchFolder()
        let map = try MappedFile.open(scratch.write("a", [1, 2, 3]))
        XCTAssertEqual([UInt8](map.bytes), [1, 2, 3])
        XCTAssertEqual([UInt8](map[1..<3]), [2, 3])
        XCTAssertEqual(try MappedFile.open(scratch.write("empty", [])).bytes.count, 0)
    }

    func testRefusesWhatIsNoRegularFileWithoutWaiting() throws {
        let scratch = ScratchFolder()
        XCTAssertEqual(mkfifo(scratch("fifo"), 0o600), 0)
        assertRefused(status: .cannotOpen, "regular file") { try MappedFile.open(scratch("fifo")) }
        assertRefused(status: .cannotOpen, "regular file") { try MappedFile.open("/dev/zero") }
        assertRefused(status: .cannotOpen, "folder") { try MappedFile.open(scratch.path) }
        assertRefused(status: .cannotOpen, "No such file") { try MappedFile.open(scratch("absent")) }
    }

    func testTellsOfChanges() throws {
        let scratch = ScratchFolder()
        let path = try scratch.write("a", [UInt8](repeating: 1, count: 100))
        let map = try MappedFile.open(path)
        try map.checkUnchanged()
        XCTAssertEqual(truncate(path, 50), 0)
        assertRefused("changed from 100 to 50 bytes") { try map.checkUnchanged() }
    }

    func testAMappingIsFoundByItsAddresses() throws {
        let scratch = ScratchFolder()
        var map: MappedFile? = try MappedFile.open(scratch.write("a", [1, 2, 3]))
        let start = try XCTUnwrap(map?.bytes.baseAddress)
        let found = try XCTUnwrap(MappedRegions.find(start + 2))
        XCTAssertEqual(String(cString: found.name), scratch("a"))
        XCTAssertEqual(found.byte, 2)
        XCTAssertNil(MappedRegions.find(start + 3))
        map = nil
        XCTAssertNil(MappedRegions.find(start))
        XCTAssertNil(MappedRegions.find(nil))
    }

    func testSurvivesReplacementByRename() throws {
        let scratch = ScratchFolder()
        let path = try scratch.write("a", [1, 2, 3])
        let map = try MappedFile.open(path)
        XCTAssertEqual(rename(try scratch.write("b", []), path), 0)
        XCTAssertEqual([UInt8](map.bytes), [1, 2, 3])
        XCTAssertNoThrow(try map.checkUnchanged())
    }
}
