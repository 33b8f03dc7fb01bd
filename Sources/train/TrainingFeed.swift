// The batches of a run: documents of one or several sources, cut by the packer; with a digest of all that was used.

import Compute
import Streams
import Text

/// Batches from weighted sources, endlessly if they are files.
struct TrainingFeed {
    private var digest = XXH64()
    /// XXH64 over every batch handed out, in hexadecimal: runs with equal checksums have trained on the same bytes.
    var checksum: String { String(digest.digest(), radix: 16) }

    private let vocabularySize: Int
    private let vocabulary: OwnVocabulary
    private let signals: TeacherSignals
    private var packer: SequencePacker
    private var sources: [Source]

    /// One source of documents and how far it is.
    private struct Source {
        var passes: any RecordPasses
        /// Its share of the tokens, beside those of the others.
        let weight: Double
        var records = RecordBatch()
        var columns = TeacherSignals.Columns()
        /// The document of `records` that is next.
        var next = 0
        var epoch = 0
        /// Tokens handed out.
        var tokens = 0
    }

    /// - sources: at least one, with the weight of each; - vocabulary: the model's own.
    init(
        sources: [(passes: any RecordPasses, weight: Double)], packer: SequencePacker, vocabularySize: Int, vocabulary: OwnVocabulary,
        signals: TeacherSignals
    ) {
        self.sources = sources.map { Source(passes: $0.passes, weight: $0.weight) }
        self.packer = packer
        self.vocabularySize = vocabularySize
        self.vocabulary = vocabulary
        self.signals = signals
    }

    /// The next batch; nil when standard input has ended.
    mutating func next() throws -> TrainingBatch? {
        while true {
            if let batch = packer.next() {
                use(batch)
                return batch
            }
            guard try appendDocument() else {
                guard let last = packer.finish() else { return nil }
                use(last)
                return last
            }
        }
    }

    /// Takes a document of the source that is furthest behind its share, the first of equals; false when standard input has ended.
    private mutating func appendDocument() throws -> Bool {
        let behind = sources.indices.min {
            Double(sources[$0].tokens) / sources[$0].weight < Double(sources[$1].tokens) / sources[$1].weight
        }
        guard let chosen = behind else { return false }
        while sources[chosen].next == sources[chosen].records.documentCount {
            guard try refill(&sources[chosen]) else { return false }
        }
        let source = sources[chosen]
        let tokens = source.records.tokens(of: source.next)
        var document = TrainingDocument(ids: source.records.inputIDs[tokens])
        document.name = source.records.documentIDs[source.next]
        document.epoch = source.epoch
        source.columns.fill(&document, tokens)
        packer.append(document)
        sources[chosen].next += 1
        sources[chosen].tokens += tokens.count
        return true
    }

    private func refill(_ source: inout Source) throws -> Bool {
        source.records = RecordBatch()
        source.next = 0
        guard let records = try source.passes.next() else { return false }
        let origin = source.passes.origin
        try records.expectIDs(
            below: vocabularySize, in: origin.name, place: { _ in origin.place },
            hint: "tokenize with the vocabulary of the model that is trained; a new model has as many ids as its 'vocab_size' says")
        try vocabulary.check(records, in: origin.name, origin.place)
        source.columns = try signals.columns(of: records, origin, vocabularySize: vocabularySize)
        source.records = records
        source.epoch = source.passes.epoch
        return true
    }

    private mutating func use(_ batch: TrainingBatch) {
        func add(_ values: [some BitwiseCopyable]?) { values?.withUnsafeBytes { digest.update($0) } }
        add(batch.inputs)
        add(batch.targets)
        add(batch.splits)
        for column in [batch.teacherLosses, batch.temperatures, batch.divergenceWeights] { add(column) }
        for column in [batch.teacher?.values, batch.groups?.logProbs] { add(column) }
        add(batch.teacher?.splits)
        add(batch.teacher?.ids)
        add(batch.groups?.rows)
    }
}
