// The pre-tokenisers that have a scanner of their own, and the patterns that name them.

/// Names one scanner with its settings.
enum WordSplitter: Equatable {
    /// No cut at all.
    case whole
    /// GPT-2's pattern.
    case gpt2
    /// Every digit alone, then GPT-2's pattern on what lies between (SmolLM2, StarCoder).
    case digitsThenGPT2
    /// The pattern of cl100k and its kin, with so many numbers to a word.
    case cl100k(mostNumbers: Int, takesFinalSpaces: Bool = false, marksAreLetters: Bool = false)
    /// The pattern of o200k and its kin.
    case o200k(mostNumbers: Int, contractions: Bool)
    /// DeepSeek's three splits (V3, R1).
    case deepSeek

    /// The scanner that cuts as the patterns do, one behind the other, when what they find and what lies between is kept; nil where there
    /// is none.
    init?(patterns: [String]) {
        guard let known = Self.known.first(where: { $0.patterns.map { Array($0.utf8) } == patterns.map { Array($0.utf8) } }) else {
            return nil
        }
        self = known.splitter
    }

    private static let contraction = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
    private static let spaces = #"|\s*[\r\n]+|\s+(?!\S)|\s+"#

    private static func cl100k(_ numbers: String) -> String {
        contraction + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"# + numbers + #"| ?[^\s\p{L}\p{N}]+[\r\n]*"# + spaces
    }

    private static func o200k(_ numbers: String, _ ending: String) -> String {
        let upper = #"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}"#
        let lower = #"\p{Ll}\p{Lm}\p{Lo}\p{M}"#
        return #"[^\r\n\p{L}\p{N}]?["# + upper + "]*[" + lower + "]+" + ending + #"|[^\r\n\p{L}\p{N}]?["# + upper + "]+[" + lower + "]*"
            + ending + #"|\p{N}"# + numbers + #"| ?[^\s\p{L}\p{N}]+[\r\n/]*"# + spaces
    }

    private static let known: [(patterns: [String], splitter: WordSplitter)] = [
        ([#"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#], .gpt2),
        ([#"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#], .gpt2),
        ([cl100k("{1,3}")], .cl100k(mostNumbers: 3)), ([cl100k("")], .cl100k(mostNumbers: 1)),
        (
            [
                contraction + #"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"# + spaces
            ], .cl100k(mostNumbers: 1, marksAreLetters: true)
        ),
        (
            [
                #"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"#
            ], .cl100k(mostNumbers: 3, takesFinalSpaces: true)
        ),
        ([o200k("{1,3}", contraction + "?")], .o200k(mostNumbers: 3, contractions: true)),
        ([o200k("", "")], .o200k(mostNumbers: 1, contractions: false)),
        (
            [
                #"\p{N}{1,3}"#, "[一-龥\u{3040}-ゟ゠-ヿ]+",
                ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+"## + "|[^\r\n" + #"\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+"#
                    + "[\r\n]*|" + #"\s*"# + "[\r\n]+" + #"|\s+(?!\S)|\s+"#,
            ], .deepSeek
        ),
    ]
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
        case .cl100k(let mostNumbers, let takesFinalSpaces, let marksAreLetters):
            each(CL100KScanner(mostNumbers: mostNumbers, takesFinalSpaces: takesFinalSpaces, marksAreLetters: marksAreLetters))
        case .o200k(let mostNumbers, let contractions): each(O200KScanner(mostNumbers: mostNumbers, contractions: contractions))
        case .deepSeek: each(DeepSeekScanner())
        }
    }
}
