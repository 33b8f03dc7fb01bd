// Small models and batches that the model tests share.
import XCTest

@testable import Compute

enum TinyLlama {
    /// Two layers of width 32: 4 heads over 2 key heads, 101 tokens.
    static func configuration(tied: Bool = false) -> ModelConfiguration {
        ModelConfiguration(
            vocabularySize: 101, width: 32, layers: 2, heads: 4, keyValueHeads: 2, headWidth: 8, hiddenWidth: 48, maximumPositions: 64,
            tiedEmbeddings: tied, initializerRange: 0.15)
    }

    /// Large enough that its products are cut into several tiles; odd sizes.
    static let wide = ModelConfiguration(
        vocabularySize: 3001, width: 160, layers: 2, heads: 5, keyValueHeads: 1, headWidth: 32, hiddenWidth: 336, maximumPositions: 512,
        tiedEmbeddings: true)

    /// Configurations that together have every feature.
    static var variants: [ModelConfiguration] {
        var modern = configuration(tied: true)
        (modern.queryKeyNorm, modern.outputNorms, modern.queryKeyValueBias, modern.rotaryInterleaved) = (true, true, true, true)
        (modern.rotaryWidth, modern.slidingWindow, modern.windowedLayers) = (4, 5, [true, false])
        var old = configuration()
        (old.norm, old.positions, old.gated, old.activation) = (.layer, .learned, false, .geluTanh)
        (old.queryKeyValueBias, old.attentionOutputBias, old.feedForwardBias) = (true, true, true)
        var parallel = old
        (parallel.positions, parallel.parallelResidual, parallel.ropeScaling) = (.rotary, true, .linear(factor: 2))
        var mamba = configuration(tied: true)
        mamba.stateSpace = .init(innerWidth: 48, states: 5, taps: 4, timeStepRank: 3, productBias: true)
        return [configuration(), modern, old, parallel, mamba]
    }

    static func ids(_ count: Int, vocabulary: Int, seed: UInt64) -> [UInt32] {
        var state = seed
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt32((state >> 33) % UInt64(vocabulary))
        }
    }

    /// Segments of the given lengths; targets are the next ids, none at the end of each; teacher losses where asked, every fifth unmapped.
    static func batch(_ lengths: [Int], vocabulary: Int, seed: UInt64, teacher: Bool = false) -> TrainingBatch {
        let count = lengths.reduce(0, +)
        let inputs = ids(count, vocabulary: vocabulary, seed: seed)
        let splits = lengths.reduce(into: [0]) { $0.append($0.last! + $1) }
        let ends = Set(splits.map { $0 - 1 })
        let targets = (0..<count).map { ends.contains($0) ? -1 : Int32(inputs[$0 + 1]) }
        let losses = ids(count, vocabulary: 8000, seed: seed + 1).enumerated().map {
            $0.offset % 5 == 3 ? Float.nan : Float($0.element) / 1000
        }
        return TrainingBatch(
            inputs: inputs, splits: splits, targets: targets, teacherLosses: teacher ? losses : nil,
            teacher: teacher ? lists(count, vocabulary: vocabulary, seed: seed + 2) : nil)
    }

    /// Lists of 0 to 6 ids a row, with log-probabilities that leave out some mass.
    static func lists(_ rows: Int, vocabulary: Int, seed: UInt64) -> SparseRows {
        var lists = SparseRows()
        for row in 0..<rows {
            let count = row % 7
            for (place, id) in Set(ids(count, vocabulary: vocabulary, seed: seed + UInt64(row))).sorted().enumerated() {
                lists.append(id: id, value: -1.5 - Float(place))
            }
            lists.endRow()
        }
        return lists
    }
}

/// Skips where OpenBLAS runs a core whose sums depend on a row's place in the call (a user can name one).
func requireRowIndependentCore() throws {
    let core = OpenBLAS.core
    try XCTSkipUnless(OpenBLAS.wideCores.contains(core), "OpenBLAS's core \(core) sums rows by their place")
}
