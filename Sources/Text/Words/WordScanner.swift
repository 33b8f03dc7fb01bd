// Pre-tokenisers of byte-level vocabularies, as scanners: where a text is cut before merging. One pass, no backtracking.

/// Finds the words of one well-known pattern.
protocol WordScanner {
    /// The end of the word that begins at byte `at`, which lies before `end`: the end of the text.
    ///
    /// - text: valid UTF-8; `at` and `end` are boundaries of characters.
    func wordEnd(_ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> Int
}

/// The whole text as one word.
struct WholeScanner: WordScanner {
    @inline(__always)
    func wordEnd(_ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> Int { end }
}
