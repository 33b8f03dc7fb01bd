// One model of 'evaluate perplexity': its vocabulary, what it scored, how long that took.

import Checkpoints
import Command
import Compute
import Streams
import Text

/// How documents longer than the model's window are cut.
enum WindowKind: String, CaseIterable {
    /// Windows that overlap: `scoringWindows`.
    case stride
    /// lm-evaluation-harness's: `rollingWindows`.
    case rolling
}

/// Scores documents with one model and adds up.
final class ModelMeter {
    let model: ScoringModel
    private(set) var total = PerplexitySums()
    private(set) var seconds = 0.0
    private var tokenizer: CorpusTokenizer
    /// Encodes for rolling windows.
    private let encoder: HarnessEncoder

    init(
        _ path: String, tokenizer named: String?, windows: WindowKind, _ options: WindowOptions, precision: Precision, pool: ThreadPool
    ) throws {
        let loaded = try ModelFolder.open(path, onlyScored: true, pool: pool)
        let vocabulary = try openVocabulary(named, for: loaded)
        let prefix = windows == .rolling ? HarnessEncoder.prefixID(vocabulary, loaded) : nil
        if windows == .rolling, prefix == nil {
            throw Failure(.badData, vocabulary.name, HarnessEncoder.noPrefix.message, hint: HarnessEncoder.noPrefix.hint)
        }
        model = try ScoringModel(
            loaded, bos: options.bos, window: options.window, stride: options.stride, rollingPrefix: prefix, pool: pool,
            precision: precision)
        tokenizer = CorpusTokenizer(vocabulary, addsSpecialTokens: false)
        encoder = HarnessEncoder(vocabulary, bosID: model.bosID, prefixID: prefix)
    }

    /// The sums of each document, which are added to the total.
    func measure(_ documents: [CorpusDocument], advance: (Int) -> Void) throws -> [PerplexitySums] {
        let started = monotonicSeconds()
        var batch = RecordBatch()
        for document in documents {
            if model.isRolling {
                batch.append(id: document.id, inputIDs: encoder.encode(document.text)[...])
            } else {
                tokenizer.append(document, to: &batch)
            }
        }
        let scores = try model.logProbabilities(of: batch) { advance($0) }
        let sums = documents.indices.map { PerplexitySums(batch, scores, document: $0, text: documents[$0].text) }
        for part in sums { total += part }
        seconds += monotonicSeconds() - started
        return sums
    }
}
