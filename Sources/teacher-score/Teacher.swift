// What scores token records: a model in this process, or another source of log-probabilities.

import Streams

/// A teacher, whatever runs it.
protocol Teacher {
    /// Its name in notes and messages.
    var name: String { get }
    /// What the header of scores says beside the facts of the tokens, in order.
    var facts: [(key: String, value: String?)] { get }
    /// What it holds in memory at most, where that is known.
    var memoryBytes: Int? { get }
    /// Refuses a stream of tokens that are not of the teacher's vocabulary.
    func check(_ header: StreamHeader, of name: String) throws
    /// Refuses ids that are not.
    func check(_ batch: RecordBatch, in reader: RecordReader) throws
    /// The batch with `logProbs` and what else was asked for. `afterTokens` is told of progress and may throw to stop.
    func scored(_ batch: RecordBatch, afterTokens: (Int) throws -> Void) throws -> RecordBatch
    /// Scores batches as `next` gives them until nil, and hands each, in order, to `write`. Several may be under way at once.
    func score(
        _ next: @escaping () throws -> RecordBatch?, afterTokens: @escaping (Int) throws -> Void,
        write: @escaping (RecordBatch) throws -> Void) throws
}

extension Teacher {
    var memoryBytes: Int? { nil }

    func score(
        _ next: @escaping () throws -> RecordBatch?, afterTokens: @escaping (Int) throws -> Void,
        write: @escaping (RecordBatch) throws -> Void
    ) throws {
        while let batch = try next() { try write(scored(batch, afterTokens: afterTokens)) }
    }
}
