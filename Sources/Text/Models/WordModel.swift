// What turns a word into tokens: byte-pair encoding, Unigram, WordPiece.

/// A model of a vocabulary, with memory (caches, scratch) that is kept from word to word.
protocol WordModel {
    /// Appends the tokens of the word `text[range]`; spans are byte positions in `text`.
    ///
    /// - text: valid UTF-8. - range: whole characters, not empty.
    mutating func encode(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, into tokens: inout TokenSequence)

    /// The bytes that the vocabulary writes a token as; for a byte-level vocabulary those that it stands for.
    func bytes(of id: Int) -> [UInt8]

    /// A token as vocabulary files write it.
    func spelling(of id: Int) -> [UInt8]
}
