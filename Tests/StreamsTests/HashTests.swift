// XXH64, CRC-32C and SHA-256 against published vectors, and in pieces against the whole.
import XCTest

@testable import Streams

final class HashTests: XCTestCase {
    /// The buffer of the xxHash project's own sanity check: bytes of a multiplicative generator.
    private func sanityBuffer(_ count: Int) -> [UInt8] {
        var state: UInt64 = 2_654_435_761
        return (0..<count).map { _ in
            defer { state = state &* 11_400_714_785_074_694_797 }
            return UInt8(state >> 56)
        }
    }

    func testXXH64KnownValues() {
        let prime: UInt64 = 2_654_435_761
        // xxHash tests/sanity_test.c and its vectors for XXH64.
        let table: [(Int, UInt64, UInt64)] = [
            (0, 0, 0xEF46_DB37_51D8_E999), (0, prime, 0xAC75_FDA2_929B_17EF),
            (1, 0, 0xE934_A84A_DB05_2768), (1, prime, 0x5014_6076_43A9_B4C3),
            (4, 0, 0x9136_A0DC_A574_57EE), (14, 0, 0x8282_DCC4_994E_35C8), (14, prime, 0xC3BD_6BF6_3DEB_6DF0),
            (222, 0, 0xB641_AE8C_B691_C174), (222, prime, 0x20CB_8AB7_AE10_C14A),
        ]
        for (count, seed, expected) in table {
            var hash = XXH64(seed: seed)
            sanityBuffer(count).withUnsafeBytes { hash.update($0) }
            XCTAssertEqual(hash.digest(), expected, "\(count) bytes, seed \(seed)")
        }
        XCTAssertEqual(Array("abc".utf8).withUnsafeBytes(XXH64.hash), 0x44BC_2CF5_AD77_0999)
    }

    func testCRC32CByTablesIsTheInstructions() {
        let bytes = (0..<700).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
        for count in 0..<700 {
            bytes[..<count].withUnsafeBytes { XCTAssertEqual(crc32c($0, continuing: 7), crc32cByTables($0, continuing: 7)) }
        }
    }

    func testCRC32CKnownValues() {
        // RFC 3720, appendix B.4, and the check value of the CRC catalogue.
        XCTAssertEqual(Array("123456789".utf8).withUnsafeBytes { crc32c($0) }, 0xE306_9283)
        XCTAssertEqual([UInt8](repeating: 0, count: 32).withUnsafeBytes { crc32c($0) }, 0x8A91_36AA)
        XCTAssertEqual([UInt8](repeating: 0xFF, count: 32).withUnsafeBytes { crc32c($0) }, 0x62A8_AB43)
        XCTAssertEqual([UInt8](0..<32).withUnsafeBytes { crc32c($0) }, 0x46DD_794E)
        XCTAssertEqual([UInt8](0..<32).reversed().withUnsafeBytes { crc32c($0) }, 0x113F_DB5C)
        XCTAssertEqual([UInt8]().withUnsafeBytes { crc32c($0) }, 0)
    }

    func testSHA256KnownValues() {
        // FIPS 180-2, appendix B, and NIST's empty message.
        let table = [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
            (String(repeating: "a", count: 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
        ]
        for (text, expected) in table {
            XCTAssertEqual(Array(text.utf8).withUnsafeBytes(SHA256.hex), expected, "\(text.prefix(20))")
        }
    }

    func testPiecesEqualTheWhole() {
        let bytes = sanityBuffer(300)
        let xxh = bytes.withUnsafeBytes(XXH64.hash)
        let crc = bytes.withUnsafeBytes { crc32c($0) }
        let sha = bytes.withUnsafeBytes(SHA256.hex)
        for cut in 0...300 {
            let (head, tail) = (Array(bytes[..<cut]), Array(bytes[cut...]))
            var pieces = XXH64()
            head.withUnsafeBytes { pieces.update($0) }
            tail.withUnsafeBytes { pieces.update($0) }
            XCTAssertEqual(pieces.digest(), xxh, "cut at \(cut)")
            XCTAssertEqual(tail.withUnsafeBytes { crc32c($0, continuing: head.withUnsafeBytes { crc32c($0) }) }, crc, "cut at \(cut)")
            var hash = SHA256()
            head.withUnsafeBytes { hash.update($0) }
            tail.withUnsafeBytes { hash.update($0) }
            XCTAssertEqual(hexadecimal(hash.finish()), sha, "cut at \(cut)")
        }
    }
}
