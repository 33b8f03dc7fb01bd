// Any pre-tokeniser with any model: words by the file's own steps.

/// Cuts text by a pre-tokeniser and hands its words to a model.
final class WordsEncoder<Model: WordEncoder>: SectionEncoder {
    private let words: Model
    private let preTokeniser: PreTokeniser?
    private let loop = WordLoop()

    init(_ words: Model, _ preTokeniser: PreTokeniser?) {
        self.words = words
        self.preTokeniser = preTokeniser
    }

    func duplicate() -> any SectionEncoder { WordsEncoder(words.duplicate(), preTokeniser) }

    func encode(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, startsText: Bool, recognising: Bool, into tokens: inout TokenSequence)
    {
        encode(Words(RewrittenText(text, range), start: startsText ? 0 : range.lowerBound), into: &tokens)
    }

    func encode(_ text: RewrittenText, _ range: Range<Int>, recognising: Bool, into tokens: inout TokenSequence) {
        if range.count == text.count { return encode(Words(text), into: &tokens) }
        var section = RewrittenText()
        section.append(text, range)
        encode(Words(section), into: &tokens)
    }

    private func encode(_ whole: Words, into tokens: inout TokenSequence) {
        var cut = whole
        preTokeniser?.cut(&cut)
        let first = tokens.ids.count
        cut.text.bytes.withUnsafeBytes { bytes in
            for range in cut.ranges where !range.isEmpty { loop.encode(bytes, range, WholeScanner(), words, into: &tokens) }
        }
        tokens.translate(from: first, by: cut.text)
        tokens.droppedBytes += words.takeDroppedBytes()
    }

    func bytes(of id: Int) -> [UInt8] { words.bytes(of: id) }

    func spelling(of id: Int) -> [UInt8] { words.spelling(of: id) }

    var putsPrefix: Bool { false }
}
