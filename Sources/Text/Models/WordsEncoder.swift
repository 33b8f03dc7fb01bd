// Any pre-tokeniser with any model: words by the file's own steps.

/// Cuts text by a pre-tokeniser and hands its words to a model.
final class WordsEncoder<Words_: WordEncoder>: SectionEncoder {
    private let words: Words_
    private let preTokeniser: PreTokeniser?
    private let loop = WordLoop()

    init(_ words: Words_, _ preTokeniser: PreTokeniser?) {
        self.words = words
        self.preTokeniser = preTokeniser
    }

    func duplicate() -> any SectionEncoder { WordsEncoder(words.duplicate(), preTokeniser) }

    func encode(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, startsText: Bool, recognising: Bool, into tokens: inout TokenSequence)
    {
        encode(RewrittenText(text, range), into: &tokens)
    }

    func encode(_ text: RewrittenText, _ range: Range<Int>, recognising: Bool, into tokens: inout TokenSequence) {
        if range.count == text.count { return encode(text, into: &tokens) }
        var section = RewrittenText()
        section.append(text, range)
        encode(section, into: &tokens)
    }

    private func encode(_ text: RewrittenText, into tokens: inout TokenSequence) {
        guard text.count > 0 else { return }
        var cut = Words(text: text, ranges: [0..<text.count])
        preTokeniser?.cut(&cut)
        let first = tokens.ids.count
        cut.text.bytes.withUnsafeBytes { bytes in
            for range in cut.ranges where !range.isEmpty { loop.encode(bytes, range, WholeScanner(), words, into: &tokens) }
        }
        tokens.translate(from: first, by: cut.text)
        tokens.droppedBytes += words.takeDroppedBytes()
    }

    func bytes(of id: Int) -> [UInt8] { words.bytes(of: id) }

    func beginsWithPrefix(_ id: Int) -> Bool { false }
}
