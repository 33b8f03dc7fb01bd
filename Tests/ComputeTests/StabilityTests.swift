// Numbers at the edge: each case has its exact answer, or must stay finite. KernelTests has log Σ exp and the head has its infinities.
import Glibc
import TestSupport
import XCTest

@testable import Compute

final class StabilityTests: EveryLevelTestCase {
    private func losses(_ logits: [Float], targets: [Int32]) -> [Float] {
        // Every row has the input 1: the weights are its logits.
        let found = Buffer(count: targets.count)
        operations.headForward(
            losses: found, x: Buffer([Float](repeating: 1, count: targets.count)), w: Buffer(logits), targets: targets, rows: targets.count,
            width: 1, vocabulary: logits.count)
        return found.array
    }

    /// log Σ exp as the head takes it: the loss of the first id is that less its logit.
    func testLogSumExp() {
        XCTAssertEqual(losses([1000, 1000], targets: [0]), [Float(log(2.0))])
        XCTAssertEqual(losses([-1000, -1000], targets: [1]), [Float(log(2.0))])
        XCTAssertEqual(losses([-3.5], targets: [0]), [0])
        XCTAssertTrue(losses([-.infinity, -.infinity], targets: [0])[0].isNaN, "no distribution")
        XCTAssertEqual(losses([1, .infinity], targets: [0]), [.infinity])
        XCTAssertEqual(losses([3e38, -3e38], targets: [0, 1]), [0, .infinity])
        for n in [1, 2, 1000, 250_000] {
            XCTAssertEqual(Double(losses([Float](repeating: -7, count: n), targets: [0])[0]), log(Double(n)), accuracy: 2e-6, "\(n) equal")
        }
        // Denormals are numbers as small as nothing beside 1.
        let tiny = Float.leastNonzeroMagnitude
        XCTAssertEqual(losses([tiny, -tiny, 100 * tiny], targets: [1])[0], Float(log(3.0)), accuracy: 1e-7)
    }

    /// ±3e38: all mass on the largest, none on the rest; equal ones share it.
    func testSoftmaxOfTheLargestNumbers() {
        for (logits, expected) in [([3e38, -3e38, 0], [1, 0, 0]), ([3e38, 3e38, -3e38], [0.5, 0.5, 0]), ([-3e38, -3e38], [0.5, 0.5])]
            as [([Float], [Float])]
        {
            let (dx, dw) = (Buffer(count: 1), Buffer(count: logits.count))
            operations.headBackward(
                dx: dx, dw: dw, x: Buffer([1]), w: Buffer(logits), targets: [0], weights: [1], rows: 1, width: 1, vocabulary: logits.count)
            let probabilities = dw.array.indices.map { dw.array[$0] + ($0 == 0 ? 1 : 0) }
            XCTAssertEqual(probabilities, expected, "\(logits)")
        }
    }

    private func divergence(_ kind: Distillation.Divergence, _ z: [Double], _ logProbs: [Float], temperature: Double) -> (Double, [Double])
    {
        let peak = z.max()!
        let logSumExp = peak + log(z.reduce(0) { $0 + exp($1 - peak) })
        var terms = z.prefix(logProbs.count).map { Float($0) }
        let (value, dense) = terms.withUnsafeMutableBufferPointer { terms in
            logProbs.withUnsafeBufferPointer {
                Distillation(kind, temperature: temperature).row(logits: terms, logSumExp: logSumExp, logProbs: $0, scale: 1)
            }
        }
        return (value, terms.map { Double($0) } + [dense])
    }

    private let ofLists = Distillation.Divergence.allCases.filter { !$0.isOfGroups }

    /// Students and teachers whose probabilities underflow, mass a little over 1, temperatures at both ends: finite values and gradients.
    func testDivergencesStayFinite() {
        let students: [[Double]] = [[0, 0, 0], [1e4, 0, -1e4], [-1e4, 1e4, 0], [-3e30, 0, 3e30]]
        let teachers: [[Float]] = [[-0.5, -1], [0, -16], [-1e-7, -1000], [-1000, -1000], [-90, -0.0]]
        for kind in ofLists {
            for (student, teacher) in students.flatMap({ student in teachers.map { (student, $0) } }) {
                for temperature in [1e-6, 0.5, 1, 1e6] {
                    let (value, gradient) = divergence(kind, student, teacher, temperature: temperature)
                    XCTAssertTrue(
                        value.isFinite && gradient.allSatisfy(\.isFinite),
                        "\(kind.rawValue) of \(student) and \(teacher) at \(temperature): \(value) \(gradient)")
                }
            }
        }
        for group in [(0.0, -1000.0), (-1000, 0), (-1e-9, -1e-9), (-1e6, -1e6)] {
            for temperature in [1e-6, 1, 1e6] {
                let (value, slope) = Distillation(.alm, temperature: temperature).group(student: group.0, teacher: group.1)
                XCTAssertTrue(value.isFinite && slope.isFinite, "alm of \(group) at \(temperature): \(value) \(slope)")
            }
        }
    }

    /// What the teacher gives no probability at all adds nothing: 0 · log 0 = 0.
    func testNoProbability() {
        for kind in [Distillation.Divergence.nll, .forwardKL, .jsd, .uld] {
            let (value, gradient) = divergence(kind, [0.3, 2, -1], [-0.2, -.infinity], temperature: 1)
            let (almost, its) = divergence(kind, [0.3, 2, -1], [-0.2, -300], temperature: 1)
            XCTAssertEqual(value, almost, accuracy: 1e-12, kind.rawValue)
            for (one, other) in zip(gradient, its) { XCTAssertEqual(one, other, accuracy: 1e-7, kind.rawValue) }
        }
    }

    /// Every label masked: no loss, and no gradient instead of 0 / 0.
    func testEveryLabelMasked() throws {
        let trainer = Trainer(try Model.random(TinyLlama.configuration(), seed: 5), pool: ThreadPool(threads: 1))
        let batch = TrainingBatch(inputs: [1, 2, 3], splits: [0, 3], targets: [-1, -1, -1], teacherLosses: nil)
        let before = trainer.model.parameters.map { $0.value.array }
        XCTAssertThrowsError(try trainer.step(batch, loss: .crossEntropy, learningRate: 0.1))
        XCTAssertEqual(before, trainer.model.parameters.map { $0.value.array })
        XCTAssertEqual(trainer.steps, 0)
    }

    /// The coldest draw is the largest logit, the warmest one takes each alike.
    func testTemperaturesOfDraws() {
        func token(_ temperature: Double, _ uniform: Double) -> UInt32? {
            ([1, 1.001, -3, 0.5] as [Float]).withUnsafeBufferPointer { TokenChoice(temperature: temperature).token($0, uniform: uniform) }
        }
        XCTAssertEqual([0, 0.5, 0.999].map { token(1e-6, $0) }, [1, 1, 1])
        XCTAssertEqual([0.1, 0.3, 0.6, 0.9].map { token(1e6, $0) }, [0, 1, 2, 3])
    }

    /// Halfway between two numbers of 8 bits the even one is taken.
    func testTiesOfBFloat16() {
        for (value, expected) in [
            (0x1.01p0, 0x1p0), (0x1.03p0, 0x1.04p0), (-0x1.01p0, -0x1p0), (-0x1.03p0, -0x1.04p0),
        ]
            as [(Float, Float)]
        {
            let buffer = Buffer(count: 1)
            let products = CPUOperations(pool: ThreadPool(threads: 1), precision: .bfloat16)
            products.linearForward(y: buffer, x: Buffer([value]), w: Buffer([1]), rows: 1, inputs: 1, outputs: 1)
            XCTAssertEqual(buffer.array[0], expected, "\(value)")
        }
    }
}
