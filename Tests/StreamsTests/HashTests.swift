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

    func testXXH64OfOnePieceIsThatOfMany() {
        let bytes = sanityBuffer(100)
        for count in 0...100 {
            var hash = XXH64()
            for byte in bytes[..<count] { withUnsafeBytes(of: byte) { hash.update($0) } }
            XCTAssertEqual(bytes[..<count].withUnsafeBytes(XXH64.hash), hash.digest(), "\(count) bytes")
        }
    }

    func testCRC32CByTablesIsTheInstructions() {
        let bytes = (0..<19000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
        // Three runs of 2,048 bytes are taken at once.
        for count in Array(0..<700) + [6143, 6144, 6145, 6153, 12287, 12288, 18431, 18432, 18439, 19000] {
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

    /// SHA-256 of bytes given in pieces of `size`, by the processor's instructions (where it has them) or without.
    private func sha256(_ bytes: some Collection<UInt8>, pieces size: Int = .max, byInstructions: Bool) -> [UInt8] {
        var hash = SHA256(byInstructions: byInstructions)
        var rest = bytes[...]
        while !rest.isEmpty {
            Array(rest.prefix(size)).withUnsafeBytes { hash.update($0) }
            rest = rest.dropFirst(size)
        }
        return hash.finish()
    }

    func testSHA256KnownValues() {
        // FIPS 180-2, appendix B, and NIST's empty message, 896-bit message and "Additional SHA256 Vectors".
        let table: [([UInt8], String)] = [
            ([], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (Array("abc".utf8), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8),
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
            (
                Array(
                    "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"
                        .utf8),
                "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
            ),
            ([UInt8](repeating: 0x61, count: 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
            ([0xBD], "68325720aabd7c82f30f554b313d0570c95accbb7dc4b5aae11204c08ffe732b"),
            ([0xC9, 0x8C, 0x8E, 0x55], "7abc22c0ae5af26ce93dbb94433a0e0b2e119d014f8e7f65bd56c61ccccd9504"),
            ([UInt8](repeating: 0, count: 55), "02779466cdec163811d078815c633f21901413081449002f24aa3e80f0b88ef7"),
            ([UInt8](repeating: 0, count: 56), "d4817aa5497628e7c77e6b606107042bbba3130888c5f47a375e6179be789fbb"),
            ([UInt8](repeating: 0, count: 57), "65a16cb7861335d5ace3c60718b5052e44660726da4cd13bb745381b235a1785"),
            ([UInt8](repeating: 0, count: 64), "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b"),
        ]
        for (bytes, expected) in table {
            XCTAssertEqual(bytes.withUnsafeBytes(SHA256.hex), expected, "\(bytes.count) bytes")
            XCTAssertEqual(hexadecimal(sha256(bytes, byInstructions: false)), expected, "\(bytes.count) bytes, by arithmetic")
        }
    }

    func testSHA256OfEveryLength() {
        // Expected: Python's hashlib, the hash of the hashes of the first 0, 1, … 300 bytes of the sanity buffer.
        let bytes = sanityBuffer(300)
        for byInstructions in [true, false] {
            let hashes = (0...300).flatMap { sha256(bytes[..<$0], byInstructions: byInstructions) }
            XCTAssertEqual(
                hexadecimal(sha256(hashes, byInstructions: byInstructions)),
                "60ed49ef273928f50c12925b7ce0b68422684e74d5867508f69d352b314d3ea7", "by instructions: \(byInstructions)")
        }
    }

    func testSHA256InPiecesOfEverySize() {
        let bytes = sanityBuffer(300)
        for byInstructions in [true, false] {
            let whole = sha256(bytes, byInstructions: byInstructions)
            for size in 1...300 {
                XCTAssertEqual(sha256(bytes, pieces: size, byInstructions: byInstructions), whole, "pieces of \(size), \(byInstructions)")
            }
        }
    }

    func testSHA256ByArithmeticIsTheInstructions() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            // From any address: the instructions load whole blocks wherever they begin.
            let bytes = (0..<Int.random(in: 0...5000, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            let start = Int.random(in: 0...min(bytes.count, 70), using: &random)
            bytes[start...].withUnsafeBytes {
                var (fast, plain) = (SHA256(byInstructions: true), SHA256(byInstructions: false))
                fast.update($0)
                plain.update($0)
                XCTAssertEqual(fast.finish(), plain.finish(), "bytes from \(start) of \(hexadecimal(bytes))")
            }
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
