// Scores of packed documents: what they may and may not depend on.
import TestSupport
import XCTest

@testable import Compute

final class ScorerTests: XCTestCase {
    private func scores(_ model: Model, _ documents: [[UInt32]], threads: Int = 1) -> [[Float]] {
        let splits = documents.reduce(into: [0]) { $0.append($0.last! + $1.count) }
        let all = Scorer(model, pool: ThreadPool(threads: threads)).logProbabilities(ids: documents.flatMap { $0 }, splits: splits)
        return documents.indices.map { Array(all[splits[$0]..<splits[$0 + 1]]) }
    }

    private let lengths = [1, 2, 3, 0, 17, 5, 64, 130, 1, 300, 9]

    private func documents(_ lengths: [Int], vocabulary: Int) -> [[UInt32]] {
        lengths.enumerated().map { TinyLlama.ids($0.element, vocabulary: vocabulary, seed: UInt64($0.offset + 1)) }
    }

    func testOnlyTheFirstTokenHasNoScore() throws {
        let model = try Model.random(TinyLlama.configuration(), seed: 1)
        for document in scores(model, documents(lengths, vocabulary: 101)) where !document.isEmpty {
            XCTAssertTrue(document[0].isNaN)
            XCTAssertTrue(document.dropFirst().allSatisfy { $0.isFinite && $0 < 0 })
        }
        XCTAssertEqual(scores(model, []).count, 0)
        XCTAssertEqual(scores(model, [[]]), [[]])
    }

    /// A document's scores are the same bits alone and beside others, in any order.
    func testBatchCompositionChangesNothing() throws {
        try requireRowIndependentCore()
        for configuration in [TinyLlama.configuration(), TinyLlama.wide] {
            let model = try Model.random(configuration, seed: 2)
            let documents = documents(lengths, vocabulary: configuration.vocabularySize)
            let together = scores(model, documents)
            let reversed = Array(scores(model, documents.reversed()).reversed())
            for i in documents.indices {
                assertSameBits(together[i], reversed[i], "reversed, length \(documents[i].count)")
                assertSameBits(together[i], scores(model, [documents[i]])[0], "alone, length \(documents[i].count)")
            }
        }
    }

    func testThreadsChangeNothing() throws {
        let model = try Model.random(TinyLlama.wide, seed: 3)
        let documents = documents(lengths, vocabulary: 3001)
        let one = scores(model, documents, threads: 1).flatMap { $0 }
        for threads in [2, 4] { assertSameBits(one, scores(model, documents, threads: threads).flatMap { $0 }, "\(threads) threads") }
    }

    /// What comes later cannot change what came before.
    func testCausality() throws {
        let model = try Model.random(TinyLlama.configuration(), seed: 4)
        let long = TinyLlama.ids(90, vocabulary: 101, seed: 5)
        let whole = scores(model, [long])[0]
        for place in [1, 2, 31, 64, 89] {
            var changed = long
            for i in place..<90 { changed[i] = (changed[i] + 7) % 101 }
            let scores = scores(model, [changed])[0]
            assertSameBits(Array(whole.prefix(place)), Array(scores.prefix(place)), "changed from \(place)")
            XCTAssertNotEqual(whole[place], scores[place])
        }
    }

    func testSegmentGroups() {
        XCTAssertEqual(segmentGroups([0], limit: 5), [])
        XCTAssertEqual(segmentGroups([0, 0, 0], limit: 5), [])
        XCTAssertEqual(segmentGroups([0, 3, 5, 6, 20, 20, 22], limit: 5), [0..<2, 2..<3, 3..<4, 4..<6])
        XCTAssertEqual(segmentGroups([0, 3, 5], limit: 100), [0..<2])
    }

    /// More rows than one chunk, and one segment longer than a chunk.
    func testChunksChangeNothing() throws {
        try requireRowIndependentCore()
        let model = try Model.random(TinyLlama.configuration(tied: true), seed: 6)
        let documents = documents([700, 900, 800, 2500, 10, 600], vocabulary: 101)
        let together = scores(model, documents)
        for i in documents.indices { assertSameBits(together[i], scores(model, [documents[i]])[0], "length \(documents[i].count)") }
    }

    /// A model that gives every token the same logit scores −ln V everywhere.
    func testUniformModel() throws {
        let model = try Model.random(TinyLlama.configuration(), seed: 7)
        let head = try XCTUnwrap(model.parameter("lm_head.weight")).value
        head.pointer.update(repeating: 0, count: head.count)
        let scores = scores(model, documents([40], vocabulary: 101))[0].dropFirst()
        for score in scores { XCTAssertEqual(score, -4.615_120_5, accuracy: 5e-7) }
    }

    func testIdsOutsideTheVocabularyAreNamed() throws {
        let model = try Model.random(TinyLlama.configuration(), seed: 7)
        XCTAssertNoThrow(try model.validate(ids: [0, 100]))
        XCTAssertThrowsError(try model.validate(ids: [0, 101])) { XCTAssertTrue("\($0)".contains("101 at position 1"), "\($0)") }
    }

    /// The buffers hold what the estimate says.
    func testMemoryEstimate() {
        for c in TinyLlama.variants {
            let memory = ScoringMemory(c, rows: 10)
            let buffers = Dictionary((memory.block.all + memory.scratch.all + [memory.losses]).map { (ObjectIdentifier($0), $0.count) }) {
                first, _ in first
            }
            XCTAssertEqual(buffers.values.reduce(0, +), 10 * ScoringMemory.values(c))
        }
        let c = TinyLlama.configuration()
        // 2 · (101·32 + 2·(2·32·32 + 2·32·16 + 3·32·48)) + 4·2·32·context
        XCTAssertEqual(c.scoringOperations(context: 10), 2 * (3232 + 2 * 7680) + 2560)
        XCTAssertEqual(c.trainingOperations(context: 10), 3 * c.scoringOperations(context: 10))
        XCTAssertEqual(c.trainingOperations(context: 10, headShare: 0.5), c.trainingOperations(context: 10) - 6464 * 0.5)
    }
}
