// Turns corpus documents into token records, and counts what went in and came out.

import Streams

/// Documents of text to documents of tokens with byte spans and the hash of the text.
public struct CorpusTokenizer {
    private let tokenizer: Tokenizer
    private let addsSpecialTokens: Bool
    private var sequence = TokenSequence()

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

    /// Appends the document's tokens to a batch of records with offsets and text hashes.
    public mutating func append(_ document: CorpusDocument, to batch: inout RecordBatch) {
        sequence.removeAll()
        let end = UInt32(document.text.count)
        if addsSpecialTokens && tokenizer.addsBOS, let bos = tokenizer.bosID { append(bos, at: 0) }
        let hash = document.text.withUnsafeBytes { text in
            tokenizer.encode(text, into: &sequence)
            return XXH64.hash(text)
        }
        if addsSpecialTokens && tokenizer.addsEOS, let eos = tokenizer.eosID { append(eos, at: end) }
        batch.append(id: document.id, inputIDs: sequence.ids, offsets: sequence.offsets, textHash: hash)
        documents += 1
        bytes += document.text.count
        tokens += sequence.ids.count
        droppedBytes += sequence.droppedBytes
    }

    private mutating func append(_ special: UInt32, at byte: UInt32) {
        sequence.ids.append(special)
        sequence.offsets.append(byte)
        sequence.offsets.append(byte)
    }
}
