// Added tokens: strings such as <|im_end|> that are found in the text before anything else happens to it.

import Glibc
import Streams

/// One added token and the rules of its match, as in Hugging Face's tokenizer.json.
struct AddedToken: Equatable, Sendable {
    var id: UInt32
    var content: [UInt8]
    /// White space before, and behind, belongs to the match.
    var stripsLeft = false
    var stripsRight = false
    /// Matches only where no word character (\w) touches it.
    var isWholeWord = false
    /// Looked for after the others, in the text as the normaliser leaves it.
    var isNormalised = false
    /// Stands for no text: a mark such as the end of a turn.
    var isSpecial = false
}

/// Finds added tokens: at each byte the longest that fits.
struct AddedTokens: Sendable {
    private let tokens: [AddedToken]
    private let trie: ByteTrie
    /// The byte that all tokens begin with, where it is one.
    private let onlyFirstByte: UInt8?

    /// - tokens: none empty; of those with one content the first counts. - name: the file, for messages.
    /// Throws 65 where they need more than `ByteTrie.mostUnits` units of a trie: about as many bytes.
    init(_ tokens: [AddedToken], name: String) throws {
        self.tokens = tokens
        var seen: Set<[UInt8]> = []
        let keys = tokens.enumerated().filter { seen.insert($1.content).inserted }.map { (bytes: $1.content[...], value: UInt32($0)) }
        let bytes = keys.reduce(0) { $0 + $1.bytes.count }
        guard bytes <= SortedKeys.mostBytes, let trie = ByteTrie(SortedKeys(keys)) else {
            throw Failure(
                .badData, name, .whole,
                "has added tokens of \(bytes) bytes in all, expected no more than a trie of \(ByteTrie.mostUnits) units holds")
        }
        self.trie = trie
        onlyFirstByte = Set(tokens.map(\.content[0])).count == 1 ? tokens[0].content[0] : nil
    }

    /// None.
    init() {
        tokens = []
        trie = ByteTrie()
        onlyFirstByte = nil
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
        while true {
            at = nextBeginning(text, at, range.upperBound)
            guard at < range.upperBound else { break }
            guard let token = token(text, at..<range.upperBound) else {
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

    /// The next byte that some token begins with, or `end`.
    private func nextBeginning(_ text: UnsafeRawBufferPointer, _ at: Int, _ end: Int) -> Int {
        guard at < end, let base = text.baseAddress else { return end }
        if let onlyFirstByte {
            return memchr(base + at, Int32(onlyFirstByte), end - at).map { UnsafeRawPointer($0) - base } ?? end
        }
        return trie.withView { trie in
            var at = at
            while at < end && !trie.begins(with: text[at]) { at += 1 }
            return at
        }
    }

    private func token(_ text: UnsafeRawBufferPointer, _ range: Range<Int>) -> AddedToken? {
        trie.longestPrefix(text, range).map { tokens[Int($0.value)] }
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
