import Streams
import TestSupport
import XCTest

/// Sizes against exact arithmetic in 128 bits, and the values that other programs got wrong.
final class ExtentTests: XCTestCase {
    /// The same formula without wrapping: a product of two 64-bit numbers and one more alignment stay below 2^128.
    private func model(_ count: UInt64, _ unit: UInt64, _ per: UInt64, _ alignment: UInt64) -> UInt64? {
        guard per > 0, alignment > 0, count % per == 0 else { return nil }
        let (high, low) = (count / per).multipliedFullWidth(by: unit)
        guard high == 0 else { return nil }
        // Rounding up in two halves, so that no step wraps: ceil(low / alignment) * alignment.
        let blocks = low / alignment + (low % alignment == 0 ? 0 : 1)
        let (over, padded) = blocks.multipliedFullWidth(by: alignment)
        return over == 0 ? padded : nil
    }

    func testEqualsExactArithmetic() {
        var random = TestRandom(20)
        // Numbers of every magnitude, with the edges over-represented.
        func number() -> UInt64 {
            let value = random.next() >> (random.next() % 64)
            switch random.next() % 8 {
            case 0: return 0
            case 1: return UInt64.max - value % 64
            case 2: return 1 << (random.next() % 64)
            default: return value
            }
        }
        for _ in 0..<200_000 {
            let per = number() % 300
            let count = random.next() % 4 == 0 ? number() : (per == 0 ? number() : number() / per * per)
            let (unit, alignment) = (number(), number())
            XCTAssertEqual(
                extent(count: count, unit: unit, per: per, alignment: alignment), model(count, unit, per, alignment),
                "seed \(random.seed): \(count) \(unit) \(per) \(alignment)")
        }
    }

    func testKnownTraps() {
        XCTAssertNil(extent(count: 5_124_095_576_030_431_008 / 32 * 32 + 32, unit: .max, per: 32))
        XCTAssertEqual(extent(count: 5_124_095_576_030_431_008, unit: 18, per: 32), 2_882_303_761_517_117_442)
        XCTAssertNil(extent(count: .max / 4 * 4, unit: 1, alignment: 32), "padding near 2^64 must not wrap to 0")
        XCTAssertNil(extent(count: 1 << 62, unit: 4))
        XCTAssertNil(extent(count: 33, unit: 18, per: 32))
        XCTAssertNil(extent(count: 0, unit: 1, per: 0))
        XCTAssertNil(extent(count: 0, unit: 1, alignment: 0))
        XCTAssertEqual(extent(count: 0, unit: 18, per: 32, alignment: 32), 0)
    }

    func testElementCount() {
        XCTAssertEqual(elementCount([]), 1)
        XCTAssertEqual(elementCount([2, 0, 5]), 0)
        XCTAssertEqual(elementCount([3, 4, 5]), 60)
        XCTAssertNil(elementCount([1 << 32, 1 << 32]))
        XCTAssertNil(elementCount([1 << 63, 1 << 63, 0]), "a dimension of 0 must not hide the wrap")
    }
}
