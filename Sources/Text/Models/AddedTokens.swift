// Added tokens: strings such as <|im_end|> that are found in the text before anything else happens to it.

/// One added token and the rules of its match, as in Hugging Face's tokenizer.json.
struct AddedToken: Equatable {
    var id: UInt32
    var content: [UInt8]
    /// White space before, and behind, belongs to the match.
    var stripsLeft = false
    var stripsRight = false
    /// Matches only where no letter, number or underscore touches it.
    var isWholeWord = false
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
    func split(
        _ text: UnsafeRawBufferPointer, section: (Range<Int>) -> Void, match: (UInt32, Range<Int>) -> Void
    ) {
        var start = 0
        var at = 0
        while at < text.count {
            guard !byFirstByte[Int(text[at])].isEmpty, let token = token(text, at) else {
                at += 1
                continue
            }
            var range = at..<(at + token.content.count)
            if token.stripsLeft { range = spaceStart(text, range.lowerBound, from: start)..<range.upperBound }
            if token.stripsRight { range = range.lowerBound..<spaceEnd(text, range.upperBound) }
            if start < range.lowerBound { section(start..<range.lowerBound) }
            match(token.id, range)
            start = range.upperBound
            at = start
        }
        if start < text.count { section(start..<text.count) }
    }

    private func token(_ text: UnsafeRawBufferPointer, _ at: Int) -> AddedToken? {
        for candidate in byFirstByte[Int(text[at])] {
            let token = tokens[candidate]
            let end = at + token.content.count
            guard end <= text.count, text[at..<end].elementsEqual(token.content) else { continue }
            if token.isWholeWord && (isWord(text, endingAt: at) || isWord(text, startingAt: end)) { continue }
            return token
        }
        return nil
    }

    private func isWord(_ text: UnsafeRawBufferPointer, startingAt at: Int) -> Bool {
        guard at < text.count else { return false }
        let code = decodeScalar(text, at).code
        return code == 0x5F || !UnicodeClasses.of(code).isDisjoint(with: [.letter, .number])
    }

    private func isWord(_ text: UnsafeRawBufferPointer, endingAt end: Int) -> Bool {
        guard end > 0 else { return false }
        return isWord(text, startingAt: lastScalarStart(text, end))
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

    private func spaceEnd(_ text: UnsafeRawBufferPointer, _ at: Int) -> Int {
        var end = at
        while end < text.count {
            let (code, length) = decodeScalar(text, end)
            guard UnicodeClasses.of(code).contains(.space) else { break }
            end += length
        }
        return end
    }
}
