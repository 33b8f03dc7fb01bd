// Buffers, random numbers and the cut of products.
import TestSupport
import XCTest

@testable import Compute

final class MemoryTests: XCTestCase {
    func testBuffersStartZeroedAndAligned() {
        for count in [0, 1, 15, 1_000, 1 << 20, (1 << 20) + 3] {
            let buffer = Buffer(count: count)
            XCTAssertEqual(buffer.count, count)
            XCTAssertEqual(Int(bitPattern: buffer.pointer) % 64, 0, "\(count)")
            XCTAssert(buffer.array.allSatisfy { $0 == 0 }, "\(count)")
            XCTAssertFalse(buffer.isReadOnly)
        }
    }

    func testViewsShareAndKeepTheirBuffer() {
        var view: Buffer?
        do {
            let buffer = Buffer([1, 2, 3, 4, 5])
            view = buffer.view(1..<4).view(1..<3)
            buffer.pointer[3] = 7
        }
        XCTAssertEqual(view?.array, [3, 7])
        XCTAssertEqual(Buffer([1]).view(1..<1).count, 0)
    }

    func testMappingsAreNotCopiedAndKeepTheirOwner() {
        final class Owner {
            let values = UnsafeMutablePointer<Float>.allocate(capacity: 2)
            let ended: () -> Void
            init(_ ended: @escaping () -> Void) { self.ended = ended }
            deinit {
                values.deallocate()
                ended()
            }
        }
        var endings = 0
        var buffer: Buffer?
        do {
            let owner = Owner { endings += 1 }
            owner.values.initialize(repeating: 3, count: 2)
            buffer = Buffer(mapping: owner.values, count: 2, owner: owner)
        }
        XCTAssertEqual(buffer?.array, [3, 3])
        XCTAssertEqual(buffer?.isReadOnly, true)
        XCTAssertEqual(buffer?.view(0..<1).isReadOnly, true)
        XCTAssertEqual(endings, 0)
        buffer = nil
        XCTAssertEqual(endings, 1)
    }

    /// The first outputs of the authors' C programs.
    func testGeneratorsGiveTheReferenceNumbers() {
        var mixer = SplitMix64(state: 1_234_567)
        XCTAssertEqual(
            (0..<3).map { _ in mixer.next() }, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423])
        var generator = Xoshiro256(state: (1, 2, 3, 4))
        XCTAssertEqual((0..<4).map { _ in generator.next() }, [11_520, 0, 1_509_978_240, 1_215_971_899_390_074_240])
    }

    func testNormalNumbersHaveTheirMoments() {
        var generator = Xoshiro256(seed: 7)
        let n = 200_000
        let x = (0..<n).map { _ in generator.normal() }
        let moments = (1...4).map { power in x.reduce(0) { sum, value in sum + (0..<power).reduce(1.0) { p, _ in p * value } } / Double(n) }
        // Five standard errors of each moment.
        XCTAssertEqual(moments[0], 0, accuracy: 5 * (1 / Double(n)).squareRoot())
        XCTAssertEqual(moments[1], 1, accuracy: 5 * (2 / Double(n)).squareRoot())
        XCTAssertEqual(moments[2], 0, accuracy: 5 * (15 / Double(n)).squareRoot())
        XCTAssertEqual(moments[3], 3, accuracy: 5 * (96 / Double(n)).squareRoot())
    }

    func testStreamsAndSeedsDiffer() {
        var firsts = Set<UInt64>()
        for seed in 0..<20 as Range<UInt64> {
            for stream in 0..<20 as Range<UInt64> {
                var generator = Xoshiro256(seed: seed, stream: stream)
                firsts.insert(generator.next())
            }
        }
        XCTAssertEqual(firsts.count, 400)
        let (a, b) = (Buffer(count: 9), Buffer(count: 9))
        var (one, two) = (Xoshiro256(seed: 3), Xoshiro256(seed: 3))
        one.fillNormal(a, deviation: 0.02)
        two.fillNormal(b, deviation: 0.02)
        assertSameBits(a.array, b.array)
    }

    /// Every element of a product lies in one tile, and no tile is small where the product is not.
    func testTilesCoverAProductOnce() {
        var random = TestRandom(71)
        var shapes = [(1, 1, 1), (1, 5_000, 900), (5_000, 1, 900), (700, 200, 330), (65_536, 48, 48), (130, 800, 620), (16_385, 64, 64)]
        let sizes = random.integers(3_000, below: 3_000).map { $0 + 1 }
        for i in 0..<1_000 { shapes.append((sizes[i], sizes[1_000 + i], sizes[2_000 + i])) }
        for (rows, columns, depth) in shapes {
            let grid = TileGrid(rows: rows, columns: columns, depth: depth)
            let what = "\((rows, columns, depth)), seed \(random.seed)"
            var area = 0
            for task in 0..<grid.count {
                let t = grid.tile(task)
                XCTAssert(t.rows > 0 && t.columns > 0 && t.row + t.rows <= rows && t.column + t.columns <= columns, what)
                XCTAssert(t.row % 16 == 0 && t.column % 16 == 0, what)
                XCTAssert(grid.count == 1 || t.rows * t.columns * depth > OpenBLAS.smallProductLimit, what)
                area += t.rows * t.columns
            }
            XCTAssertEqual(area, rows * columns, what)
        }
    }
}
