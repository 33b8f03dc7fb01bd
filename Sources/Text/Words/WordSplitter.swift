// The pre-tokenisers that have a scanner of their own.

/// Names one scanner with its settings.
enum WordSplitter: Equatable {
    /// No cut at all.
    case whole
    /// GPT-2's pattern.
    case gpt2
    /// Every digit alone, then GPT-2's pattern on what lies between (SmolLM2, StarCoder).
    case digitsThenGPT2
    /// The pattern of cl100k and its kin, with so many numbers to a word.
    case cl100k(mostNumbers: Int)
}

/// The whole text as one word.
struct WholeScanner: WordScanner {
    func wordEnd(_ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> Int { end }
}

extension WordSplitter {
    /// Calls `body` with the byte range of every word, in order.
    func forEachWord(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, _ body: (Range<Int>) -> Void) {
        func each(_ scanner: some WordScanner) {
            guard let base = text.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
            var at = range.lowerBound
            while at < range.upperBound {
                let stop = scanner.wordEnd(base, at, range.upperBound)
                body(at..<stop)
                at = stop
            }
        }
        switch self {
        case .whole: each(WholeScanner())
        case .gpt2: each(GPT2Scanner())
        case .digitsThenGPT2: each(GPT2Scanner(splitsDigits: true))
        case .cl100k(let mostNumbers): each(CL100KScanner(mostNumbers: mostNumbers))
        }
    }
}
