// Byte-level byte-pair encoding: words by a pre-tokeniser, then merges over single bytes.

/// What a byte-level vocabulary knows; shared by the encoders of all threads.
struct ByteLevelTables: Sendable {
    /// Entries are the bytes that they stand for.
    let vocabulary: Vocabulary
    let merges: MergeTable
    /// A word that is an entry as a whole is taken without merging.
    let ignoresMerges: Bool
    let bytes: ByteSymbols
    let characters: WholeCharacterRules
    /// What stands for bytes without a token; where there is none, they fall out.
    let unknownID: UInt32?
    /// Neighbouring unknown bytes make one unknown token.
    let fusesUnknown: Bool

    /// - name: the file, for errors.
    init(
        vocabulary: Vocabulary, merges list: MergeList, name: String, ignoresMerges: Bool, unknownID: UInt32? = nil,
        fusesUnknown: Bool = false
    ) throws {
        self.vocabulary = vocabulary
        merges = try MergeTable(list, name: name)
        characters = WholeCharacterRules(vocabulary, list)
        self.ignoresMerges = ignoresMerges
        self.unknownID = unknownID
        self.fusesUnknown = fusesUnknown
        bytes = ByteSymbols(vocabulary, merges)
    }
}

/// Single bytes, which every word begins as.
final class ByteSymbols: @unchecked Sendable {
    /// The id of each byte; the pseudo-id `absent` where the vocabulary has none.
    let ids: UnsafeMutablePointer<UInt32>
    /// The key of the merge of each pair of bytes, the first in the upper half of the index.
    let pairs: UnsafeMutablePointer<Int32>

    static let absent = UInt32.max - 1

    init(_ vocabulary: Vocabulary, _ merges: MergeTable) {
        ids = .allocate(capacity: 256)
        pairs = .allocate(capacity: 1 << 16)
        for byte in 0..<256 { ids[byte] = vocabulary.id(of: [UInt8(byte)]).map { UInt32($0) } ?? Self.absent }
        for left in 0..<256 {
            for right in 0..<256 { pairs[left << 8 | right] = merges.key(ids[left], ids[right]) }
        }
    }

    deinit {
        ids.deallocate()
        pairs.deallocate()
    }
}

/// The words of byte-level vocabularies.
final class ByteLevelWords: WordEncoder {
    let tables: ByteLevelTables
    private var droppedBytes = 0
    private let pairs: BytePairMerger
    private let characters: WholeCharacters
    private var kept: [Int] = []

    init(_ tables: ByteLevelTables) {
        self.tables = tables
        pairs = BytePairMerger(tables.merges)
        characters = WholeCharacters(tables.characters, tables.bytes, tables.merges)
    }

    func duplicate() -> ByteLevelWords { ByteLevelWords(tables) }

    func bytes(of id: Int) -> [UInt8] { tables.vocabulary.bytes(id) }

    func spelling(of id: Int) -> [UInt8] { ByteAlphabet.encode(tables.vocabulary.view(id)) }

    func takeDroppedBytes() -> Int {
        defer { droppedBytes = 0 }
        return droppedBytes
    }

    func encode(
        _ text: UnsafePointer<UInt8>, _ at: Int, _ stop: Int, _ ids: UnsafeMutablePointer<UInt32>, _ spans: UnsafeMutablePointer<UInt64>
    ) -> Int {
        if tables.ignoresMerges, let id = tables.vocabulary.id(of: UnsafeRawBufferPointer(start: text + at, count: stop - at)) {
            ids[0] = UInt32(id)
            spans[0] = UInt64(at) | UInt64(stop) << 32
            return 1
        }
        pairs.begin(most: stop - at)
        var place = at
        while place < stop {
            let (id, length) = symbol(text, place, at, stop)
            if id == ByteSymbols.absent {
                return tables.unknownID == nil
                    ? encodeWithGaps(text, at, stop, ids, spans) : encodeWithUnknown(text, at, stop, ids, spans)
            }
            pairs.append(id, at: place)
            place += length
        }
        pairs.merge(end: stop)
        let count = pairs.count
        for token in 0..<count {
            ids[token] = pairs.ids[token]
            spans[token] = UInt64(pairs.starts[token]) | UInt64(pairs.starts[token + 1]) << 32
        }
        return count
    }

    func stage(_ text: UnsafePointer<UInt8>, _ at: Int, _ stop: Int) -> Bool {
        // A word of more characters than there is room for is found out too late.
        guard let short = pairs.staged, stop &- at <= 2 * ShortWordMerger.most else { return false }
        let lane = short.nextLane()
        lane.starts[0] = UInt32(truncatingIfNeeded: at)
        if tables.ignoresMerges, let id = tables.vocabulary.id(of: UnsafeRawBufferPointer(start: text + at, count: stop &- at)) {
            lane.ids[0] = UInt32(truncatingIfNeeded: id)
            lane.starts[1] = UInt32(truncatingIfNeeded: stop)
            short.stage(1)
            return true
        }
        let (byteIDs, bytePairs) = (tables.bytes.ids, tables.bytes.pairs)
        for place in at..<stop {
            let byte = Int(text[place])
            if byte >= 0x80 || place &- at == ShortWordMerger.most { return stageCharacters(text, at, stop, short) }
            if byteIDs[byte] == ByteSymbols.absent { return false }
            lane.ids[place &- at] = byteIDs[byte]
            lane.starts[place &- at &+ 1] = UInt32(truncatingIfNeeded: place &+ 1)
            if place > at { lane.setKey(place &- at &- 1, bytePairs[Int(text[place &- 1]) << 8 | byte]) }
        }
        short.stage(stop &- at)
        return true
    }

    /// As `stage`, for words of more than ASCII.
    private func stageCharacters(_ text: UnsafePointer<UInt8>, _ at: Int, _ stop: Int, _ short: ShortWordMerger) -> Bool {
        let lane = short.nextLane()
        var (place, count) = (at, 0)
        while place < stop {
            let (id, length) = symbol(text, place, at, stop)
            if id == ByteSymbols.absent || count == ShortWordMerger.most { return false }
            lane.ids[count] = id
            place &+= length
            count &+= 1
            lane.starts[count] = UInt32(truncatingIfNeeded: place)
        }
        short.stageLookingUp(count)
        return true
    }

    /// What a word's next character begins as, if it is always made whole, else its next byte; and of how many bytes that is.
    @inline(__always)
    private func symbol(_ text: UnsafePointer<UInt8>, _ place: Int, _ at: Int, _ stop: Int) -> (id: UInt32, length: Int) {
        let byte = text[place]
        if byte >= 0xC0 && byte < 0xF0 {
            let length = byte < 0xE0 ? 2 : 3
            if place &+ length <= stop, let id = characters.token(text, place, length, at, stop) { return (id, length) }
        }
        return (tables.bytes.ids[Int(byte)], 1)
    }

    var merger: ShortWordMerger? { pairs.staged }

    /// Bytes without a token are unknown tokens between which the others merge.
    private func encodeWithUnknown(
        _ text: UnsafePointer<UInt8>, _ at: Int, _ stop: Int, _ ids: UnsafeMutablePointer<UInt32>, _ spans: UnsafeMutablePointer<UInt64>
    ) -> Int {
        pairs.begin(most: stop - at)
        for place in at..<stop { pairs.append(tables.bytes.ids[Int(text[place])], at: place) }
        pairs.merge(end: stop)
        var count = 0
        var isFused = false
        for symbol in 0..<pairs.count {
            let isUnknown = pairs.ids[symbol] == ByteSymbols.absent
            let end = UInt64(pairs.starts[symbol + 1]) << 32
            if isUnknown && isFused && tables.fusesUnknown {
                spans[count - 1] = spans[count - 1] & 0xFFFF_FFFF | end
            } else {
                ids[count] = isUnknown ? tables.unknownID! : pairs.ids[symbol]
                spans[count] = UInt64(pairs.starts[symbol]) | end
                count += 1
            }
            isFused = isUnknown
        }
        return count
    }

    /// Bytes without a token fall out before merging, as in the tokenizers package: their neighbours may merge over the gap.
    private func encodeWithGaps(
        _ text: UnsafePointer<UInt8>, _ at: Int, _ stop: Int, _ ids: UnsafeMutablePointer<UInt32>, _ spans: UnsafeMutablePointer<UInt64>
    ) -> Int {
        kept.removeAll(keepingCapacity: true)
        pairs.begin(most: stop - at)
        for place in at..<stop {
            let id = tables.bytes.ids[Int(text[place])]
            if id == ByteSymbols.absent {
                droppedBytes += 1
            } else {
                pairs.append(id, at: kept.count)
                kept.append(place)
            }
        }
        pairs.merge(end: kept.count)
        for token in 0..<pairs.count {
            let (start, last) = (Int(pairs.starts[token]), Int(pairs.starts[token + 1]) - 1)
            ids[token] = pairs.ids[token]
            spans[token] = UInt64(kept[start]) | UInt64(kept[last] + 1) << 32
        }
        return -pairs.count
    }
}

/// GPT-2's kind of vocabulary, with a pre-tokeniser that has a scanner.
final class ByteLevelEncoder: SectionEncoder {
    private let words: ByteLevelWords
    private let splitter: WordSplitter
    private let addsPrefixSpace: Bool
    private let loop = WordLoop()

    init(_ tables: ByteLevelTables, splitter: WordSplitter, addsPrefixSpace: Bool) {
        words = ByteLevelWords(tables)
        self.splitter = splitter
        self.addsPrefixSpace = addsPrefixSpace
    }

    func duplicate() -> any SectionEncoder {
        ByteLevelEncoder(words.tables, splitter: splitter, addsPrefixSpace: addsPrefixSpace)
    }

    func encode(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, startsText: Bool, recognising: Bool, into tokens: inout TokenSequence)
    {
        if addsPrefixSpace, !range.isEmpty, text[range.lowerBound] != 0x20 {
            encodeWithPrefixSpace(text, range, into: &tokens)
        } else {
            encodeWords(text, range, into: &tokens)
        }
        tokens.droppedBytes += words.takeDroppedBytes()
    }

    /// The space in front covers no byte: spans are shifted by one and cut at the range's start.
    private func encodeWithPrefixSpace(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, into tokens: inout TokenSequence) {
        var copy: [UInt8] = [0x20]
        copy.append(contentsOf: text[range])
        let first = tokens.ids.count
        copy.withUnsafeBytes { encodeWords($0, 0..<$0.count, into: &tokens) }
        for at in 2 * first..<tokens.offsets.count {
            tokens.offsets[at] = UInt32(range.lowerBound) + (tokens.offsets[at] == 0 ? 0 : tokens.offsets[at] - 1)
        }
    }

    /// One copy of the loop for each scanner.
    private func encodeWords(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, into tokens: inout TokenSequence) {
        switch splitter {
        case .whole: loop.encode(text, range, WholeScanner(), words, into: &tokens)
        case .gpt2: loop.encode(text, range, GPT2Scanner(), words, into: &tokens)
        case .digitsThenGPT2: loop.encode(text, range, GPT2Scanner(splitsDigits: true), words, into: &tokens)
        case .cl100k(let mostNumbers, let takesFinalSpaces, let marksAreLetters):
            let scanner = CL100KScanner(mostNumbers: mostNumbers, takesFinalSpaces: takesFinalSpaces, marksAreLetters: marksAreLetters)
            loop.encode(text, range, scanner, words, into: &tokens)
        case .o200k(let mostNumbers, let contractions):
            let scanner = O200KScanner(mostNumbers: mostNumbers, contractions: contractions)
            loop.encode(text, range, scanner, words, into: &tokens)
        case .deepSeek: loop.encode(text, range, DeepSeekScanner(), words, into: &tokens)
        }
    }

    func bytes(of id: Int) -> [UInt8] { words.bytes(of: id) }

    func spelling(of id: Int) -> [UInt8] { words.spelling(of: id) }

    var putsPrefix: Bool { false }
}
