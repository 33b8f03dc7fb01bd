// The whole model against transformers and torch: log-probabilities, losses, every gradient, ten optimiser steps, losses of a hundred.
// Expected values: Tests/oracles/llama_reference.py and, for a hundred steps, adamw_reference.py.
import Glibc
import Streams
import TestSupport
import XCTest

@testable import Compute

final class LlamaReferenceTests: XCTestCase {
    /// One of the two reference models and what torch made of it.
    private struct Reference {
        let name: String
        let expected: SafetensorsFile

        init(_ name: String) throws {
            self.name = name
            expected = try Reference.file("\(name).expected")
        }

        static func file(_ name: String) throws -> SafetensorsFile {
            let folder = #filePath.replacingOccurrences(of: "ComputeTests/LlamaReferenceTests.swift", with: "fixtures/llama")
            return try SafetensorsFile.open("\(folder)/\(name).safetensors")
        }

        func values<T>(_ tensor: String, of file: SafetensorsFile, as type: T.Type) throws -> [T] {
            Array(file.bytes(try XCTUnwrap(file.tensor(tensor), tensor)).bindMemory(to: T.self))
        }

        func model() throws -> Model {
            var configuration = TinyLlama.configuration(tied: name == "tied")
            configuration.normEpsilon = 1e-5
            let file = try Reference.file("\(name).weights")
            var buffers: [String: Buffer] = [:]
            for tensor in file.tensors { buffers[tensor.name] = Buffer(try values(tensor.name, of: file, as: Float.self)) }
            return try Model(configuration, buffers: buffers)
        }

        func batches() throws -> [TrainingBatch] {
            let inputs = try values("inputs", of: expected, as: Int32.self)
            let targets = try values("targets", of: expected, as: Int32.self)
            let teacher = try values("teacher_losses", of: expected, as: Float.self)
            let splits = try values("splits", of: expected, as: Int32.self).map { Int($0) }
            let rows = splits.last!
            return (0..<inputs.count / rows).map { i in
                let range = i * rows..<(i + 1) * rows
                return TrainingBatch(
                    inputs: inputs[range].map { UInt32($0) }, splits: splits, targets: Array(targets[range]),
                    teacherLosses: Array(teacher[range]))
            }
        }
    }

    private let pool = ThreadPool(threads: 2)

    /// Normalised mean squared error: Σ(a − e)² / Σe².
    private func normalisedError(_ actual: [Float], _ expected: [Float]) -> Double {
        let difference = zip(actual, expected).map { Double($0) - Double($1) }
        return inner(difference, difference) / inner(expected.doubles, expected.doubles)
    }

    private func compare(_ buffers: [(String, Buffer)], with file: SafetensorsFile, _ reference: Reference, below limit: Double) throws {
        XCTAssertEqual(buffers.count, file.tensors.count)
        for (name, buffer) in buffers {
            let error = normalisedError(buffer.array, try reference.values(name, of: file, as: Float.self))
            XCTAssertLessThan(error, limit, "\(file.name): \(name)")
        }
    }

    func testLogProbabilities() throws {
        for name in ["untied", "tied"] {
            let reference = try Reference(name)
            let batch = try reference.batches()[0]
            let losses = Scorer(try reference.model(), pool: pool).losses(
                inputs: batch.inputs, splits: batch.splits, targets: batch.targets)
            let expected = try reference.values("losses", of: reference.expected, as: Float.self)
            assertClose(losses, expected.doubles, absolute: 2e-6, k: 8, name)
        }
    }

    /// The log-probability of every id in every row, against the logits of torch.
    func testEveryLogit() throws {
        var largest = LargestDifference("logits", bar: 1e-4)
        for name in ["untied", "tied"] {
            let reference = try Reference(name)
            let batch = try reference.batches()[0]
            let logits = try reference.values("logits", of: Reference.file("\(name).logits"), as: Float.self).doubles
            let vocabulary = logits.count / batch.inputs.count
            let scorer = Scorer(try reference.model(), pool: pool)
            let sums = batch.inputs.indices.map { row in
                log(logits[row * vocabulary..<(row + 1) * vocabulary].reduce(0) { $0 + exp($1) })
            }
            for id in 0..<vocabulary {
                let losses = scorer.losses(
                    inputs: batch.inputs, splits: batch.splits, targets: batch.inputs.map { _ in Int32(id) })
                for row in batch.inputs.indices { largest.add(Double(losses[row]) - (sums[row] - logits[row * vocabulary + id])) }
            }
        }
        largest.report()
    }

    func testGradientsOfCrossEntropy() throws {
        var largest = (loss: LargestDifference("loss", bar: 1e-5), gradient: LargestDifference("gradient-NMSE", bar: 1e-7))
        for name in ["untied", "tied"] {
            let reference = try Reference(name)
            let trainer = Trainer(try reference.model(), pool: pool)
            let report = try trainer.accumulate(reference.batches()[0], loss: .crossEntropy)
            let losses = try reference.values("step_losses", of: reference.expected, as: Double.self)
            XCTAssertEqual(report.loss, losses[0], accuracy: 2e-6)
            largest.loss.add(report.loss - losses[0])
            let gradients = zip(trainer.model.parameters, trainer.gradients).map { ($0.name, $1) }
            let expected = try Reference.file("\(name).gradients")
            try compare(gradients, with: expected, reference, below: 1e-10)
            for (tensor, buffer) in gradients {
                largest.gradient.add(normalisedError(buffer.array, try reference.values(tensor, of: expected, as: Float.self)))
            }
        }
        largest.loss.report()
        largest.gradient.report()
    }

    func testGradientsOfTheGuidedLoss() throws {
        for name in ["untied", "tied"] {
            let reference = try Reference(name)
            let trainer = Trainer(try reference.model(), pool: pool)
            let report = try trainer.accumulate(reference.batches()[0], loss: .guided(select: 0.4))
            XCTAssertEqual(report.loss, try reference.values("guided_loss", of: reference.expected, as: Double.self)[0], accuracy: 2e-6)
            let weights = try reference.values("guided_weights", of: reference.expected, as: Float.self)
            XCTAssertEqual(report.selected, weights.count { $0 == 1 })
            guard name == "untied" else { continue }
            let gradients = zip(trainer.model.parameters, trainer.gradients).map { ($0.name, $1) }
            try compare(gradients, with: Reference.file("untied.guided"), reference, below: 1e-10)
        }
    }

    /// One loss of untied.distilled.
    private struct Case {
        let name: String
        let loss: TrainingLoss
        var adapted = false

        init(_ name: String, _ divergence: Distillation.Divergence?, _ temperature: Double, _ alpha: Double, select: Double? = nil) {
            self.name = name
            loss = TrainingLoss(
                select: select, unmapped: name.contains("exclude") ? .exclude : .include,
                pool: name.contains("sequence") ? .sequence : .step,
                distillation: divergence.map { Distillation($0, temperature: temperature) }, alpha: alpha)
            adapted = name == "adapted"
        }
    }

    private let cases = [
        Case("nll", .nll, 2, 0.7), Case("forward-kl", .forwardKL, 0.5, 1), Case("reverse-kl", .reverseKL, 1, 0.5),
        Case("jsd", .jsd, 2, 0.9),
        Case("mse", .mse, 1, 0.3), Case("guided", .forwardKL, 1, 0.5, select: 0.4), Case("uld", .uld, 1, 0.6), Case("alm", .alm, 1, 0.7),
        Case("alm-guided", .alm, 3, 0.5, select: 0.4), Case("adapted", .forwardKL, 1, 0.8), Case("sequence", nil, 1, 0, select: 0.4),
        Case("exclude", nil, 1, 0, select: 0.4), Case("sequence-exclude", .jsd, 1, 0.5, select: 0.4),
    ]

    /// The first batch with the teacher's lists and groups.
    private func taughtBatch(_ reference: Reference, _ file: SafetensorsFile) throws -> TrainingBatch {
        var batch = try reference.batches()[0]
        var teacher = SparseRows()
        teacher.splits = try reference.values("teacher_splits", of: file, as: Int32.self).map { Int($0) }
        teacher.ids = try reference.values("teacher_ids", of: file, as: Int32.self).map { UInt32($0) }
        teacher.values = try reference.values("teacher_log_probs", of: file, as: Float.self)
        batch.teacher = teacher
        batch.groups = RowGroups(
            rows: try reference.values("group_rows", of: file, as: Int32.self),
            logProbs: try reference.values("group_log_probs", of: file, as: Float.self))
        return batch
    }

    /// Each divergence mixed with cross-entropy, some with chosen tokens of each pool: losses and gradients of torch's autograd.
    func testGradientsOfDistillation() throws {
        var largest = (
            loss: LargestDifference("distilled-loss", bar: 1e-5), gradient: LargestDifference("distilled-gradient-NMSE", bar: 1e-7)
        )
        let reference = try Reference("untied")
        let file = try Reference.file("untied.distilled")
        let plain = try taughtBatch(reference, file)
        var adapted = plain
        adapted.temperatures = try reference.values("temperatures", of: file, as: Float.self)
        adapted.divergenceWeights = try reference.values("weights", of: file, as: Float.self)
        for one in cases {
            for microBatch in [4096, 30] {
                let trainer = Trainer(try reference.model(), microBatchTokens: microBatch, pool: pool)
                let report = try trainer.accumulate(one.adapted ? adapted : plain, loss: one.loss)
                let expected = try reference.values("loss.\(one.name)", of: file, as: Double.self)
                XCTAssertEqual(report.loss, expected[0], accuracy: 3e-6, one.name)
                largest.loss.add(report.loss - expected[0])
                if one.loss.alpha > 0 { XCTAssertEqual(try XCTUnwrap(report.distillation), expected[2], accuracy: 3e-6, one.name) }
                if one.loss.select == nil { XCTAssertEqual(report.crossEntropy, expected[1], accuracy: 3e-6, one.name) }
                var compared = 0
                for (parameter, gradient) in zip(trainer.model.parameters, trainer.gradients)
                where file.tensor("\(one.name).\(parameter.name)") != nil {
                    let its = try reference.values("\(one.name).\(parameter.name)", of: file, as: Float.self)
                    let error = normalisedError(gradient.array, its)
                    XCTAssertLessThan(error, 1e-10, "\(one.name): \(parameter.name)")
                    largest.gradient.add(error)
                    compared += 1
                }
                XCTAssertGreaterThanOrEqual(compared, 3, one.name)
            }
        }
        largest.loss.report()
        largest.gradient.report()
    }

    /// Ten AdamW steps, every one of them clipped: losses, norms, and where the parameters end.
    func testTenSteps() throws {
        var largest = LargestDifference("ten-steps-loss", bar: 1e-5)
        for name in ["untied", "tied"] {
            let reference = try Reference(name)
            let trainer = Trainer(try reference.model(), settings: AdamWSettings(), pool: pool)
            let losses = try reference.values("step_losses", of: reference.expected, as: Double.self)
            let norms = try reference.values("step_norms", of: reference.expected, as: Double.self)
            for (i, batch) in try reference.batches().enumerated() {
                let report = try trainer.step(batch, loss: .crossEntropy, learningRate: 3e-3)
                XCTAssertEqual(report.loss, losses[i], accuracy: 1e-5, "\(name), step \(i + 1)")
                largest.add(report.loss - losses[i])
                XCTAssertEqual(report.gradientNorm, norms[i], accuracy: 1e-5, "\(name), step \(i + 1)")
                XCTAssertGreaterThan(report.gradientNorm, 1)
            }
            let values = trainer.model.parameters.map { ($0.name, $0.value) }
            try compare(values, with: Reference.file("\(name).trained"), reference, below: 1e-9)
        }
        largest.report()
    }

    /// A hundred steps over four batches in turn, with warm-up, cosine and clipping; matrices decay, or everything.
    func testAHundredSteps() throws {
        let reference = try Reference("untied")
        let file = try Reference.file("adamw.expected")
        let batches = try reference.batches()
        let schedule = LearningRateSchedule(kind: .cosine, peak: 3e-3, finalFraction: 0.1, warmup: 10, total: 100)
        for (name, decaysAll) in [("matrices", false), ("all", true)] {
            let trainer = Trainer(try reference.model(), settings: AdamWSettings(decaysAll: decaysAll), pool: pool)
            let losses = try reference.values("losses.\(name)", of: file, as: Double.self)
            let norms = try reference.values("norms.\(name)", of: file, as: Double.self)
            XCTAssertEqual(losses.count, 100)
            for step in 1...100 {
                let report = try trainer.step(
                    batches[(step - 1) % 4], loss: .crossEntropy, learningRate: schedule.rate(step: step))
                XCTAssertEqual(report.loss / losses[step - 1], 1, accuracy: 1e-4, "\(name), step \(step)")
                XCTAssertEqual(report.gradientNorm / norms[step - 1], 1, accuracy: 1e-2, "\(name), step \(step)")
            }
            XCTAssertLessThan(losses[99], 0.2 * losses[0])
        }
    }
}
