// Scores a sample of a corpus and says what the whole will cost: `--estimate`.

import Command
import Streams

/// Takes the sample, times it, weighs what it writes.
struct Estimator {
    let teacher: any Teacher
    let input: String
    let output: OutputOptions
    let resumes: Bool
    let batchTokens: Int
    let documents: Int
    let header: StreamHeader
    let progress: Progress

    /// Leaves the input's first reader alone where the input cannot be read again.
    func run(_ tokens: RecordRecutter) throws -> CostEstimate {
        let target = output.file.output
        var cost = CostEstimate(isSpread: false, output: target)
        cost.memoryBytes = teacher.memoryBytes
        cost.freeBytes = freeSpace(for: target)
        if resumes { cost.presentBytes = fileSize(of: target + ".partial") ?? fileSize(of: target) ?? 0 }
        let sample: [RecordBatch]
        if input != "-", fileSize(of: input) != nil {
            let whole = try size(of: input)
            (cost.whole, cost.isSpread) = (whole, true)
            sample = try spread(whole.documents)
        } else {
            sample = try first(tokens)
        }
        try measure(sample, &cost)
        return cost
    }

    // MARK: The sample

    /// Documents and tokens: by the headers of the records where they have any, else by reading all.
    private func size(of path: String) throws -> (documents: Int, tokens: Int) {
        if let extent = StreamExtent.read(path) { return (extent.documents, extent.tokens) }
        let reader = try RecordReader(ByteInput.open(path))
        while try reader.next() != nil {}
        return (reader.documentCount, reader.tokenCount)
    }

    /// One document from the middle of each of so many equal stretches of the corpus.
    private func spread(_ total: Int) throws -> [RecordBatch] {
        let wanted = min(documents, total)
        let reader = try RecordReader(ByteInput.open(input))
        var (batches, taken, before): ([RecordBatch], Int, Int) = ([RecordBatch()], 0, 0)
        while taken < wanted, let batch = try reader.next() {
            try teacher.check(batch, in: reader)
            while taken < wanted {
                let place = Int((2 * Double(taken) + 1) * Double(total) / (2 * Double(wanted))) - before
                guard place < batch.documentCount else { break }
                add(batch, place, to: &batches)
                taken += 1
            }
            before += batch.documentCount
        }
        return batches
    }

    private func first(_ tokens: RecordRecutter) throws -> [RecordBatch] {
        var (batches, taken): ([RecordBatch], Int) = ([RecordBatch()], 0)
        while taken < documents, let batch = try tokens.next() {
            for document in 0..<min(batch.documentCount, documents - taken) { add(batch, document, to: &batches) }
            taken += batch.documentCount
        }
        return batches
    }

    /// In batches as the whole would be scored in.
    private func add(_ batch: RecordBatch, _ document: Int, to batches: inout [RecordBatch]) {
        batches[batches.count - 1].append(batch, documents: document..<document + 1)
        if batches[batches.count - 1].tokenCount >= batchTokens { batches.append(RecordBatch()) }
    }

    // MARK: Time and bytes

    private func measure(_ sample: [RecordBatch], _ cost: inout CostEstimate) throws {
        let nothing = try ByteOutput.file("/dev/null")
        let writer = try RecordWriter(nothing, header: header, encoding: output.format)
        cost.fixedBytes = nothing.offset
        // Once before, so that weights are in memory and connections open.
        if let batch = sample.first(where: { $0.tokenCount > 0 }) { _ = try teacher.scored(batch.slice(0..<1)) { _ in } }
        var waiting = sample.makeIterator()
        let start = monotonicSeconds()
        try teacher.score({ waiting.next() }, afterTokens: { progress.advance($0) }, write: { try writer.write($0) })
        cost.sampleSeconds = monotonicSeconds() - start
        progress.finish()
        cost.sampleDocuments = writer.documentCount
        cost.sampleTokens = writer.tokenCount
        cost.sampleBytes = nothing.offset - cost.fixedBytes
        let beforeEnd = nothing.offset
        try writer.finish()
        cost.fixedBytes += nothing.offset - beforeEnd
    }
}
