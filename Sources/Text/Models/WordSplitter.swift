// Pre-tokenisers of byte-level vocabularies: where a text is cut before merging. One pass, no backtracking.

/// Cuts text into the words inside which byte pairs merge.
enum WordSplitter: Equatable {
    /// GPT-2's pattern: 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
    case gpt2
    /// Every digit alone, then GPT-2's pattern on what lies between (SmolLM2, StarCoder).
    case digitsThenGPT2
    /// No cut at all.
    case whole

    /// Calls `body` with the byte range of every word, in order.
    func forEachWord(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, _ body: (Range<Int>) -> Void) {
        switch self {
        case .whole:
            if !range.isEmpty { body(range) }
        case .gpt2:
            splitByGPT2(text, range, body)
        case .digitsThenGPT2:
            var start = range.lowerBound
            var at = start
            while at < range.upperBound {
                let (code, length) = decodeScalar(text, at)
                if UnicodeClasses.of(code).contains(.digit) {
                    splitByGPT2(text, start..<at, body)
                    splitByGPT2(text, at..<(at + length), body)
                    start = at + length
                }
                at += length
            }
            splitByGPT2(text, start..<at, body)
        }
    }
}

private func splitByGPT2(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, _ body: (Range<Int>) -> Void) {
    let end = range.upperBound
    /// The classes of the code point at a byte and its length; no class and no length at the end.
    func look(_ at: Int) -> (classes: UnicodeClasses, length: Int) {
        guard at < end else { return ([], 0) }
        let (code, length) = decodeScalar(text, at)
        return (UnicodeClasses.of(code), length)
    }
    /// Past the run of code points that `belongs` holds for.
    func run(_ from: Int, _ belongs: (UnicodeClasses) -> Bool) -> Int {
        var at = from
        while at < end {
            let (classes, length) = look(at)
            guard belongs(classes) else { break }
            at += length
        }
        return at
    }
    var start = range.lowerBound
    while start < end {
        if let contraction = contractionEnd(text, start, end) {
            body(start..<contraction)
            start = contraction
            continue
        }
        // " ?X+": one space, if any, goes with the run of letters, of numbers or of other marks behind it.
        let wordStart = text[start] == 0x20 ? start + 1 : start
        let (classes, _) = look(wordStart)
        var stop = start
        if wordStart < end {
            if classes.contains(.letter) {
                stop = run(wordStart) { $0.contains(.letter) }
            } else if classes.contains(.number) {
                stop = run(wordStart) { $0.contains(.number) }
            } else if !classes.contains(.space) {
                stop = run(wordStart) { $0.isDisjoint(with: [.letter, .number, .space]) }
            }
        }
        if stop == start {
            // White space: all of it before the end, else all but the last, which leads the next word or stands alone.
            stop = run(start) { $0.contains(.space) }
            if stop < end {
                let last = lastScalarStart(text, stop)
                if last > start { stop = last }
            }
        }
        body(start..<stop)
        start = stop
    }
}

/// The end of 's 't 'm 'd 're 've 'll at a byte; nil where none begins.
private func contractionEnd(_ text: UnsafeRawBufferPointer, _ at: Int, _ end: Int) -> Int? {
    guard text[at] == UInt8(ascii: "'"), at + 1 < end else { return nil }
    switch text[at + 1] {
    case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return at + 2
    default: break
    }
    guard at + 2 < end else { return nil }
    switch (text[at + 1], text[at + 2]) {
    case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")), (UInt8(ascii: "l"), UInt8(ascii: "l")):
        return at + 3
    default: return nil
    }
}
