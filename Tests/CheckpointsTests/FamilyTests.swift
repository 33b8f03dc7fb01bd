// Every family against transformers in float32: log-probabilities, gradients, and what is saved.
// Expected values: Tests/oracles/family_reference.py.
import Foundation
import Streams
import TestSupport
import XCTest

@testable import Checkpoints
@testable import Compute

/// A tiny model that transformers wrote, and what it computed.
struct FamilyFixture {
    let name: String
    let expected: SafetensorsFile
    let ids: [UInt32]
    let splits: [Int]

    static let names = [
        "llama", "mistral", "qwen2", "qwen3", "glm", "glm4", "gpt2", "gpt_neox", "gpt_neox_sequential", "mamba", "mamba_bias",
    ]

    /// Those that llama.cpp's converter has made a GGUF of.
    static let converted = ["llama", "qwen2", "qwen3", "glm", "glm4", "gpt2", "gpt_neox", "mamba"]

    init(_ name: String) throws {
        self.name = name
        expected = try SafetensorsFile.open(fixture("families/\(name)/expected.safetensors"))
        let file = expected
        func integers(_ tensor: String) throws -> [Int] {
            let bytes = file.bytes(try XCTUnwrap(file.tensor(tensor)))
            return (0..<bytes.count / 4).map { Int(bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self)) }
        }
        ids = try integers("ids").map { UInt32($0) }
        splits = try integers("splits")
    }

    var folder: String { fixture("families/\(name)") }

    /// log softmax of transformers' logits, in Double: (rows, vocabulary).
    func logProbabilities() throws -> [[Double]] {
        let logits = try floats(expected, "logits").map { Double($0) }
        let vocabulary = logits.count / ids.count
        return (0..<ids.count).map { row in
            let values = logits[row * vocabulary..<(row + 1) * vocabulary]
            let largest = values.max()!
            let sum = values.reduce(0) { $0 + exp($1 - largest) }
            return values.map { $0 - largest - log(sum) }
        }
    }

    /// The largest difference of any log-probability from transformers'.
    func worstDifference(_ model: Model) throws -> Double {
        let scorer = Scorer(model, pool: ThreadPool(threads: 2))
        var worst = 0.0
        let rows = try logProbabilities()
        for id in 0..<model.configuration.vocabularySize {
            let losses = scorer.losses(inputs: ids, splits: splits, targets: [Int32](repeating: Int32(id), count: ids.count))
            for (row, loss) in losses.enumerated() { worst = max(worst, abs(Double(-loss) - rows[row][id])) }
        }
        return worst
    }

    /// The next ids as targets.
    func batch() -> TrainingBatch {
        let ends = Set(splits.map { $0 - 1 })
        let targets = ids.indices.map { ends.contains($0) ? -1 : Int32(ids[$0 + 1]) }
        return TrainingBatch(inputs: ids, splits: splits, targets: targets)
    }
}

final class FamilyTests: XCTestCase {
    private let scratch = ScratchFolder()

    override func tearDown() { scratch.remove() }

    func testEveryFamilyHasAFixture() throws {
        let tested = try FamilyFixture.names.map { try ModelFolder.configuration(fixture("families/\($0)")).family }
        XCTAssertEqual(Set(tested), Set(Family.all.map(\.name)))
    }

    func testLogProbabilities() throws {
        for name in FamilyFixture.names {
            let reference = try FamilyFixture(name)
            let worst = try reference.worstDifference(ModelFolder.open(reference.folder).model)
            report("\(name): log-probabilities within \(worst)")
            XCTAssertLessThan(worst, 1e-5, name)
        }
    }

    func testGradients() throws {
        for name in FamilyFixture.names {
            let reference = try FamilyFixture(name)
            let trainer = Trainer(try ModelFolder.open(reference.folder).model, pool: ThreadPool(threads: 2))
            let result = try trainer.accumulate(reference.batch(), loss: .crossEntropy)
            XCTAssertEqual(result.loss, Double(try floats(reference.expected, "loss")[0]), accuracy: 2e-6, name)
            let worst = try compareGradients(trainer, reference)
            report("\(name): gradients within \(worst) (NMSE)")
            XCTAssertLessThan(worst, 1e-9, name)
        }
    }

    /// The worst normalised squared error of any tensor, on the values that were kept; fails when a sum of squares differs.
    private func compareGradients(_ trainer: Trainer, _ reference: FamilyFixture) throws -> Double {
        let configuration = trainer.model.configuration
        let gradients = Dictionary(uniqueKeysWithValues: zip(trainer.model.parameters.map(\.name), trainer.gradients))
        let layouts = StoredLayout.all(Family.of(configuration).tensors, configuration)
        XCTAssertEqual(layouts.count, reference.expected.tensors.count { $0.name.hasPrefix("sample.") }, reference.name)
        var worst = 0.0
        for layout in layouts {
            let actual = layout.values(layout.parts.map { gradients[$0.name]! }).array
            let name = try XCTUnwrap(layout.names.first { reference.expected.tensor("sample.\($0)") != nil }, layout.names[0])
            let sample = try floats(reference.expected, "sample.\(name)")
            let places = sample.indices.map { $0 * actual.count / sample.count }
            let difference = zip(places, sample).reduce(0.0) { $0 + pow(Double(actual[$1.0]) - Double($1.1), 2) }
            let size = sample.reduce(0.0) { $0 + Double($1) * Double($1) }
            let error = difference / max(size, 1e-12)
            XCTAssertLessThan(error, 1e-7, "\(reference.name): \(name)")
            worst = max(worst, error)
            let bytes = reference.expected.bytes(try XCTUnwrap(reference.expected.tensor("squares.\(name)")))
            let squares = bytes.loadUnaligned(as: Double.self)
            XCTAssertEqual(
                actual.reduce(0.0) { $0 + Double($1) * Double($1) }, squares, accuracy: 1e-4 * squares + 1e-12, "\(reference.name): \(name)"
            )
        }
        return worst
    }

    /// What is saved is the same model, and its files have the names and shapes that transformers gave them.
    func testSavedFoldersAreTheSame() throws {
        for name in FamilyFixture.names {
            let model = try ModelFolder.open(fixture("families/\(name)")).model
            try ModelFolder.save(model, to: scratch(name), carrying: fixture("families/\(name)"))
            assertSameModel(try ModelFolder.open(scratch(name)).model, model, name)
            let (old, new) = try (
                SafetensorsFile.open(fixture("families/\(name)/model.safetensors")),
                SafetensorsFile.open(scratch("\(name)/model.safetensors"))
            )
            XCTAssertEqual(Set(new.tensors.map(\.name)), Set(old.tensors.map(\.name)), name)
            for entry in old.tensors {
                let saved = try XCTUnwrap(new.tensor(entry.name), entry.name)
                XCTAssertEqual(saved.shape, entry.shape, entry.name)
                XCTAssertTrue(sameBytes(new.bytes(saved), old.bytes(entry)), "\(name): \(entry.name)")
            }
        }
    }

    /// What llama.cpp's converter made of the same folders is the same model, bit for bit (Tests/oracles/family_gguf.py).
    func testGGUFIsTheSameModel() throws {
        for name in FamilyFixture.converted {
            let folder = try ModelFolder.open(fixture("families/\(name)")).model
            let gguf = try ModelFolder.open(fixture("families/\(name)/model.gguf"), pool: ThreadPool(threads: 2)).model
            var expected = folder.configuration
            // What the format has no key for, or the converter gets wrong.
            (expected.initializerRange, expected.slidingWindow, expected.windowedLayers) = (0.02, nil, nil)
            if name == "glm" { expected.maximumPositions = gguf.configuration.maximumPositions }
            XCTAssertEqual(gguf.configuration, expected, name)
            for (a, b) in zip(gguf.parameters, folder.parameters) {
                if a.tensor.role == .decayLogarithm {
                    assertClose(a.value.array, b.value.array.map { Double($0) }, absolute: 1e-7, k: 2, a.name)
                } else {
                    assertSameBits(a.value.array, b.value.array, "\(name): \(a.name)")
                }
            }
            // Its export is a folder of the same family.
            try ModelFolder.save(gguf, to: scratch("\(name).gguf"), carrying: nil)
            XCTAssertEqual(try ModelFolder.open(scratch("\(name).gguf")).model.configuration, expected)
        }
    }

    /// Threads and company change no byte.
    func testTheSameBytesForAnyThreadsAndCompany() throws {
        for name in FamilyFixture.names {
            let reference = try FamilyFixture(name)
            let model = try ModelFolder.open(reference.folder).model
            let batch = reference.batch()
            func losses(_ threads: Int, _ rows: Range<Int>, _ splits: [Int]) -> [Float] {
                Scorer(model, pool: ThreadPool(threads: threads)).losses(
                    inputs: Array(batch.inputs[rows]), splits: splits, targets: Array(batch.targets[rows]))
            }
            let together = losses(1, 0..<batch.inputs.count, batch.splits)
            for threads in [2, 4] { assertSameBits(losses(threads, 0..<batch.inputs.count, batch.splits), together, "\(name): \(threads)") }
            for (first, end) in zip(batch.splits, batch.splits.dropFirst()) {
                assertSameBits(losses(2, first..<end, [0, end - first]), Array(together[first..<end]), "\(name): alone")
            }
            let gradients = try [1, 2, 4].map { threads in
                let trainer = Trainer(model, pool: ThreadPool(threads: threads))
                _ = try trainer.accumulate(batch, loss: .crossEntropy)
                return trainer.gradients.map(\.array)
            }
            for other in gradients.dropFirst() {
                for (a, b) in zip(gradients[0], other) { assertSameBits(a, b, "\(name): gradients") }
            }
        }
    }

    /// Fused and transposed tensors on their way through a saved state: training goes on as if never stopped.
    func testStatesGoOn() throws {
        for name in ["glm", "gpt2", "gpt_neox", "mamba"] {
            let reference = try FamilyFixture(name)
            func step(_ trainer: Trainer) throws {
                _ = try trainer.step(reference.batch(), loss: .crossEntropy, learningRate: 1e-3)
            }
            let unbroken = Trainer(try ModelFolder.open(reference.folder).model, pool: ThreadPool(threads: 1))
            try step(unbroken)
            try TrainingState.save(unbroken, facts: [:], to: scratch(name), carryingTokenizerFrom: reference.folder)
            try step(unbroken)
            let state = try TrainingState.load(scratch(name))
            let resumed = Trainer(state.model, pool: ThreadPool(threads: 1))
            try state.restore(resumed)
            try step(resumed)
            assertSameModel(resumed.model, unbroken.model, name)
        }
    }

    /// Old files of GPT-2 have no prefix, and masks; a tensor under two names is refused, and so is half of a fused one.
    func testSpellingsOfNames() throws {
        let source = try SafetensorsFile.open(fixture("families/gpt2/model.safetensors"))
        var list = source.tensors.map {
            (name: String($0.name.dropFirst("transformer.".count)), type: "F32", shape: $0.shape, bytes: Array(source.bytes($0)))
        }
        list.append(("h.0.attn.bias", "F32", [1, 1, 2, 2], [UInt8](repeating: 0, count: 16)))
        try scratch.write("old/config.json", Array(Data(contentsOf: URL(fileURLWithPath: fixture("families/gpt2/config.json")))))
        try scratch.write("old/model.safetensors", safetensors(list))
        assertSameModel(try ModelFolder.open(scratch("old")).model, try ModelFolder.open(fixture("families/gpt2")).model)
        let embedding = try XCTUnwrap(list.first { $0.name == "wte.weight" })
        try scratch.write(
            "old/model.safetensors", safetensors(list + [("transformer.wte.weight", "F32", embedding.shape, embedding.bytes)]))
        assertRefused("'transformer.wte.weight' and 'wte.weight', two names") { try ModelFolder.open(scratch("old")) }
        let cut = list.map { $0.name == "h.1.attn.c_attn.weight" ? ($0.name, $0.type, [44, 44], Array($0.bytes[..<7744])) : $0 }
        try scratch.write("old/model.safetensors", safetensors(cut))
        assertRefused("'h.1.attn.c_attn.weight' has the shape [44, 44]", "[44, 132]") { try ModelFolder.open(scratch("old")) }
        try scratch.write("old/model.safetensors", safetensors(list.filter { $0.name != "h.1.mlp.c_fc.bias" }))
        assertRefused("'transformer.h.1.mlp.c_fc.bias' is missing") { try ModelFolder.open(scratch("old")) }
    }

    func testSavedInHalfTheBytes() throws {
        for name in ["glm4", "gpt2", "gpt_neox", "mamba"] {
            let model = try ModelFolder.open(fixture("families/\(name)")).model
            try ModelFolder.save(model, to: scratch(name), carrying: nil, precision: .bfloat16)
            let loaded = try ModelFolder.open(scratch(name)).model
            XCTAssertEqual(loaded.configuration, model.configuration)
            for (a, b) in zip(loaded.parameters, model.parameters) {
                let rounded = b.value.array.map { Float(bitPattern: UInt32(roundedToBFloat16($0)) << 16) }
                assertSameBits(a.value.array, rounded, "\(name): \(a.name)")
            }
            let text = String(decoding: try scratch.read("\(name)/config.json"), as: UTF8.self)
            XCTAssertTrue(text.contains("\"torch_dtype\": \"bfloat16\""), text)
        }
    }

    func testRoundingToBFloat16() {
        let cases: [(UInt32, UInt16)] = [
            (0x3f80_0000, 0x3f80), (0x3f80_8000, 0x3f80), (0x3f81_8000, 0x3f82), (0x3f80_8001, 0x3f81), (0x3f80_7fff, 0x3f80),
            (0xbf81_8000, 0xbf82), (0x7f7f_ffff, 0x7f80), (0x7f80_0000, 0x7f80), (0x7f80_0001, 0x7fc0), (0xff80_0001, 0xffc0), (1, 0),
            (0x0000_8001, 1), (0x8000_0000, 0x8000),
        ]
        for (bits, expected) in cases { XCTAssertEqual(roundedToBFloat16(Float(bitPattern: bits)), expected, String(bits, radix: 16)) }
    }

    /// A step with recomputation is a step without, bit for bit; so is one cut into parts.
    func testRecomputationChangesNoByte() throws {
        for name in FamilyFixture.names {
            let reference = try FamilyFixture(name)
            func trained(_ recompute: Bool, _ rows: Int) throws -> Trainer {
                let model = try ModelFolder.open(reference.folder).model
                let trainer = Trainer(model, microBatchTokens: rows, recompute: recompute, pool: ThreadPool(threads: 2))
                var batch = reference.batch()
                batch.teacherLosses = ids(batch)
                _ = try trainer.step(batch, loss: .crossEntropy, learningRate: 1e-3)
                _ = try trainer.step(batch, loss: .guided(select: 0.5), learningRate: 1e-3)
                return trainer
            }
            func ids(_ batch: TrainingBatch) -> [Float] { batch.inputs.map { Float($0 % 7) } }
            for rows in [8, 4096] {
                let (plain, recomputed) = try (trained(false, rows), trained(true, rows))
                for (a, b) in zip(plain.model.parameters, recomputed.model.parameters) {
                    assertSameBits(a.value.array, b.value.array, "\(name): \(a.name)")
                }
            }
        }
    }

    /// A line for the log of the tests: what was reached, beside the bound.
    private func report(_ line: String) { _ = Array("\(line)\n".utf8).withUnsafeBytes { write(2, $0.baseAddress, $0.count) } }
}
