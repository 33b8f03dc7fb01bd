// Pre-tokenisers of tokenizer.json: where a text is cut into the words that the model sees one at a time.

/// A text cut into words, in order; what lies between them was removed.
struct Words {
    var text: RewrittenText
    /// Byte ranges of `text.bytes`, none of them empty.
    var ranges: [Range<Int>]
    /// Where in the original the one uncut word begins, even if a normaliser removed its first bytes; nil once it was cut.
    var wholeStart: Int?

    /// One word; `start` is where it begins in the original, by default with its first byte.
    init(_ text: RewrittenText, start: Int? = nil) {
        self.text = text
        ranges = text.count > 0 ? [0..<text.count] : []
        wholeStart = start ?? text.starts.first.map { Int($0) }
    }

    /// Whether a word begins at the first byte of the original.
    func isFirst(_ word: Range<Int>) -> Bool {
        (wholeStart ?? Int(text.starts[word.lowerBound])) == 0
    }
}

/// A way to cut words, as Hugging Face's tokenizers 0.23 has it. ByteLevel leaves the bytes as they are instead of writing each as a
/// printable character, for our byte-level models work on bytes; steps behind it cut as if it did, so that a word may end inside a
/// character.
indirect enum PreTokeniser: Sendable {
    enum Prefix: Sendable { case always, first, never }

    /// A space before each word that has none, then GPT-2's pattern.
    case byteLevel(addsPrefixSpace: Bool, usesPattern: Bool)
    case split(any TextPattern, SplitBehaviour, isInverted: Bool)
    /// Spaces as `replacement`, which begins a word.
    case metaspace(replacement: UInt32, Prefix, splits: Bool)
    /// Runs of word characters, and runs of what is neither a word character nor white space.
    case whitespace
    case whitespaceSplit
    case digits(areSingle: Bool)
    case punctuation(SplitBehaviour)
    case bert
    case delimiter(UInt32)
    case unicodeScripts
    /// Words of so many characters.
    case fixedLength(Int)
    case sequence([PreTokeniser])

    /// Cuts each word further. Work is linear in the bytes of the text.
    func cut(_ words: inout Words) {
        switch self {
        case .byteLevel(let addsPrefixSpace, let usesPattern):
            if addsPrefixSpace { Self.prepend([0x20], to: &words) { text, word in text.bytes[word.lowerBound] != 0x20 } }
            if usesPattern { words.split(.isolated) { WordSplitter.gpt2.forEachWord($0, $1, $2) } }
        case .split(let pattern, let behaviour, let isInverted):
            words.split(behaviour, isInverted: isInverted, find: Self.finder(pattern))
        case .metaspace(let replacement, let prefix, let splits):
            Self.writeSpaces(as: utf8(replacement), prefix, &words)
            if splits { words.split(.mergedWithNext) { $0 == replacement } }
        case .whitespace:
            words.split(.removed, isInverted: true, find: Self.findWordsAndMarks)
        case .whitespaceSplit:
            words.split(.removed) { UnicodeClasses.of($0).contains(.space) }
        case .digits(let areSingle):
            words.split(areSingle ? .isolated : .contiguous) { UnicodeClasses.of($0).contains(.digit) }
        case .punctuation(let behaviour):
            words.split(behaviour) { CharacterClasses.of($0).contains(.punctuation) }
        case .bert:
            words.split(.removed) { UnicodeClasses.of($0).contains(.space) }
            words.split(.isolated) { CharacterClasses.of($0).contains(.punctuation) }
        case .delimiter(let delimiter):
            words.split(.removed) { $0 == delimiter }
        case .unicodeScripts:
            words.cutByScript()
        case .fixedLength(let length):
            words.cut(every: length)
        case .sequence(let steps):
            var isInAlphabet = false
            for (at, step) in steps.enumerated() {
                step.cut(&words)
                if case .byteLevel = step, at + 1 < steps.count {
                    words.writeInAlphabet()
                    isInAlphabet = true
                }
            }
            if isInAlphabet { words.readFromAlphabet() }
        }
    }

    /// Whether it may follow ByteLevel: its words are then written in the printable alphabet, which only cuts leave as it is.
    var onlyCuts: Bool {
        switch self {
        case .byteLevel, .metaspace: false
        case .sequence(let steps): steps.allSatisfy { $0.onlyCuts }
        default: true
        }
    }

    /// The steps that put something before words.
    var prefixSteps: Int {
        switch self {
        case .byteLevel(let addsPrefixSpace, _): addsPrefixSpace ? 1 : 0
        case .metaspace(_, let prefix, _): prefix == .never ? 0 : 1
        case .sequence(let steps): steps.reduce(0) { $0 + $1.prefixSteps }
        default: 0
        }
    }

    /// What calls back with every match of a pattern in a word.
    private static func finder(_ pattern: any TextPattern) -> (UnsafeRawBufferPointer, Range<Int>, (Range<Int>) -> Void) -> Void {
        if let expression = pattern as? Pattern {
            let matcher = expression.matcher()
            return { matcher.forEachMatch($0, $1, $2) }
        }
        return { text, word, match in
            for found in pattern.matches(in: UnsafeRawBufferPointer(rebasing: text[word])) {
                match(found.lowerBound + word.lowerBound..<found.upperBound + word.lowerBound)
            }
        }
    }

    private static func findWordsAndMarks(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, _ body: (Range<Int>) -> Void) {
        func kind(_ classes: UnicodeClasses) -> Int { classes.contains(.word) ? 1 : classes.contains(.space) ? 0 : 2 }
        var (start, last) = (range.lowerBound, -1)
        var at = start
        while at < range.upperBound {
            let (code, length) = decodeScalar(text, at)
            let next = kind(UnicodeClasses.of(code))
            if next != last {
                if last > 0 { body(start..<at) }
                (start, last) = (at, next)
            }
            at += length
        }
        if last > 0 { body(start..<at) }
    }

    // MARK: Rewriting

    private static func prepend(_ prefix: [UInt8], to words: inout Words, where lacks: (RewrittenText, Range<Int>) -> Bool) {
        guard words.ranges.contains(where: { lacks(words.text, $0) }) else { return }
        var text = RewrittenText()
        for (place, word) in words.ranges.enumerated() {
            let start = text.count
            if lacks(words.text, word) {
                let origin = Int(words.text.starts[word.lowerBound])
                text.append(prefix, standingFor: origin..<origin)
            }
            text.append(words.text, word)
            words.ranges[place] = start..<text.count
        }
        words.text = text
    }

    /// Spaces as another character, which then stands for the one byte; one more before words that do not begin with it.
    private static func writeSpaces(as mark: [UInt8], _ prefix: Prefix, _ words: inout Words) {
        var text = RewrittenText()
        let old = words.text
        for (place, word) in words.ranges.enumerated() {
            let start = text.count
            let begins = old.bytes[word.lowerBound] == 0x20 || old.bytes[word].starts(with: mark)
            if !begins, prefix == .always || prefix == .first && words.isFirst(word) {
                let origin = Int(old.starts[word.lowerBound])
                text.append(mark, standingFor: origin..<origin)
            }
            var at = word.lowerBound
            while at < word.upperBound {
                var stop = at
                while stop < word.upperBound, old.bytes[stop] != 0x20 { stop += 1 }
                if stop > at { text.append(old, at..<stop) }
                if stop < word.upperBound { text.append(mark, standingFor: old.origin(stop..<stop + 1)) }
                at = stop + 1
            }
            words.ranges[place] = start..<text.count
        }
        words.text = text
    }
}

extension PreTokeniser {
    /// Splits one behind the other, each of which keeps what its pattern finds and what lies between.
    static func isolating(_ patterns: [Pattern]) -> PreTokeniser {
        .sequence(patterns.map { .split($0, .isolated, isInverted: false) })
    }
}
