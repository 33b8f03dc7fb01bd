// Rotary positions: layouts against the Double twin, scaled frequencies against transformers.
// Expected values: Tests/oracles/rotary_reference.py.
import Glibc
import Streams
import TestSupport
import XCTest

@testable import Compute

final class RotaryTests: EveryLevelTestCase {
    func testTurnsEveryLayout() {
        var random = TestRandom(24)
        let shapes = [
            (0, 1, 2, 2), (1, 1, 2, 2), (3, 2, 6, 6), (5, 3, 64, 64), (40, 2, 34, 34), (4, 2, 64, 16), (7, 3, 80, 20), (2, 2, 5, 0),
            (3, 1, 37, 36),
        ]
        for (rows, heads, headWidth, rotaryWidth) in shapes {
            for interleaved in [false, true] {
                let what = "\(rows) x \(heads) x \(rotaryWidth) of \(headWidth), interleaved \(interleaved), seed \(random.seed)"
                let layout = RotaryLayout(headWidth: headWidth, rotaryWidth: rotaryWidth, interleaved: interleaved)
                let positions = random.integers(rows, below: 2_000)
                let table = rotaryTable(positions: 2_000, RotaryConfiguration(theta: 10_000, layout: layout))
                let x = random.floats(rows * heads * headWidth)
                let y = Buffer(x)
                let places = positions.map(Int32.init)
                operations.rotaryForward(x: y, positions: places, table: table, rows: rows, heads: heads, layout: layout)
                let twin = twinRotary(
                    x.doubles, positions: positions, heads: heads, headWidth: headWidth, rotaryWidth: rotaryWidth, interleaved: interleaved,
                    theta: 10_000)
                assertClose(y.array, twin, absolute: 3e-7, k: 2, what)
                for h in 0..<rows * heads {
                    let rest = h * headWidth + rotaryWidth..<(h + 1) * headWidth
                    assertSameBits(Array(y.array[rest]), Array(x[rest]), "beyond the rotary width, " + what)
                }
                // Rotation keeps the norm, and its inverse gives back what was.
                XCTAssertEqual(
                    inner(y.array.doubles, y.array.doubles), inner(x.doubles, x.doubles), accuracy: 1e-5 * Double(x.count + 1), what)
                operations.rotaryBackward(dx: y, positions: places, table: table, rows: rows, heads: heads, layout: layout)
                assertClose(y.array, x.doubles, absolute: 5e-7, k: 2, what)
            }
        }
    }

    /// Both layouts give the same scores of queries with keys when values are reordered.
    func testLayoutsAreOneRotation() {
        var random = TestRandom(25)
        let half = 18
        let x = random.floats(2 * half)
        let halves = Buffer(x)
        let neighbours = Buffer((0..<half).flatMap { [x[$0], x[half + $0]] })
        for (buffer, interleaved) in [(halves, false), (neighbours, true)] {
            let layout = RotaryLayout(headWidth: 2 * half, interleaved: interleaved)
            let table = rotaryTable(positions: 8, RotaryConfiguration(theta: 100, layout: layout))
            operations.rotaryForward(x: buffer, positions: [7], table: table, rows: 1, heads: 1, layout: layout)
        }
        assertSameBits((0..<half).flatMap { [halves.array[$0], halves.array[half + $0]] }, neighbours.array)
    }

    private let cases: [(name: String, width: Int, theta: Double, positions: Int, scaling: RotaryScaling)] = [
        ("linear", 64, 10_000, 1, .linear(factor: 4)),
        ("linear-partial", 16, 10_000, 1, .linear(factor: 2.5)),
        ("dynamic-short", 64, 10_000, 100, .dynamic(factor: 2, originalPositions: 2_048)),
        ("dynamic-long", 64, 10_000, 5_000, .dynamic(factor: 2, originalPositions: 2_048)),
        ("llama3", 128, 500_000, 1, .llama3(factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalPositions: 8_192)),
        ("llama3-small", 64, 500_000, 1, .llama3(factor: 32, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalPositions: 8_192)),
        (
            "yarn", 128, 1_000_000, 1,
            .yarn(
                factor: 4, originalPositions: 32_768, betaFast: 32, betaSlow: 1, attentionFactor: 0.1 * log(4.0) + 1, truncate: true)
        ),
        (
            "yarn-options", 64, 10_000, 1,
            .yarn(factor: 16, originalPositions: 4_096, betaFast: 24, betaSlow: 2, attentionFactor: 1.25, truncate: false)
        ),
        // Its ramp ends beyond the last pair.
        (
            "yarn-long", 64, 10_000, 1,
            .yarn(
                factor: 2, originalPositions: 131_072, betaFast: 32, betaSlow: 1, attentionFactor: 0.1 * log(2.0) + 1, truncate: true)
        ),
        (
            "yarn-degenerate", 16, 10_000, 1,
            .yarn(factor: 4, originalPositions: 4, betaFast: 32, betaSlow: 1, attentionFactor: 0.1 * log(4.0) + 1, truncate: true)
        ),
    ]

    func testScaledFrequenciesAreTransformers() throws {
        let path = #filePath.replacingOccurrences(of: "ComputeTests/RotaryTests.swift", with: "fixtures/rotary/expected.safetensors")
        let file = try SafetensorsFile.open(path)
        XCTAssertEqual(file.tensors.count, 2 * cases.count)
        for c in cases {
            func values(_ tensor: String) throws -> [Float] {
                Array(file.bytes(try XCTUnwrap(file.tensor(c.name + tensor), c.name)).bindMemory(to: Float.self))
            }
            let configuration = RotaryConfiguration(theta: c.theta, layout: RotaryLayout(headWidth: c.width), scaling: c.scaling)
            let (frequencies, amplitude) = rotaryFrequencies(positions: c.positions, configuration)
            // Theirs are powers in float32: the exponent's rounding times log(theta), 14 at most, and the ramp of yarn.
            assertClose(try values(".frequencies"), frequencies, absolute: 0, k: 12, c.name)
            assertClose(try values(".amplitude"), [amplitude], absolute: 0, k: 1, c.name)
            // What makes the case worth its place: some pair is scaled, and the table holds the amplitude.
            let plain = rotaryFrequencies(positions: 1, RotaryConfiguration(theta: c.theta, layout: configuration.layout)).frequencies
            if c.name == "dynamic-short" { XCTAssertEqual(plain, frequencies) } else { XCTAssertNotEqual(plain, frequencies, c.name) }
            XCTAssertEqual(rotaryTable(positions: c.positions, configuration).array.first, Float(amplitude), c.name)
        }
    }
}
