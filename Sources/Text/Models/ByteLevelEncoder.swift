// Byte-level byte-pair encoding: words by a pre-tokeniser, then merges over single bytes.

/// GPT-2's kind of vocabulary. Entries of the vocabulary are the bytes that they stand for.
struct ByteLevelEncoder: SectionEncoder {
    private let vocabulary: Vocabulary
    private let merges: MergeTable
    private let splitter: WordSplitter
    private let addsPrefixSpace: Bool
    /// A word that is an entry as a whole is taken without merging.
    private let ignoresMerges: Bool
    /// The id of each byte; the pseudo-id `absent` where the vocabulary has none.
    private let byteIDs: [UInt32]
    private var merger = BytePairMerger()
    private var cache: WordCache

    private static let absent = UInt32.max - 1

    init(vocabulary: Vocabulary, merges: MergeTable, splitter: WordSplitter, addsPrefixSpace: Bool, ignoresMerges: Bool) {
        self.vocabulary = vocabulary
        self.merges = merges
        self.splitter = splitter
        self.addsPrefixSpace = addsPrefixSpace
        self.ignoresMerges = ignoresMerges
        byteIDs = (0...255).map { byte in vocabulary.id(of: [UInt8(byte)]).map { UInt32($0) } ?? Self.absent }
        cache = WordCache()
    }

    mutating func encode(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, recognising: Bool, into tokens: inout TokenSequence) {
        if addsPrefixSpace, !range.isEmpty, text[range.lowerBound] != 0x20 {
            return encodeWithPrefixSpace(text, range, into: &tokens)
        }
        splitter.forEachWord(text, range) { word in
            self.encode(word: UnsafeRawBufferPointer(rebasing: text[word]), at: word.lowerBound, into: &tokens)
        }
    }

    /// The space in front covers no byte: spans are shifted by one and cut at the range's start.
    private mutating func encodeWithPrefixSpace(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, into tokens: inout TokenSequence) {
        var copy: [UInt8] = [0x20]
        copy.append(contentsOf: text[range])
        let first = tokens.ids.count
        copy.withUnsafeBytes { shifted in
            splitter.forEachWord(shifted, 0..<shifted.count) { word in
                self.encode(word: UnsafeRawBufferPointer(rebasing: shifted[word]), at: word.lowerBound, into: &tokens)
            }
        }
        for at in 2 * first..<tokens.offsets.count {
            tokens.offsets[at] = UInt32(range.lowerBound) + (tokens.offsets[at] == 0 ? 0 : tokens.offsets[at] - 1)
        }
    }

    private mutating func encode(word: UnsafeRawBufferPointer, at start: Int, into tokens: inout TokenSequence) {
        if word.count == 1 && byteIDs[Int(word[0])] != Self.absent {
            return tokens.append(byteIDs[Int(word[0])], start, start + 1)
        }
        if cache.append(word, at: start, to: &tokens) { return }
        let first = tokens.ids.count
        let dropped = tokens.droppedBytes
        if ignoresMerges, let id = vocabulary.id(of: word) {
            tokens.append(UInt32(id), start, start + word.count)
        } else {
            merge(word: word, at: start, into: &tokens)
        }
        if tokens.droppedBytes == dropped { cache.remember(word, tokens, from: first, at: start) }
    }

    /// Bytes without a token fall out before merging, as in the tokenizers package: their neighbours may merge over the gap.
    private mutating func merge(word: UnsafeRawBufferPointer, at start: Int, into tokens: inout TokenSequence) {
        merger.symbols.removeAll(keepingCapacity: true)
        for (at, byte) in word.enumerated() {
            let id = byteIDs[Int(byte)]
            if id == Self.absent {
                tokens.droppedBytes += 1
            } else {
                merger.symbols.append(Symbol(id: id, start: UInt32(at), end: UInt32(at + 1)))
            }
        }
        merger.merge(merges)
        for symbol in merger.symbols { tokens.append(symbol.id, start + Int(symbol.start), start + Int(symbol.end)) }
    }

    func bytes(of id: Int) -> [UInt8] { Array(vocabulary.bytes(id)) }

    func beginsWithPrefix(_ id: Int) -> Bool { false }
}
