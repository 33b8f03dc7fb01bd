import Streams
import TestSupport
import XCTest

final class ByteCursorTests: XCTestCase {
    func testReadsEveryWidthUnaligned() throws {
        let bytes: [UInt8] = [7] + littleEndian(UInt16(0xBEEF)) + littleEndian(UInt32(0xDEAD_BEEF)) + littleEndian(UInt64.max - 1)
        let more = littleEndian(Int16(-2)) + littleEndian(Int32(-3)) + littleEndian(Int64(-4)) + [0xFF]
        let floats = littleEndian(Float(1.5).bitPattern) + littleEndian(Double(-2.25).bitPattern)
        try (bytes + more + floats).withUnsafeBytes { all in
            var cursor = ByteCursor(all, name: "x")
            XCTAssertEqual(try cursor.u8(), 7)
            XCTAssertEqual(try cursor.u16(), 0xBEEF)
            XCTAssertEqual(try cursor.u32(), 0xDEAD_BEEF)
            XCTAssertEqual(try cursor.u64(), UInt64.max - 1)
            XCTAssertEqual(try cursor.i16(), -2)
            XCTAssertEqual(try cursor.i32(), -3)
            XCTAssertEqual(try cursor.i64(), -4)
            XCTAssertEqual(try cursor.i8(), -1)
            XCTAssertEqual(try cursor.f32(), 1.5)
            XCTAssertEqual(try cursor.f64(), -2.25)
            XCTAssertEqual(cursor.remaining, 0)
        }
    }

    func testRefusesToPassTheEndAndStaysWhereItWas() throws {
        try [UInt8](repeating: 1, count: 7).withUnsafeBytes { all in
            var cursor = ByteCursor(all, name: "x", base: 100)
            cursor.offset = 2
            assertRefused(byte: 102, "8 bytes, but 5 are left") { try cursor.u64() }
            assertRefused(byte: 102) { try cursor.bytes(6) }
            assertRefused(byte: 102) { try cursor.skip(.max) }
            assertRefused(byte: 102) { try cursor.bytes(1 << 63) }
            XCTAssertEqual(cursor.offset, 2)
            XCTAssertEqual(try cursor.bytes(5).count, 5)
        }
    }
}
