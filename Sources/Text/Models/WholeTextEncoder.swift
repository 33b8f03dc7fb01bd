// sentencepiece's Unigram: the text as its normaliser leaves it, and all of it one word.

/// A normaliser of sentencepiece's in front of a model that sees whole sections.
final class WholeTextEncoder<Model: WordEncoder>: SectionEncoder {
    private let normaliser: SentencePieceNormaliser
    private let model: Model
    private let loop = WordLoop()

    init(_ normaliser: SentencePieceNormaliser, _ model: Model) {
        self.normaliser = normaliser
        self.model = model
    }

    func duplicate() -> any SectionEncoder { WholeTextEncoder(normaliser, model.duplicate()) }

    func encode(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, startsText: Bool, recognising: Bool, into tokens: inout TokenSequence)
    {
        var rewritten = RewrittenText(text, range)
        normaliser.apply(&rewritten)
        let first = tokens.ids.count
        rewritten.bytes.withUnsafeBytes { loop.encode($0, 0..<$0.count, WholeScanner(), model, into: &tokens) }
        tokens.translate(from: first, by: rewritten)
        tokens.droppedBytes += model.takeDroppedBytes()
    }

    func bytes(of id: Int) -> [UInt8] {
        let bytes = model.bytes(of: id)
        return normaliser.escapesWhitespace ? PieceTables.textBytes(bytes[...]) : bytes
    }

    var putsPrefix: Bool { normaliser.addsDummyPrefix && !normaliser.whitespaceIsSuffix }
}
