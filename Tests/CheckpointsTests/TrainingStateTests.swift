import Checkpoints
import Compute
import Foundation
import Streams
import TestSupport
import XCTest

/// A run's state: nothing lost on the way through the disk, and nothing accepted that is not whole.
final class TrainingStateTests: XCTestCase {
    private let scratch = ScratchFolder()
    private let facts = ["--loss": "guided", "data_xxh64": "00ff", "odd \u{E9}\n": ""]

    override func tearDown() { scratch.remove() }

    private func batch(_ step: Int) -> TrainingBatch {
        let ids = (0..<8).map { UInt32(($0 * 3 + step) % 11) }
        return TrainingBatch(inputs: ids, splits: [0, 5, 8], targets: ids.map { Int32(($0 + 1) % 11) }, teacherLosses: nil)
    }

    private func trainer(_ model: Model, _ steps: Range<Int>) throws -> Trainer {
        let trainer = Trainer(model, pool: ThreadPool(threads: 1))
        for step in steps { _ = try trainer.step(batch(step), loss: .crossEntropy, learningRate: 1e-2) }
        return trainer
    }

    private func save(_ trainer: Trainer, _ name: String = "run") throws {
        try TrainingState.save(trainer, facts: facts, to: scratch(name), carryingTokenizerFrom: nil)
    }

    func testGoesOnAsIfNeverStopped() throws {
        let unbroken = try trainer(smallModel(), 0..<6)
        try save(trainer(smallModel(), 0..<4))
        let state = try TrainingState.load(scratch("run"))
        XCTAssertEqual(state.steps, 4)
        XCTAssertEqual(state.facts, facts)
        let resumed = Trainer(state.model, pool: ThreadPool(threads: 1))
        try state.restore(resumed)
        XCTAssertEqual(resumed.steps, 4)
        // Saved over the folder that the state is still mapped from.
        for step in 4..<6 {
            _ = try resumed.step(batch(step), loss: .crossEntropy, learningRate: 1e-2)
            try save(resumed)
        }
        assertSameModel(resumed.model, unbroken.model)
        for (a, b) in zip(resumed.moments, unbroken.moments) {
            assertSameBits(a.first.array, b.first.array, a.name)
            assertSameBits(a.second.array, b.second.array, a.name)
        }
        try save(unbroken, "other")
        for file in ["config.json", "model.safetensors", "training-state.safetensors"] {
            XCTAssertEqual(try scratch.read("run/\(file)"), try scratch.read("other/\(file)"), file)
        }
        assertSameModel(try ModelFolder.open(scratch("run")).model, unbroken.model)
    }

    func testFlippedBitsAreFound() throws {
        try save(trainer(smallModel(), 0..<2))
        XCTAssertNoThrow(try TrainingState.load(scratch("run")))
        for file in ["config.json", "model.safetensors", "training-state.safetensors"] {
            let whole = try scratch.read("run/\(file)")
            // Every third byte where the headers are, and every 31st of the data.
            for place in whole.indices where place < 2000 && place % 3 == 0 || place % 31 == 0 {
                var bytes = whole
                bytes[place] ^= 1 << (place % 8)
                try scratch.write("run/\(file)", bytes)
                assertRefused(title: "\(file) byte \(place)") { try TrainingState.load(scratch("run")) }
            }
            try scratch.write("run/\(file)", whole)
        }
        XCTAssertNoThrow(try TrainingState.load(scratch("run")))
    }

    func testCutsAreFound() throws {
        try save(trainer(smallModel(), 0..<1))
        for file in ["config.json", "model.safetensors", "training-state.safetensors"] {
            let whole = try scratch.read("run/\(file)")
            for length in stride(from: 0, to: whole.count, by: max(1, whole.count / 60)) {
                try scratch.write("run/\(file)", Array(whole[..<length]))
                assertRefused(title: "\(file) cut at \(length)") { try TrainingState.load(scratch("run")) }
            }
            try scratch.write("run/\(file)", whole)
        }
    }

    func testRefusesAStateOfAnotherModel() throws {
        try save(trainer(smallModel(seed: 1), 0..<1), "a")
        try save(trainer(smallModel(seed: 2), 0..<1), "b")
        try scratch.write("a/model.safetensors", scratch.read("b/model.safetensors"))
        assertRefused("model.safetensors", "XXH64") { try TrainingState.load(scratch("a")) }
        XCTAssertNoThrow(try ModelFolder.open(scratch("a")))
    }

    func testRefusesWhatHoldsNoState() throws {
        try ModelFolder.save(smallModel(), to: scratch("model"), carrying: nil)
        assertRefused(status: .cannotOpen, "nothing to go on from") { try TrainingState.load(scratch("model")) }
        assertRefused(status: .cannotOpen) { try TrainingState.load(scratch("nowhere")) }
        try scratch.write("model/training-state.safetensors", scratch.read("model/model.safetensors"))
        assertRefused("no training state") { try TrainingState.load(scratch("model")) }
    }

    func testRestoringRefusesAnotherTrainer() throws {
        try save(trainer(smallModel(tied: true), 0..<1))
        let state = try TrainingState.load(scratch("run"))
        let other = try trainer(smallModel(tied: false), 0..<0)
        assertRefused("lm_head.weight") { try state.restore(other) }
    }
}
