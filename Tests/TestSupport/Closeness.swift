// When two runs of numbers are close: a bound that is stated, not one number for all.
import XCTest

/// Fails unless |actual − expected| <= absolute + k · ε · |expected| · √n for every element, ε = 2^−23.
///
/// - `k`: how many roundings of the result's own size are granted; `n`: how many terms were summed.
/// - NaN and infinities must agree exactly. The message names the worst place.
public func assertClose(
    _ actual: [Float], _ expected: [Double], absolute: Double, k: Double, n: Int = 1, _ what: String = "",
    file: StaticString = #filePath, line: UInt = #line
) {
    guard actual.count == expected.count else {
        return XCTFail("\(what): \(actual.count) values, expected \(expected.count)", file: file, line: line)
    }
    var worst = (excess: 0.0, place: -1)
    for i in actual.indices {
        let (a, e) = (Double(actual[i]), expected[i])
        if a.isNaN && e.isNaN || a == e { continue }
        let bound = absolute + k * 0x1p-23 * abs(e) * Double(max(n, 1)).squareRoot()
        let excess = (a - e).isFinite ? abs(a - e) / bound : .infinity
        if excess > 1 && excess > worst.excess { worst = (excess, i) }
    }
    if worst.place >= 0 {
        XCTFail(
            "\(what): value \(worst.place) is \(actual[worst.place]), expected \(expected[worst.place]), \(worst.excess) times the bound",
            file: file, line: line)
    }
}

/// Fails unless the two runs have the same bits.
public func assertSameBits(_ a: [Float], _ b: [Float], _ what: String = "", file: StaticString = #filePath, line: UInt = #line) {
    XCTAssertEqual(a.count, b.count, what, file: file, line: line)
    let place = zip(a, b).enumerated().first { $0.element.0.bitPattern != $0.element.1.bitPattern }
    if let place {
        XCTFail("\(what): value \(place.offset) is \(place.element.0) and \(place.element.1)", file: file, line: line)
    }
}
