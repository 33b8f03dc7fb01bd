// sentencepiece's Unigram: the text as its normaliser leaves it, and all of it one word.

/// A normaliser of sentencepiece's in front of a model that sees whole sections.
final class WholeTextEncoder<Model: WordModel>: SectionEncoder {
    private let normaliser: SentencePieceNormaliser
    private var model: Model
    private let rewritten = RewritingBuffer()

    init(_ normaliser: SentencePieceNormaliser, _ model: Model) {
        self.normaliser = normaliser
        self.model = model
    }

    func duplicate() -> any SectionEncoder { WholeTextEncoder(normaliser, model) }

    func encode(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, startsText: Bool, recognising: Bool, into tokens: inout TokenSequence)
    {
        normaliser.rewrite(text, range, into: rewritten)
        guard rewritten.count > 0 else { return }
        let first = tokens.ids.count
        model.encode(rewritten.view, 0..<rewritten.count, into: &tokens)
        tokens.translate(from: first, by: rewritten)
    }

    func bytes(of id: Int) -> [UInt8] {
        let bytes = model.bytes(of: id)
        return normaliser.escapesWhitespace ? PieceTables.textBytes(bytes[...]) : bytes
    }

    func spelling(of id: Int) -> [UInt8] { model.spelling(of: id) }

    var putsPrefix: Bool { normaliser.addsDummyPrefix && !normaliser.whitespaceIsSuffix }
}
