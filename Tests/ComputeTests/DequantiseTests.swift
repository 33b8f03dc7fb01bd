// Stored types to float32: every half and bfloat16 value, and blocks as ggml lays them out.
import Streams
import TestSupport
import XCTest

@testable import Compute

final class DequantiseTests: XCTestCase {
    private func values(_ type: StoredType, _ bytes: [UInt8], count: Int, pool: ThreadPool? = nil) -> [Float] {
        var result = [Float](repeating: -1, count: count)
        // One byte off alignment, as blocks of 34 bytes are.
        let shifted = [0] + bytes
        result.withUnsafeMutableBufferPointer { result in
            shifted.withUnsafeBytes { stored in
                let odd = UnsafeRawBufferPointer(rebasing: stored[1...])
                dequantise(type, from: odd, into: result.baseAddress!, count: count, pool: pool)
            }
        }
        return result
    }

    private func bytes(_ x: UInt16) -> [UInt8] { [UInt8(x & 255), UInt8(x >> 8)] }

    func testEveryHalf() {
        let all = (0...UInt16.max).map { $0 }
        let expected = all.map { Float(Float16(bitPattern: $0)) }
        let actual = values(.f16, all.flatMap(bytes), count: all.count, pool: ThreadPool(threads: 2))
        for (a, e) in zip(actual, expected) where !(a.isNaN && e.isNaN) { XCTAssertEqual(a.bitPattern, e.bitPattern) }
    }

    func testEveryBfloat16() {
        let all = (0...UInt16.max).map { $0 }
        let actual = values(.bf16, all.flatMap(bytes), count: all.count)
        for (a, x) in zip(actual, all) { XCTAssertEqual(a.bitPattern, UInt32(x) << 16) }
    }

    func testBlocks() {
        var random = TestRandom(51)
        for blocks in [0, 1, 3, 70] {
            var (q8, q40, q41): ([UInt8], [UInt8], [UInt8]) = ([], [], [])
            var (e8, e40, e41): ([Float], [Float], [Float]) = ([], [], [])
            for _ in 0..<blocks {
                let (d, m) = (Float16(random.floats(1)[0]), Float16(random.floats(1)[0]))
                let q = random.integers(32, below: 256).map { UInt8($0) }
                q8 += bytes(d.bitPattern) + q
                e8 += q.map { Float(d) * Float(Int8(bitPattern: $0)) }
                let nibbles = Array(q[..<16])
                q40 += bytes(d.bitPattern) + nibbles
                q41 += bytes(d.bitPattern) + bytes(m.bitPattern) + nibbles
                let low = nibbles.map { Float($0 & 15) } + nibbles.map { Float($0 >> 4) }
                e40 += low.map { Float(d) * ($0 - 8) }
                e41 += low.map { Float(d) * $0 + Float(m) }
            }
            assertSameBits(values(.q8_0, q8, count: 32 * blocks), e8, "q8_0, seed \(random.seed)")
            assertSameBits(values(.q4_0, q40, count: 32 * blocks), e40, "q4_0")
            assertSameBits(values(.q4_1, q41, count: 32 * blocks), e41, "q4_1")
        }
    }

    private func content(_ name: String) throws -> [UInt8] {
        let map = try MappedFile.open(
            #filePath.replacingOccurrences(of: "ComputeTests/DequantiseTests.swift", with: "fixtures/quantised/\(name)"))
        return withExtendedLifetime(map) { Array(map.bytes) }
    }

    /// Blocks with random contents against the gguf package (Tests/oracles/quantised_blocks.py), bit for bit.
    func testBlocksAsGGUF() throws {
        let types = StoredType.allCases.filter { $0.blockElements > 1 }
        XCTAssertEqual(types.count, 8)
        for type in types {
            let blocks = try content("\(type).blocks")
            let expectedValues = try content("\(type).f32").withUnsafeBytes { raw in
                (0..<raw.count / 4).map { raw.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
            }
            XCTAssertEqual(blocks.count / type.blockBytes * type.blockElements, expectedValues.count)
            assertSameBits(values(type, blocks, count: expectedValues.count), expectedValues, "\(type)")
        }
    }

    func testPoolChangesNothing() {
        var random = TestRandom(52)
        let count = 32 * 10_000
        let stored = random.integers(count / 32 * 34, below: 120).map { UInt8($0) }
        assertSameBits(values(.q8_0, stored, count: count), values(.q8_0, stored, count: count, pool: ThreadPool(threads: 3)))
    }
}
