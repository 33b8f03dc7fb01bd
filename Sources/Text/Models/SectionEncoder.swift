// What a tokenizer does with the text between added tokens.

/// Turns a stretch of text into tokens.
protocol SectionEncoder {
    /// Appends the tokens of `text[range]`, with spans in the whole text.
    ///
    /// - text: valid UTF-8. - range: whole characters; everything but added tokens.
    mutating func encode(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, into tokens: inout TokenSequence)

    /// The bytes of text that a token stands for by itself; the replacement of a word boundary is a space.
    func bytes(of id: Int) -> [UInt8]
}
