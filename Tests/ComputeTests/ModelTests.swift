// Configurations, tensors by name, and newly drawn models.
import TestSupport
import XCTest

@testable import Compute

final class ModelTests: XCTestCase {
    func testShapesAndCounts() throws {
        for tied in [false, true] {
            let c = TinyLlama.configuration(tied: tied)
            try c.validate()
            XCTAssertEqual(c.parameterShapes.reduce(0) { $0 + $1.shape.reduce(1, *) }, c.parameterCount)
            XCTAssertEqual(c.parameterShapes.count, tied ? 20 : 21)
            XCTAssertEqual(c.parameterShapes.last?.name, tied ? "model.norm.weight" : "lm_head.weight")
        }
        for c in TinyLlama.variants {
            try c.validate()
            XCTAssertEqual(c.parameterShapes.reduce(0) { $0 + $1.count }, c.parameterCount)
            XCTAssertEqual(Set(c.parameterShapes.map(\.name)).count, c.parameterShapes.count)
            XCTAssertEqual(try Model.random(c, seed: 1).parameters.map(\.shape), c.parameterShapes.map(\.shape))
        }
        let smol = ModelConfiguration(
            vocabularySize: 49152, width: 576, layers: 30, heads: 9, keyValueHeads: 3, headWidth: 64, hiddenWidth: 1536,
            maximumPositions: 2048, tiedEmbeddings: true)
        XCTAssertEqual(smol.parameterCount, 134_515_008)
    }

    func testImpossibleConfigurationsAreNamed() {
        let cases: [(WritableKeyPath<ModelConfiguration, Int>, Int, String)] = [
            (\.vocabularySize, 0, "vocabulary size 0"), (\.width, -1, "width -1"), (\.layers, 1 << 40, "layers 1099511627776"),
            (\.heads, 3, "3 heads cannot share 2"), (\.keyValueHeads, 3, "4 heads cannot share 3"), (\.headWidth, 7, "head width 7 is odd"),
            (\.hiddenWidth, .max, "hidden width"), (\.maximumPositions, 0, "maximum positions 0"),
        ]
        for (field, value, words) in cases {
            var c = TinyLlama.configuration()
            c[keyPath: field] = value
            XCTAssertThrowsError(try c.validate()) { XCTAssertTrue("\($0)".contains(words), "\($0)") }
        }
        for break_ in [{ $0.normEpsilon = 0 }, { $0.ropeTheta = -.infinity }, { $0.initializerRange = .nan }]
            as [(inout ModelConfiguration) -> Void]
        {
            var c = TinyLlama.configuration()
            break_(&c)
            XCTAssertThrowsError(try c.validate())
        }
    }

    func testTensorsThatDoNotFitAreNamed() throws {
        let c = TinyLlama.configuration(tied: true)
        let good = Dictionary(uniqueKeysWithValues: try Model.random(c, seed: 1).parameters.map { ($0.name, $0.value) })
        XCTAssertNoThrow(try Model(c, buffers: good))
        let name = "model.layers.1.mlp.up_proj.weight"
        let cases: [(String, Buffer?, String)] = [
            (name, nil, "'\(name)' is missing"), (name, Buffer(count: 5), "'\(name)' has 5 values"),
            ("lm_head.weight", Buffer(count: 101 * 32), "'lm_head.weight' does not belong"),
        ]
        for (key, buffer, words) in cases {
            var buffers = good
            buffers[key] = buffer
            XCTAssertThrowsError(try Model(c, buffers: buffers)) { XCTAssertTrue("\($0)".contains(words), "\($0)") }
        }
    }

    func testNewModelsHaveTheAskedSpread() throws {
        let model = try Model.random(TinyLlama.wide, seed: 7)
        for parameter in model.parameters {
            let values = parameter.value.array.doubles
            if !parameter.isMatrix {
                XCTAssertTrue(values.allSatisfy { $0 == 1 }, parameter.name)
                continue
            }
            let n = Double(values.count)
            let mean = values.reduce(0, +) / n
            let deviation = (values.reduce(0) { $0 + $1 * $1 } / n - mean * mean).squareRoot()
            XCTAssertEqual(mean, 0, accuracy: 5 * 0.02 / n.squareRoot(), parameter.name)
            XCTAssertEqual(deviation, 0.02, accuracy: 5 * 0.02 / (2 * n).squareRoot(), parameter.name)
            let fourth = values.reduce(0) { $0 + $1 * $1 * $1 * $1 } / n / (deviation * deviation * deviation * deviation)
            XCTAssertEqual(fourth, 3, accuracy: 5 * (24 / n).squareRoot(), parameter.name)
        }
    }

    func testSeedsAndThreads() throws {
        let a = try Model.random(TinyLlama.wide, seed: 7)
        let b = try Model.random(TinyLlama.wide, seed: 7, pool: ThreadPool(threads: 3))
        let c = try Model.random(TinyLlama.wide, seed: 8)
        for i in a.parameters.indices {
            assertSameBits(a.parameters[i].value.array, b.parameters[i].value.array, a.parameters[i].name)
            if a.parameters[i].isMatrix { XCTAssertNotEqual(a.parameters[i].value.array, c.parameters[i].value.array) }
        }
        XCTAssertNotEqual(a.parameters[2].value.array.prefix(9), a.parameters[5].value.array.prefix(9), "two tensors share a stream")
    }

    /// The known answers of the Random123 distribution (kat_vectors, philox4x32, 10 rounds).
    func testPhiloxKnownAnswers() {
        let zero = Philox(seed: 0).block((0, 0, 0, 0))
        XCTAssertEqual([zero.0, zero.1, zero.2, zero.3], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8])
        let ones = Philox(seed: .max).block((.max, .max, .max, .max))
        XCTAssertEqual([ones.0, ones.1, ones.2, ones.3], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd])
        let pi = Philox(seed: 0x299f_31d0_a409_3822).block((0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344))
        XCTAssertEqual([pi.0, pi.1, pi.2, pi.3], [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1])
    }

    func testWritableCopiesOnlyReadOnlyMemory() throws {
        let model = try Model.random(TinyLlama.configuration(), seed: 3)
        XCTAssertTrue(model.writable() === model)
        let mapped = try Model(
            model.configuration,
            buffers: Dictionary(
                uniqueKeysWithValues: model.parameters.map {
                    ($0.name, Buffer(mapping: UnsafePointer($0.value.pointer), count: $0.value.count, owner: $0.value))
                }))
        let copy = mapped.writable()
        XCTAssertFalse(copy === mapped)
        for i in model.parameters.indices {
            assertSameBits(copy.parameters[i].value.array, model.parameters[i].value.array)
            XCTAssertNotEqual(copy.parameters[i].value.pointer, model.parameters[i].value.pointer)
        }
    }
}
