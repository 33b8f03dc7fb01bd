// All units with their scores, kept aside in the order of the corpus, and ranked.

import Command
import Selection
import Streams

/// What both score streams say of their units, in memory or in temporary files.
struct RankedUnits {
    let unit: Unit
    private(set) var sketch = ValueSketch()
    private(set) var unscored = 0
    /// Nats of all counted positions.
    private(set) var teacherNats = 0.0
    private(set) var referenceNats = 0.0
    private(set) var scoredTokens = 0

    private let units: UnitStore
    private let ranking: Ranking

    var count: Int { ranking.count }
    var tokens: Int { ranking.tokens }

    /// Reads both streams to their end.
    ///
    /// A unit without a counted position has no difference: it is ranked last, and no threshold keeps it.
    init(_ pairs: inout ScorePairs, _ selection: SelectionOptions, _ store: StoreOptions, _ progress: Progress) throws {
        unit = pairs.unit
        let part = store.memory.bytes / 4
        units = UnitStore(memory: 2 * part, folder: store.temporary)
        ranking = Ranking(memory: part, folder: store.temporary)
        let ids = RepeatedIDs(memory: part, folder: store.temporary)
        let noise = selection.chosenMethod == .gumbel ? GumbelNoise(seed: selection.seed) : nil
        while let unit = try pairs.next() {
            let score = unit.score
            var key = score.key
            if let noise, score.scored > 0 {
                // A chunk's id is only its number in its shard.
                let content = pairs.unit == .chunk ? unit.content : 0
                key = RankKey(score.difference / selection.temperature + noise.value(id: unit.id, content: content))
            }
            try ranking.append(key, tokens: unit.tokens)
            try units.append(unit)
            // Chunks are numbered anew in each shard.
            if pairs.unit == .document { try ids.append(unit.id) }
            count(score)
            progress.advance(unit.tokens)
        }
        progress.finish()
        try pairs.expectTwoModels(scored: scoredTokens)
        try refuseRepeated(ids.candidates(), in: pairs.names.teacher)
    }

    private mutating func count(_ score: PairScore) {
        guard score.scored > 0 else {
            unscored += 1
            return
        }
        sketch.add(score.difference)
        teacherNats += score.teacher * Double(score.scored)
        referenceNats += score.reference * Double(score.scored)
        scoredTokens += score.scored
    }

    /// Compares the ids at places whose ids have equal hashes.
    private func refuseRepeated(_ candidates: [(first: Int, second: Int)], in name: String) throws {
        if candidates.isEmpty { return }
        let wanted = Set(candidates.flatMap { [$0.first, $0.second] })
        var found: [Int: [UInt8]] = [:]
        var rows = try units.reader()
        for place in 0..<count {
            guard let unit = try rows.next() else { break }
            if wanted.contains(place) { found[place] = unit.id }
        }
        for (first, second) in candidates where found[first] == found[second] {
            throw Failure(
                .badData, name, "documents \(first + 1) and \(second + 1) have the same id, \(quoted(found[second] ?? []))",
                hint: "ids tell documents apart: shards without ids, whose documents are numbered, cannot be joined")
        }
    }

    /// What may be a mistake although it is no error.
    var warning: String? {
        guard scoredTokens > 0, teacherNats > referenceNats else { return nil }
        return "the teacher predicts this corpus worse than the reference does: are they exchanged?"
    }

    /// The units in their order, each with whether it is kept.
    func selected(_ goal: Goal) throws -> SelectedUnits {
        try SelectedUnits(units.reader(), ranking.reader(), ranking.cut(goal), count: count, tokens: tokens)
    }
}

/// One unit and the decision on it.
struct SelectedUnit {
    let unit: ScoredUnit
    let isKept: Bool
    /// From 1.
    let number: Int
}

/// Decides unit by unit.
struct SelectedUnits {
    private var units: UnitStore.Reader
    private var keys: Ranking.Reader
    private var cut: Cut
    private let count: Int
    private let tokens: Int
    private var number = 0
    private var keptUnits = 0
    private var keptTokens = 0

    fileprivate init(_ units: UnitStore.Reader, _ keys: Ranking.Reader, _ cut: Cut, count: Int, tokens: Int) {
        (self.units, self.keys, self.cut, self.count, self.tokens) = (units, keys, cut, count, tokens)
    }

    mutating func next() throws -> SelectedUnit? {
        guard let unit = try units.next(), let (key, tokens) = try keys.next() else { return nil }
        number += 1
        let isKept = cut.keeps(key, tokens: tokens)
        if isKept {
            keptUnits += 1
            keptTokens += unit.tokens
        }
        return SelectedUnit(unit: unit, isKept: isKept, number: number)
    }

    func summary(_ unit: Unit) -> String {
        "kept \(keptUnits) of \(count) \(unit.plural), \(keptTokens) of \(tokens) tokens"
    }
}
