// What a tokenizer does with the text between added tokens.

/// Turns a stretch of text into tokens, with memory (a cache, scratch) of its own.
protocol SectionEncoder: AnyObject {
    /// Appends the tokens of `text[range]`, with spans in the whole text.
    ///
    /// - text: valid UTF-8. - range: whole characters; everything but added tokens. - startsText: whether the section begins where the
    ///   original text does. - recognising: whether added tokens that are written as the normaliser leaves them are looked for.
    func encode(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, startsText: Bool, recognising: Bool, into tokens: inout TokenSequence)

    /// The same for `text.bytes[range]`, with spans in the original.
    func encode(_ text: RewrittenText, _ range: Range<Int>, recognising: Bool, into tokens: inout TokenSequence)

    /// One for another thread: the tables are shared, cache and scratch are its own.
    func duplicate() -> any SectionEncoder

    /// The bytes of text that a token stands for by itself; the replacement of a word boundary is a space.
    func bytes(of id: Int) -> [UInt8]

    /// A token as vocabulary files write it: in the printable alphabet, or with ▁ for spaces.
    func spelling(of id: Int) -> [UInt8]

    /// Whether a space was put in front of the text, which the first token begins with.
    var putsPrefix: Bool { get }
}

extension SectionEncoder {
    func encode(_ text: RewrittenText, _ range: Range<Int>, recognising: Bool, into tokens: inout TokenSequence) {
        let first = tokens.ids.count
        let startsText = !range.isEmpty && text.starts[range.lowerBound] == 0
        text.bytes.withUnsafeBytes { encode($0, range, startsText: startsText, recognising: recognising, into: &tokens) }
        tokens.translate(from: first, by: text)
    }
}
