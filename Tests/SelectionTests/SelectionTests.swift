// Noise, repeated ids, sketches, histograms, extremes.
import Glibc
import TestSupport
import XCTest

@testable import Selection

final class SelectionTests: XCTestCase {
    /// The first unit drawn is unit i with probability weight i / sum: over 20,000 seeds each share is within four standard errors,
    /// which all of them are with probability 0.9997 for another set of seeds.
    func testGumbelDrawsInProportionToWeights() {
        let weights = [1.0, 2, 4, 0.5]
        let sum = weights.reduce(0, +)
        let draws = 20_000
        var first = [Int](repeating: 0, count: weights.count)
        for seed in 0..<draws {
            let noise = GumbelNoise(seed: UInt64(seed))
            let values = weights.indices.map { log(weights[$0]) + noise.value(id: Array("\($0)".utf8)) }
            first[values.indices.max { values[$0] < values[$1] }!] += 1
        }
        for unit in weights.indices {
            let p = weights[unit] / sum
            let error = (p * (1 - p) / Double(draws)).squareRoot()
            XCTAssertEqual(Double(first[unit]) / Double(draws), p, accuracy: 4 * error)
        }
    }

    func testNoiseDependsOnSeedIdAndContentOnly() {
        let noise = GumbelNoise(seed: 9)
        let id = Array("doc".utf8)
        XCTAssertEqual(noise.value(id: id), GumbelNoise(seed: 9).value(id: id))
        let others = [
            noise.value(id: Array("dod".utf8)), noise.value(id: id, content: 1), GumbelNoise(seed: 10).value(id: id), noise.value(id: []),
        ]
        for other in others { XCTAssertNotEqual(noise.value(id: id), other) }
        for number in 0..<1000 {
            let uniform = noise.uniform(id: Array("\(number)".utf8))
            XCTAssertTrue(uniform > 0 && uniform < 1)
        }
    }

    func testRepeatedIDs() throws {
        var random = TestRandom(11)
        // Runs of 4,096: none, a part of one, exactly one, several.
        for count in [0, 1, 4095, 4096, 4097, 20_000] {
            let ids = RepeatedIDs(memory: 0)
            for number in 0..<count { try ids.append(Array("\(number)".utf8)) }
            XCTAssertTrue(try ids.candidates().isEmpty)
            guard count > 1 else { continue }
            let again = Int(random.next() % UInt64(count))
            try ids.append(Array("\(again)".utf8))
            let found = try ids.candidates()
            XCTAssertEqual(found.map { [$0.first, $0.second] }, [[again, count]])
        }
    }

    func testRepeatedIDsByPlace() throws {
        let ids = RepeatedIDs(memory: 1 << 20)
        for hash in [5, 7, 5, 9, 7, 5] as [UInt64] { try ids.append(hash: hash) }
        XCTAssertEqual(try ids.candidates().map { [$0.first, $0.second] }, [[0, 2], [1, 4], [2, 5]])
    }

    func testManyEqualIDsStayFew() throws {
        let ids = RepeatedIDs(memory: 0)
        for _ in 0..<50_000 { try ids.append(hash: 1) }
        XCTAssertEqual(try ids.candidates().count, 4096)
    }

    func testSketch() {
        var sketch = ValueSketch()
        XCTAssertTrue(sketch.quantile(0.5).isNaN)
        for value in -500...500 { sketch.add(Double(value) / 100) }
        XCTAssertEqual(sketch.mean, 0, accuracy: 1e-12)
        XCTAssertEqual(sketch.deviation, ((1001.0 * 1001 - 1) / 12).squareRoot() / 100, accuracy: 1e-9)
        XCTAssertEqual([sketch.least, sketch.most], [-5, 5])
        for share in [0.01, 0.25, 0.5, 0.75, 0.99] {
            let exact = share * 10 - 5
            XCTAssertEqual(sketch.quantile(share), exact, accuracy: abs(exact) / 16 + 0.02)
        }
        // 1,001 numbers: twice the cube root is 20 bins of 0.5.
        let bins = sketch.bins()
        XCTAssertEqual(bins.width, 0.5)
        XCTAssertEqual((0...bins.count).map(bins.low), (-10...10).map { Double($0) / 2 })
    }

    func testBinsOfNothingAndOfOneValue() {
        var sketch = ValueSketch()
        XCTAssertEqual(sketch.bins().count, 1)
        for _ in 0..<9 { sketch.add(0) }
        XCTAssertEqual(sketch.bins(), Bins(first: 0, step: 1, exponent: 0, count: 1))
        XCTAssertEqual(sketch.deviation, 0)
    }

    /// Ends of bins differ whatever the numbers are: scores from a file may be as large as a Float.
    func testBinsOfAnyNumbers() {
        for values in [
            [1e20], [-6.8e38], [6.8e38, -6.8e38], [1e20, 1e20.nextUp], [-1e38, 0, 1e-300], [5e-324, -5e-324], [1e-13, 2e-13],
        ] {
            var sketch = ValueSketch()
            for value in values { sketch.add(value) }
            let bins = sketch.bins()
            XCTAssertTrue((1...200).contains(bins.count), "\(values): \(bins)")
            for bin in 0..<bins.count { XCTAssertLessThan(bins.low(bin), bins.low(bin + 1), "\(values): \(bins)") }
            for value in values { XCTAssertTrue((0..<bins.count).contains(bins.index(of: value)), "\(values): \(bins)") }
        }
    }

    /// Edges are the decimals that people would write.
    func testBinsPrintAsDecimals() {
        let bins = Bins(first: 26, step: 2, exponent: -3, count: 3)
        XCTAssertEqual((0...3).map { bins.low($0).description }, ["0.052", "0.054", "0.056", "0.058"])
        XCTAssertEqual((0..<3).map { bins.index(of: bins.low($0)) }, [0, 1, 2])
    }

    func testHistogramTakesOutliersInItsOuterBins() {
        var histogram = Histogram(Bins(first: -2, step: 5, exponent: -1, count: 4))
        for value in [-100.0, -1, -0.5, 0, 0.4999, 0.5, 0.99, 1, 1e9] { histogram.add(value, kept: value >= 0) }
        XCTAssertEqual(histogram.all, [2, 1, 2, 4])
        XCTAssertEqual(histogram.kept, [0, 0, 2, 4])
    }

    func testExtremes() {
        var extremes = Extremes<Int>(limit: 3)
        let values: [Double] = [1, 5, 3, 5, 0, 9, 5]
        for (place, value) in values.enumerated() { extremes.add(RankKey(value)) { place } }
        XCTAssertEqual(extremes.items, [5, 1, 3])
        var none = Extremes<Int>(limit: 0)
        none.add(RankKey(1)) { 1 }
        XCTAssertEqual(none.items, [])
    }
}
