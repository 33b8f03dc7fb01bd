// Turns corpus documents into token records, and counts what went in and came out.

import Streams

/// Documents of text to documents of tokens with byte spans and the hash of the text.
public struct CorpusTokenizer {
    private let tokenizer: Tokenizer
    private let addsSpecialTokens: Bool
    private var sequence = TokenSequence()
    /// The documents since the last `takeBatch`; their tokens are in `sequence`.
    private var gathered = RecordBatch()
    private var hashes: [UInt64] = []

    public private(set) var documents = 0
    public private(set) var bytes = 0
    public private(set) var tokens = 0
    /// Bytes that the vocabulary cannot express; they are gaps in the spans.
    public private(set) var droppedBytes = 0

    /// - addsSpecialTokens: put BOS before and EOS after each text where the vocabulary's own files ask for it.
    public init(_ tokenizer: Tokenizer, addsSpecialTokens: Bool) {
        self.tokenizer = tokenizer
        self.addsSpecialTokens = addsSpecialTokens
    }

    /// Appends the document's tokens to a batch of records with offsets and text hashes. Not to be mixed with `append(id:text:)`.
    public mutating func append(_ document: CorpusDocument, to batch: inout RecordBatch) {
        sequence.removeAll()
        let hash = document.text.withUnsafeBytes { encode($0) }
        droppedBytes += sequence.droppedBytes
        batch.append(id: document.id, inputIDs: sequence.ids, offsets: sequence.offsets, textHash: hash)
    }

    /// Adds a document to those that `takeBatch` returns.
    public mutating func append(id: [UInt8], text: UnsafeRawBufferPointer) {
        hashes.append(encode(text))
        gathered.documentIDs.append(id)
        gathered.documentSplits.append(sequence.ids.count)
    }

    /// The documents gathered, as one batch with offsets and text hashes, moved out and not copied.
    public mutating func takeBatch() -> RecordBatch {
        var batch = gathered
        let tokens = sequence.ids.count
        gathered = RecordBatch()
        batch.inputIDs = sequence.ids
        batch.offsets = sequence.offsets
        batch.textHashes = hashes
        droppedBytes += sequence.droppedBytes
        sequence = TokenSequence()
        sequence.ids.reserveCapacity(tokens + tokens / 8)
        sequence.offsets.reserveCapacity(2 * (tokens + tokens / 8))
        hashes = []
        return batch
    }

    /// Appends a text's tokens to the sequence; returns the text's hash.
    private mutating func encode(_ text: UnsafeRawBufferPointer) -> UInt64 {
        let before = sequence.ids.count
        if addsSpecialTokens { for special in tokenizer.prefix { append(special, at: 0) } }
        tokenizer.encode(text, into: &sequence)
        if addsSpecialTokens { for special in tokenizer.suffix { append(special, at: UInt32(text.count)) } }
        documents += 1
        bytes += text.count
        tokens += sequence.ids.count - before
        return XXH64.hash(text)
    }

    private mutating func append(_ special: UInt32, at byte: UInt32) {
        sequence.ids.append(special)
        sequence.offsets.append(byte)
        sequence.offsets.append(byte)
    }
}
