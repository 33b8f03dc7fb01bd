import Streams
import TestSupport
import XCTest

/// Well-formed files, and every malformed one that is known to have broken a reader.
final class GGUFTests: XCTestCase {
    private typealias B = GGUFBytes
    private let scratch = ScratchFolder()

    override func tearDown() { scratch.remove() }

    private func open(_ bytes: [UInt8]) throws -> GGUFFile { try GGUFFile.open(scratch.write("m.gguf", bytes)) }

    /// Two tensors of float32 and one of Q8_0, with metadata of every type.
    private func sample(version: UInt32 = 3) -> [UInt8] {
        let entries = [
            B.text("general.architecture", "llama"), B.uint32("n", 7), B.float32("eps", 0.5), B.boolean("yes", true),
            B.entry("i8", type: 1, [0xFF]), B.entry("u8", type: 0, [200]), B.entry("u16", type: 2, littleEndian(UInt16(60_000))),
            B.entry("i16", type: 3, littleEndian(Int16(-5))), B.entry("i32", type: 5, littleEndian(Int32(-6))),
            B.entry("u64", type: 10, littleEndian(UInt64.max)), B.entry("i64", type: 11, littleEndian(Int64.min)),
            B.entry("f64", type: 12, littleEndian(Double(2.5).bitPattern)),
            B.array("words", type: 8, count: 3, B.string("a") + B.string("") + B.string("\u{1F600}")),
            B.array("kinds", type: 5, count: 2, littleEndian(Int32(-1)) + littleEndian(Int32(3))),
            B.array("scores", type: 6, count: 2, float32Bytes([1, -2])), B.array("flags", type: 7, count: 2, [1, 0]),
        ]
        let tensors = [
            B.tensor("a", [3, 2], type: 0, offset: 0), B.tensor("b", [64], type: 8, offset: 32), B.tensor("c", [8], type: 0, offset: 128),
        ]
        let data =
            float32Bytes([1, 2, 3, 4, 5, 6]) + [UInt8](repeating: 0, count: 8) + (0..<96).map { UInt8($0) }
            + float32Bytes([8, 7, 6, 5, 4, 3, 2, 1])
        return B.file(version: version, entries: entries, tensors: tensors, data: data)
    }

    func testReadsBothVersions() throws {
        for version in [2, 3] as [UInt32] {
            let file = try open(sample(version: version))
            XCTAssertEqual(file.version, version)
            XCTAssertEqual(file.keys.prefix(3), ["general.architecture", "n", "eps"])
            XCTAssertEqual(file.tensors.map(\.name), ["a", "b", "c"])
            XCTAssertEqual(file.tensor("a")?.shape, [2, 3])
            XCTAssertEqual(file.tensor("b")?.count, 64)
            XCTAssertEqual(file.tensor("c").map { [UInt8](file.bytes($0)) }, float32Bytes([8, 7, 6, 5, 4, 3, 2, 1]))
            XCTAssertNil(file.tensor("d"))
            XCTAssertEqual(file.trailingBytes, 0)
        }
    }

    func testReadsEveryValueType() throws {
        let file = try open(sample())
        XCTAssertEqual(file.value("general.architecture")?.string, "llama")
        XCTAssertEqual(
            ["n", "i8", "u8", "u16", "i16", "i32", "i64"].map { file.value($0)?.integer }, [7, -1, 200, 60_000, -5, -6, Int.min])
        XCTAssertNil(file.value("u64")?.integer)
        XCTAssertEqual(file.value("eps")?.real, 0.5)
        XCTAssertEqual(file.value("f64")?.real, 2.5)
        XCTAssertEqual(file.value("yes")?.boolean, true)
        XCTAssertEqual(file.value("words")?.strings, [Array("a".utf8), [], Array("\u{1F600}".utf8)])
        XCTAssertEqual(file.value("kinds")?.integers, [-1, 3])
        XCTAssertEqual(file.value("scores")?.reals, [1, -2])
        XCTAssertEqual(file.value("flags")?.array?.booleans, [true, false])
        XCTAssertNil(file.value("words")?.integers)
        XCTAssertNil(file.value("absent").map { _ in 0 })
    }

    func testAcceptsWhatTheReferenceAccepts() throws {
        XCTAssertEqual(try open(sample() + [1, 2, 3]).trailingBytes, 3)
        XCTAssertEqual(try open(B.file()).tensors, [])
        let scalar = try open(B.file(tensors: [B.tensor("s", [], type: 0, offset: 0)], data: [0, 0, 0, 0]))
        XCTAssertEqual(scalar.tensors[0].shape, [])
        let empty = try open(
            B.file(tensors: [B.tensor("e", [0, 7], type: 2, offset: 0), B.tensor("f", [1], type: 0, offset: 0)], data: [0, 0, 0, 0]))
        XCTAssertEqual(empty.tensors.map(\.count), [0, 1])
        for alignment in [1, 4096] {
            let two = [B.tensor("a", [1], type: 0, offset: 0), B.tensor("b", [1], type: 0, offset: alignment == 1 ? 4 : 4096)]
            let data = float32Bytes([1]) + [UInt8](repeating: 9, count: alignment == 1 ? 0 : 4092) + float32Bytes([2])
            let file = try open(
                B.file(entries: [B.uint32("general.alignment", UInt32(alignment))], tensors: two, alignment: alignment, data: data))
            XCTAssertEqual([UInt8](file.bytes(file.tensors[1])), float32Bytes([2]))
        }
    }

    func testRefusesBadHeaders() {
        func header(_ version: UInt32, _ tensors: UInt64 = 0, _ entries: UInt64 = 0) -> [UInt8] {
            Array("GGUF".utf8) + littleEndian(version) + littleEndian(tensors) + littleEndian(entries)
        }
        let cases: [(String, [UInt8], Int, String)] = [
            ("empty", [], 0, "empty"), ("cut magic", Array("GGU".utf8), 0, "not a GGUF"),
            ("other order", Array("FUGG".utf8) + header(3), 0, "other byte order"), ("big-endian", header(0x0300_0000), 4, "big-endian"),
            ("version 0", header(0), 4, "version 0"), ("version 1", header(1), 4, "version 1"), ("version 4", header(4), 4, "version 4"),
            ("tensors -1", header(3, .max), 8, "\(UInt64.max) tensors"), ("tensors 2^62", header(3, 1 << 62), 8, "tensors"),
            ("tensors 0x1d", header(3, 0x1D1D_1D1D_1D1D_1D1D), 8, "tensors"), ("entries -1", header(3, 0, .max), 16, "entries"),
            ("entries 2^32", header(3, 0, 1 << 32), 16, "entries"),
            ("pointer", Array("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n".utf8), 0, "Git LFS pointer"),
            ("page", Array("<!DOCTYPE html><html>".utf8), 0, "HTML"), ("gzip", [0x1F, 0x8B, 8, 0], 0, "gzip"),
            ("pickle", [0x80, 0x02, 0x8A], 0, "pickle"), ("zeros", [UInt8](repeating: 0, count: 64), 0, "zero bytes"),
            ("safetensors", safetensorsBytes("{}"), 0, "safetensors"),
        ]
        for (title, bytes, byte, words) in cases { assertRefused(byte: byte, words, title: title) { try open(bytes) } }
    }

    func testRefusesBadMetadata() {
        let room = [UInt8](repeating: 0, count: 64)
        func one(_ entry: [UInt8]) -> [UInt8] { B.file(entryCount: 1, entries: [entry]) + room }
        func lengths(_ length: UInt64) -> [UInt8] { littleEndian(length) }
        let cases: [(String, [UInt8], Int, String)] = [
            ("key length -1", one(lengths(.max)), 24, "key"), ("key length 2^63", one(lengths(1 << 63)), 24, "key"),
            ("key of 65,536", one(lengths(65_536)), 24, "65536"), ("empty key", one(lengths(0)), 24, "empty key"),
            ("key not UTF-8", one(lengths(2) + [0xC3, 0x28]), 32, "not UTF-8"), ("key with NUL", one(B.string("a\0")), 32, "NUL"),
            ("type 13", one(B.entry("a", type: 13, [])), 33, "type 13"), ("type 255", one(B.entry("a", type: 255, [])), 33, "type 255"),
            ("type -1", one(B.entry("a", type: .max, [])), 33, "type"),
            ("array of arrays", one(B.array("a", type: 9, count: 1, [])), 37, "arrays of arrays"),
            ("array of 2^63", one(B.array("a", type: 4, count: 1 << 63, [])), 37, "array"),
            ("array of 2^62 x 8", one(B.array("a", type: 10, count: 1 << 62, [])), 37, "array"),
            ("2^31 strings", one(B.array("a", type: 8, count: 1 << 31, [])), 37, "array"),
            ("array of unknown", one(B.array("a", type: 77, count: 1, [])), 37, "unknown type 77"),
            ("long string", one(B.entry("a", type: 8, lengths(65))), 37, "65 bytes"),
            ("string -1", one(B.entry("a", type: 8, lengths(.max))), 37, "string"),
            ("boolean 2", one(B.entry("a", type: 7, [2])), 37, "boolean of value 2"),
            ("boolean 3 in array", one(B.array("a", type: 7, count: 2, [1, 3])), 50, "boolean of value 3"),
            ("alignment 0", one(B.uint32("general.alignment", 0)), 24, "alignment"),
            ("alignment 13", one(B.uint32("general.alignment", 13)), 24, "13"),
            ("alignment 2^31", one(B.uint32("general.alignment", 1 << 31)), 24, "alignment"),
            ("alignment int32", one(B.entry("general.alignment", type: 5, littleEndian(Int32(32)))), 24, "alignment"),
            ("alignment string", one(B.text("general.alignment", "32")), 24, "type string"),
            ("split", one(B.entry("split.count", type: 2, [3, 0])), 24, "3 parts"),
        ]
        for (title, bytes, byte, words) in cases { assertRefused(byte: byte, words, title: title) { try open(bytes) } }
        let twice = B.file(entries: [B.uint32("a", 1), B.uint32("a", 2)])
        assertRefused(byte: 24 + B.uint32("a", 1).count, "occurs twice") { try open(twice) }
    }

    func testRefusesNestedArraysWithoutRecursion() {
        var nested: [UInt8] = littleEndian(UInt32(9)) + littleEndian(UInt64(1))
        for _ in 0..<100_000 { nested += littleEndian(UInt32(9)) + littleEndian(UInt64(1)) }
        assertRefused(byte: 37, "arrays of arrays") { try open(B.file(entries: [B.entry("a", type: 9, nested)])) }
    }

    func testRefusesBadTensors() {
        let room = [UInt8](repeating: 0, count: 256)
        func one(_ tensor: [UInt8]) -> [UInt8] { B.file(tensors: [tensor], data: room) }
        let cases: [(String, [UInt8], String)] = [
            ("long name", one(B.tensor(String(repeating: "n", count: 64), [1], type: 0, offset: 0)), "64 bytes"),
            ("empty name", one(B.tensor("", [1], type: 0, offset: 0)), "empty tensor name"),
            ("5 dimensions", one(B.tensor("t", [1, 1, 1, 1, 1], type: 0, offset: 0)), "5 dimensions"),
            ("2^32-1 dimensions", one(B.string("t") + littleEndian(UInt32.max)), "4294967295 dimensions"),
            ("dimension -1", one(B.tensor("t", [.max], type: 0, offset: 0)), "overflow"),
            ("count too big", one(B.tensor("t", [4 << 31, 4 << 31], type: 0, offset: 0)), "overflow"),
            ("bytes too big", one(B.tensor("t", [1_518_500_250, 1_518_500_250], type: 27, offset: 0)), "'t'"),
            ("padding wraps", one(B.tensor("t", [UInt64.max / 4], type: 0, offset: 0)), "'t'"),
            ("Q4_0 of 2^62.2", one(B.tensor("t", [5_124_095_576_030_431_008], type: 2, offset: 0)), "cut short"),
            ("type -1", one(B.tensor("t", [1], type: .max, offset: 0)), "unknown type"),
            ("removed type", one(B.tensor("t", [32], type: 4, offset: 0)), "unknown type 4"),
            ("past the last type", one(B.tensor("t", [32], type: 42, offset: 0)), "unknown type 42"),
            ("part of a block", one(B.tensor("t", [33], type: 8, offset: 0)), "33"),
            ("offset -1", one(B.tensor("t", [1], type: 0, offset: .max)), "offset"),
            ("offset 32", one(B.tensor("t", [1], type: 0, offset: 32)), "expected 0"),
            ("offset 1", one(B.tensor("t", [1], type: 0, offset: 1)), "expected 0"),
            ("past the end", one(B.tensor("t", [65], type: 0, offset: 0)), "cut short"),
        ]
        for (title, bytes, words) in cases { assertRefused(words, title: title) { try open(bytes) } }
        assertRefused(byte: 32, "not UTF-8") { try open(one(littleEndian(UInt64(2)) + [0xFF, 0x61])) }
    }

    func testRefusesBadPlacement() {
        let room = [UInt8](repeating: 0, count: 256)
        func two(_ first: UInt64, _ second: UInt64, dimension: UInt64 = 8, type: UInt32 = 0) -> [UInt8] {
            B.file(
                tensors: [B.tensor("a", [dimension], type: type, offset: first), B.tensor("b", [dimension], type: type, offset: second)],
                data: room)
        }
        XCTAssertNoThrow(try open(two(0, 32)))
        assertRefused("'b' has offset 0, expected 32", title: "overlap") { try open(two(0, 0)) }
        assertRefused("expected 32", title: "gap") { try open(two(0, 64)) }
        assertRefused("'a' has offset 32", title: "descending") { try open(two(32, 0)) }
        assertRefused("expected 32", title: "packed at 1 though aligned to 32") { try open(two(0, 4, dimension: 1)) }
        assertRefused("'a'", title: "sum of sizes wraps") {
            try open(two(0, 0x7FFF_FFFF_FFFF_FFC0, dimension: 0x7FFF_FFFF_FFFF_FFC0, type: 24))
        }
        let twice = B.file(tensors: [B.tensor("a", [8], type: 0, offset: 0), B.tensor("a", [8], type: 0, offset: 32)], data: room)
        assertRefused("'a' occurs twice") { try open(twice) }
    }

    func testEveryCutIsRefused() throws {
        let whole = sample()
        XCTAssertNoThrow(try open(whole))
        for length in whole.indices { assertRefused(title: "cut at \(length)") { try open(Array(whole[..<length])) } }
    }

    /// A flipped bit gives a file that is refused or one whose ranges lie inside it; it never traps.
    func testNoFlippedBitTraps() throws {
        let whole = sample()
        for place in whole.indices {
            for bit in [place % 8, 7 - place % 8] {
                var bytes = whole
                bytes[place] ^= 1 << bit
                do {
                    let file = try open(bytes)
                    for tensor in file.tensors { XCTAssertLessThanOrEqual(file.bytes(tensor).count, bytes.count) }
                    for key in file.keys { _ = (file.value(key)?.strings, file.value(key)?.integers, file.value(key)?.reals) }
                } catch is Failure {
                    continue
                }
            }
        }
    }

    func testNamesTypes() {
        XCTAssertEqual(GGUFTensorType.q4_1.name, "Q4_1")
        XCTAssertEqual(GGUFTensorType.iq2_xxs.name, "IQ2_XXS")
        XCTAssertEqual(GGUFTensorType.bf16.name, "BF16")
        XCTAssertEqual(
            GGUFTensorType.allCases.filter(\.isReadable).map(\.name),
            ["F32", "F16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K", "BF16"])
    }
}
