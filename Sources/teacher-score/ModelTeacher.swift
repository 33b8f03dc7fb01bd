// A teacher in this process: a model from its files.

import ArgumentParser
import Checkpoints
import Command
import Compute
import Streams
import Text

/// Scores with a model that is opened here.
struct ModelTeacher: Teacher {
    private let model: ScoringModel
    private let distributions: DistributionOptions
    private let provenance: Bool
    private let memory: MemoryEstimate
    private let vocabulary: OwnVocabulary

    init(
        _ path: String, _ window: WindowOptions, _ distributions: DistributionOptions, precision: ScoringPrecision, pool: ThreadPool,
        _ context: Context
    ) throws {
        let loaded = try ModelFolder.open(path, onlyScored: true, pool: pool)
        for remark in loaded.remarks { context.note(remark) }
        model = try ScoringModel(
            loaded, bos: window.bos, window: window.window, stride: window.stride, pool: pool, precision: precision.resolved(loaded.model))
        self.distributions = distributions
        provenance = context.provenance
        memory = model.memory(threads: pool.threads)
        vocabulary = OwnVocabulary([path], hint: "tokenize with the model's own: tokenize --tokenizer \(path) …")
        context.note(memory.line)
    }

    var name: String { model.loaded.name }
    var memoryBytes: Int? { memory.total }

    var facts: [(key: String, value: String?)] {
        [
            ("model", provenance ? model.loaded.name : nil), ("model_sha256", model.loaded.sha256),
            ("model_vocabulary_size", distributions.request.isEmpty ? nil : String(model.loaded.model.configuration.vocabularySize)),
            ("bos", model.bosID.map { String($0) } ?? "none"), ("window", String(model.window)), ("stride", String(model.stride)),
            ("precision", model.precision.rawValue),
        ] + distributions.facts
    }

    func check(_ header: StreamHeader, of name: String) throws {
        try model.check(header, of: name)
        vocabulary.read(header)
    }

    func check(_ batch: RecordBatch, in reader: RecordReader) throws {
        try model.check(batch, in: reader)
        try vocabulary.check(batch, in: reader.name, reader.lastPlace)
    }

    func scored(_ batch: RecordBatch, afterTokens: (Int) throws -> Void) throws -> RecordBatch {
        try model.scored(batch, distributions.request, seed: distributions.seed, afterBatch: afterTokens)
    }
}

/// The numbers that products multiply, or the choice of what the model is stored in.
enum ScoringPrecision: String, CaseIterable, ExpressibleByArgument {
    case float32, bfloat16, native

    func resolved(_ model: Model) -> Precision {
        switch self {
        case .float32: .float32
        case .bfloat16: .bfloat16
        case .native: model.storedPrecision
        }
    }
}
