// What rewrites and cuts a text: patterns, charsmaps, normalisers, pre-tokenisers. An input is a rule, a zero byte and a text.
@testable import Streams
@testable import Text

extension FuzzTarget {
    /// The first byte says whose syntax it is.
    static let pattern = FuzzTarget("pattern", longest: 384) { bytes in
        guard let (rule, text) = splitAtZero(bytes), let first = rule.first, firstInvalidUTF8(rule) == nil else { return }
        let pattern = try Pattern(Array(rule.dropFirst()), name: "input", syntax: first & 1 == 0 ? .ruby : .rust)
        let matches = text.withUnsafeBytes { pattern.matches(in: $0) }
        checkRanges(matches, text)
        let again = text.withUnsafeBytes { pattern.matches(in: $0) }
        agree(matches == again, "other matches the second time")
    }

    static let normaliser = FuzzTarget("normaliser", longest: 2048) { bytes in
        guard let (rule, text) = splitAtZero(bytes) else { return }
        let json = try JSONValue.parse(rule, name: "input")
        let normaliser = try Normaliser(json: json, name: "input") { try Pattern($0, name: "input") }
        rewrite(text, normaliser)
    }

    static let preTokeniser = FuzzTarget("pretokeniser", longest: 2048) { bytes in
        guard let (rule, text) = splitAtZero(bytes) else { return }
        let steps = try PreTokeniser(json: JSONValue.parse(rule, name: "input"), name: "input")
        text.withUnsafeBytes { text in
            var words = Words(RewrittenText(text, 0..<text.count))
            steps.cut(&words)
            checkOrigins(words.text, text.count)
            var end = 0
            for range in words.ranges {
                agree(range.lowerBound >= end && !range.isEmpty && range.upperBound <= words.text.count, "a word at \(range) behind \(end)")
                end = range.upperBound
            }
        }
    }

    static let charsmap = FuzzTarget("charsmap", longest: 2048) { bytes in
        let map = try Charsmap(Array(bytes), name: "input")
        rewrite(plainText, .charsmap(map))
        let pieces = SentencePieceNormaliser(charsmap: map)
        let buffer = RewritingBuffer()
        plainText.withUnsafeBytes { pieces.rewrite($0, 0..<$0.count, into: buffer) }
    }
}

private func rewrite(_ text: [UInt8], _ normaliser: Normaliser) {
    text.withUnsafeBytes { text in
        let leaves = normaliser.leavesAlone(text)
        var rewritten = RewrittenText(text, 0..<text.count)
        normaliser.apply(&rewritten)
        checkOrigins(rewritten, text.count)
        agree(rewritten.bytes.withUnsafeBytes { firstInvalidUTF8($0) } == nil, "rewritten to what is not UTF-8")
        if leaves { agree(rewritten.bytes.elementsEqual(text), "changes a text that it says it leaves alone") }
    }
}

private func checkOrigins(_ text: RewrittenText, _ count: Int) {
    agree(text.starts.count == text.count && text.ends.count == text.count, "bytes without an origin")
    for at in 0..<text.count {
        agree(text.starts[at] <= text.ends[at] && text.ends[at] <= count, "the origin \(text.starts[at])..<\(text.ends[at]) of \(count)")
    }
}

private func checkRanges(_ ranges: [Range<Int>], _ text: [UInt8]) {
    var end = 0
    for range in ranges {
        agree(range.lowerBound >= end && range.upperBound <= text.count, "a match at \(range) behind \(end)")
        for edge in [range.lowerBound, range.upperBound] where edge < text.count {
            agree(text[edge] & 0xC0 != 0x80, "a match ends inside a character: \(range)")
        }
        end = range.upperBound
    }
}
