// Texts that grow by a token at a time: their logits are those of whole texts, whatever grows beside them.
import TestSupport
import XCTest

@testable import Compute

final class GeneratorTests: XCTestCase {
    private func operations(_ precision: Precision = .float32, threads: Int = 1) -> CPUOperations {
        CPUOperations(pool: ThreadPool(threads: threads), precision: precision)
    }

    private func prompts(vocabulary: Int) -> [[UInt32]] {
        func ids(_ count: Int, _ seed: UInt64) -> [UInt32] { TinyLlama.ids(count, vocabulary: vocabulary, seed: seed) }
        let long = ids(45, 1)
        return [long, Array(long.prefix(33)) + ids(3, 2), [7], Array(long.prefix(32)) + ids(1, 3), long, Array(long.prefix(20))]
    }

    /// Greedy tokens of each prompt and the logits before each, `batch` texts at a time.
    private func generate(
        _ generator: Generator, _ prompts: [[UInt32]], tokens: Int, batch: Int
    ) -> (ids: [[UInt32]], logits: [[Float]]) {
        var (ids, logits) = ([[UInt32]](repeating: [], count: prompts.count), [[Float]](repeating: [], count: prompts.count))
        var waiting = Array(prompts.indices)[...]
        var active: [Int] = []
        func take(_ names: [Int], _ next: NextLogits) {
            for (i, name) in names.enumerated() {
                logits[name] += next[i]
                ids[name].append(TokenChoice().token(next[i], uniform: 0)!)
            }
        }
        while !waiting.isEmpty || !active.isEmpty {
            let fresh = Array(waiting.prefix(batch - active.count))
            waiting = waiting.dropFirst(fresh.count)
            if !fresh.isEmpty { take(fresh, generator.begin(fresh.map { ($0, prompts[$0]) }) { _ in }) }
            active += fresh
            // Texts of different lengths, so that they leave at different times.
            for name in active where ids[name].count >= tokens + name { generator.end(name) }
            active.removeAll { ids[$0].count >= tokens + $0 }
            if !active.isEmpty { take(active, generator.extend(active.map { ($0, ids[$0].last!) })) }
        }
        return (ids, logits)
    }

    private var configurations: [ModelConfiguration] {
        var window = TinyLlama.wide
        window.slidingWindow = 20
        return TinyLlama.variants + [TinyLlama.wide, window]
    }

    func testBatchesAndThreadsChangeNothing() throws {
        try requireRowIndependentCore()
        for (i, c) in configurations.enumerated() {
            let model = try Model.random(c, seed: 8)
            let prompts = prompts(vocabulary: c.vocabularySize)
            for precision in Precision.allCases {
                let alone = generate(Generator(model, operations: operations(precision)), prompts, tokens: 6, batch: 1)
                for (batch, threads, rows) in [(2, 1, 2048), (6, 2, 2048), (6, 4, 1), (4, 3, 40)] {
                    let generator = Generator(model, operations: operations(precision, threads: threads), rows: rows)
                    let found = generate(generator, prompts, tokens: 6, batch: batch)
                    XCTAssertEqual(found.ids, alone.ids, "\(i), \(precision), \(batch)")
                    assertSameBits(found.logits.flatMap { $0 }, alone.logits.flatMap { $0 }, "\(i), \(precision), \(batch)")
                }
            }
        }
    }

    /// The tokens are those that a model that reads whole texts finds most probable, with the same logits to rounding.
    func testWholeTexts() throws {
        for (i, c) in configurations.enumerated() {
            let model = try Model.random(c, seed: 9)
            let prompts = prompts(vocabulary: c.vocabularySize)
            let found = generate(Generator(model, operations: operations()), prompts, tokens: 12, batch: 3)
            let scorer = PrefixScorer(model, operations: operations())
            for (prompt, (ids, logits)) in zip(prompts, zip(found.ids, found.logits)) {
                let scores = scorer.scores([SequenceRequest(ids: prompt + ids, from: prompt.count)])[0]
                XCTAssertTrue(scores.allSatisfy(\.isGreedy), "\(i)")
                for (place, score) in scores.enumerated() {
                    let row = logits[place * c.vocabularySize..<(place + 1) * c.vocabularySize].map(Double.init)
                    let logProb = row[Int(ids[place])] - log(row.reduce(0) { $0 + exp($1) })
                    XCTAssertEqual(Double(score.logProb), logProb, accuracy: 2e-5, "\(i), token \(place)")
                }
            }
        }
    }

    /// Pages of texts that ended are used again.
    func testPagesAreGivenBack() {
        var numbers = PageNumbers()
        let first = numbers.take(3)
        numbers.share(Array(first.prefix(2)))
        numbers.giveBack(first)
        XCTAssertEqual(numbers.used, 2)
        XCTAssertEqual(numbers.take(1), [2])
        numbers.giveBack([0, 1, 2])
        XCTAssertEqual(numbers.used, 0)
        XCTAssertEqual(numbers.take(4), [0, 1, 2, 3])
    }

    // MARK: The choice of a token

    private func choice(_ logits: [Float], _ choice: TokenChoice, _ uniform: Double) -> UInt32? {
        logits.withUnsafeBufferPointer { choice.token($0, uniform: uniform) }
    }

    func testGreedyChoice() {
        XCTAssertEqual(choice([1, 3, 3, -1], TokenChoice(), 0.9), 1)
        XCTAssertEqual(choice([-3, -.infinity, 2], TokenChoice(), 0), 2)
        for logits in [[.nan, 0, 2], [2, .infinity], [-.infinity, -.infinity]] as [[Float]] {
            for temperature in [0.0, 1] { XCTAssertNil(choice(logits, TokenChoice(temperature: temperature), 0), "\(logits)") }
        }
    }

    /// The draw is the inverse of the distribution function, in the order of ids or of falling probability.
    func testDraws() {
        let logits = [0.1, 0.4, 0.2, 0.3].map { Float(log($0)) }
        let all = TokenChoice(temperature: 1)
        XCTAssertEqual([0.0, 0.09, 0.11, 0.49, 0.51, 0.69, 0.71, 0.999].map { choice(logits, all, $0) }, [0, 0, 1, 1, 2, 2, 3, 3])
        // The fewest with 0.6 of the mass are ids 1 and 3.
        let top = TokenChoice(temperature: 1, topP: 0.6)
        XCTAssertEqual([0.0, 0.56, 0.58, 0.999].map { choice(logits, top, $0) }, [1, 1, 3, 3])
        XCTAssertEqual([0.0, 0.999].map { choice(logits, TokenChoice(temperature: 1, topP: 1e-9), $0) }, [1, 1])
        // A square of probabilities: 0.01, 0.16, 0.04, 0.09 of 0.3.
        let cold = TokenChoice(temperature: 0.5)
        XCTAssertEqual([0.03, 0.04, 0.56, 0.58, 0.69, 0.71].map { choice(logits, cold, $0) }, [0, 1, 1, 2, 2, 3])
    }

    func testUniformNumbers() {
        let draws = TokenDraws(key: 5)
        let numbers = (0..<4000).map(draws.uniform)
        XCTAssertTrue(numbers.allSatisfy { $0 >= 0 && $0 < 1 })
        XCTAssertEqual(numbers.reduce(0, +) / 4000, 0.5, accuracy: 0.02)
        XCTAssertEqual(Set(numbers).count, 4000)
        XCTAssertNotEqual(numbers, (0..<4000).map(TokenDraws(key: 6).uniform))
    }
}
