// Added tokens: strings such as <|im_end|> that are found in the text before anything else happens to it.

/// One added token and the rules of its match, as in Hugging Face's tokenizer.json.
struct AddedToken: Equatable {
    var id: UInt32
    var content: [UInt8]
    /// White space before, and behind, belongs to the match.
    var stripsLeft = false
    var stripsRight = false
    /// Matches only where no word character (\w) touches it.
    var isWholeWord = false
    /// Looked for after the others, in the text as the normaliser leaves it.
    var isNormalised = false
}

/// Finds added tokens: at each byte the longest that fits.
struct AddedTokens {
    private let tokens: [AddedToken]
    /// By first byte, the longest first.
    private var byFirstByte = [[Int]](repeating: [], count: 256)

    init(_ tokens: [AddedToken]) {
        self.tokens = tokens
        for (at, token) in tokens.enumerated() { byFirstByte[Int(token.content[0])].append(at) }
        for byte in 0..<256 {
            byFirstByte[byte].sort { tokens[$0].content.count > tokens[$1].content.count }
        }
    }

    var isEmpty: Bool { tokens.isEmpty }

    /// Calls `section` for the text between matches and `match` for each, in order; a stretch without bytes is not reported.
    ///
    /// - range: what is searched; its ends count as the ends of the text.
    func split(
        _ text: UnsafeRawBufferPointer, _ range: Range<Int>, section: (Range<Int>) -> Void, match: (UInt32, Range<Int>) -> Void
    ) {
        var start = range.lowerBound
        var at = start
        while at < range.upperBound {
            guard !byFirstByte[Int(text[at])].isEmpty, let token = token(text, at..<range.upperBound) else {
                at += 1
                continue
            }
            let end = at + token.content.count
            // A match that is no whole word is text, all of it: nothing shorter is tried inside, as in the tokenizers package.
            if token.isWholeWord
                && (isWord(text, endingAt: at, from: range.lowerBound) || isWord(text, startingAt: end, to: range.upperBound))
            {
                at = end
                continue
            }
            let first = max(start, token.stripsLeft ? spaceStart(text, at, from: start) : at)
            let last = token.stripsRight ? spaceEnd(text, end, to: range.upperBound) : end
            if start < first { section(start..<first) }
            match(token.id, first..<max(first, last))
            start = max(start, last)
            at = end
        }
        if start < range.upperBound { section(start..<range.upperBound) }
    }

    private func token(_ text: UnsafeRawBufferPointer, _ range: Range<Int>) -> AddedToken? {
        for candidate in byFirstByte[Int(text[range.lowerBound])] where tokens[candidate].content.count <= range.count {
            let token = tokens[candidate]
            if text[range.lowerBound..<range.lowerBound + token.content.count].elementsEqual(token.content) { return token }
        }
        return nil
    }

    private func isWord(_ text: UnsafeRawBufferPointer, startingAt at: Int, to end: Int) -> Bool {
        at < end && UnicodeClasses.of(decodeScalar(text, at).code).contains(.word)
    }

    private func isWord(_ text: UnsafeRawBufferPointer, endingAt end: Int, from start: Int) -> Bool {
        end > start && isWord(text, startingAt: lastScalarStart(text, end), to: end)
    }

    private func spaceStart(_ text: UnsafeRawBufferPointer, _ at: Int, from limit: Int) -> Int {
        var start = at
        while start > limit {
            let before = lastScalarStart(text, start)
            guard UnicodeClasses.of(decodeScalar(text, before).code).contains(.space) else { break }
            start = before
        }
        return start
    }

    private func spaceEnd(_ text: UnsafeRawBufferPointer, _ at: Int, to limit: Int) -> Int {
        var end = at
        while end < limit {
            let (code, length) = decodeScalar(text, end)
            guard UnicodeClasses.of(code).contains(.space) else { break }
            end += length
        }
        return end
    }
}
