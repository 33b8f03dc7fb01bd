// SentencePiece's byte-pair encoding: characters merge into pieces, spaces are written ▁, unknown characters fall back to bytes.

/// When ▁ is put in front of a stretch of text.
enum PrefixRule: Equatable {
    case never
    /// Before the text, unless it is empty (sentencepiece), and before every stretch between added tokens (Hugging Face, legacy).
    case always
    /// Unless the stretch begins with a space or ▁ (Metaspace, always).
    case unlessSpace
    /// As `unlessSpace`, and only at the start of the text (Metaspace, first).
    case firstUnlessSpace
}

/// What happens to the text before merging.
struct PieceNormalisation: Equatable {
    var prefix: PrefixRule
    /// Cut before every ▁, so that no piece spans two words (Metaspace with split).
    var splitsAtBoundary: Bool
    /// Done to the text before normalised added tokens are looked for (Prepend, Replace), not after (Metaspace).
    var comesFirst = false

    /// An added token as the normaliser leaves it.
    func written(_ content: [UInt8]) -> [UInt8] {
        (prefix == .always ? PieceEncoder.boundary : []) + content.flatMap { $0 == 0x20 ? PieceEncoder.boundary : [$0] }
    }
}

/// Llama-2's kind of vocabulary. Entries are the pieces as written, with ▁.
struct PieceEncoder: SectionEncoder {
    private let vocabulary: Vocabulary
    private let merges: MergeTable
    /// Ids of single characters, pseudo-ids from the vocabulary's size on for those that only occur inside pieces.
    private let characters: [UInt32: UInt32]
    /// The id of each byte's fallback token; nil without byte fallback.
    private let byteIDs: [UInt32]?
    private let unknownID: UInt32?
    private let fusesUnknown: Bool
    private let normalisation: PieceNormalisation
    private let byteOfID: [UInt32: UInt8]
    /// No piece has ▁ behind another character, so no merge reaches over one, and each word stands alone.
    private let wordsStandAlone: Bool
    /// What is found in the text as written for merging, with ▁: user-defined pieces, or normalised added tokens.
    private let written: AddedTokens
    private let writtenIsOptional: Bool
    private var cache = WordCache()
    private var merger = BytePairMerger()
    private var normalised: [UInt8] = []
    /// The byte of the text at which each byte of `normalised` begins, and one more for the end.
    private var origin: [UInt32] = []

    static let boundary: [UInt8] = [0xE2, 0x96, 0x81]
    private static let unknown = UInt32.max - 1

    init(
        vocabulary: Vocabulary, merges: MergeTable, characters: [UInt32: UInt32], byteIDs: [UInt32]?, unknownID: UInt32?,
        fusesUnknown: Bool, normalisation: PieceNormalisation, unused: Set<UInt32> = [], written: [AddedToken] = [],
        writtenIsOptional: Bool = false
    ) {
        self.vocabulary = vocabulary
        self.merges = merges
        self.characters = characters
        self.byteIDs = byteIDs
        self.unknownID = unknownID
        self.fusesUnknown = fusesUnknown
        self.normalisation = normalisation
        self.written = AddedTokens(written)
        self.writtenIsOptional = writtenIsOptional
        merger.unused = unused
        let boundaryIsKnown = characters[0x2581] != nil || byteIDs != nil || !fusesUnknown
        wordsStandAlone =
            normalisation.splitsAtBoundary
            || unused.isEmpty && boundaryIsKnown && (0..<vocabulary.count).allSatisfy { Self.beginsWithBoundaryOnly(vocabulary.bytes($0)) }
        byteOfID = Dictionary((byteIDs ?? []).enumerated().map { ($1, UInt8($0)) }) { first, _ in first }
    }

    mutating func encode(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, recognising: Bool, into tokens: inout TokenSequence) {
        guard !range.isEmpty else { return }
        normalise(text, range)
        let normalised = self.normalised
        normalised.withUnsafeBytes { bytes in
            guard !written.isEmpty && (recognising || !writtenIsOptional) else {
                return encodeWords(0..<bytes.count, of: bytes, into: &tokens)
            }
            written.split(
                bytes, 0..<bytes.count,
                section: { encodeWords($0, of: bytes, into: &tokens) },
                match: { id, range in tokens.append(id, Int(origin[range.lowerBound]), Int(origin[range.upperBound])) })
        }
    }

    private mutating func encodeWords(_ range: Range<Int>, of bytes: UnsafeRawBufferPointer, into tokens: inout TokenSequence) {
        var start = range.lowerBound
        if wordsStandAlone {
            // A word is a run of ▁ with what follows it; with `splitsAtBoundary` every ▁ begins one.
            var at = start + 1
            while at < range.upperBound {
                if bytes[at] == 0xE2, isBoundary(bytes, at), normalisation.splitsAtBoundary || at < start + 3 || !isBoundary(bytes, at - 3)
                {
                    encode(word: start..<at, of: bytes, into: &tokens)
                    start = at
                }
                at += 1
            }
        }
        encode(word: start..<range.upperBound, of: bytes, into: &tokens)
    }

    private func isBoundary(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> Bool {
        at + 3 <= bytes.count && bytes[at] == 0xE2 && bytes[at + 1] == 0x96 && bytes[at + 2] == 0x81
    }

    /// Whether ▁ occurs in a piece only in front of everything else.
    private static func beginsWithBoundaryOnly(_ piece: ArraySlice<UInt8>) -> Bool {
        var rest = piece
        while rest.starts(with: boundary) { rest = rest.dropFirst(3) }
        return !rest.indices.contains { rest[$0...].starts(with: boundary) }
    }

    /// Tokens of a stretch that merges by itself. Spans are first those in `bytes`, then those of the text.
    private mutating func encode(word range: Range<Int>, of bytes: UnsafeRawBufferPointer, into tokens: inout TokenSequence) {
        let word = UnsafeRawBufferPointer(rebasing: bytes[range])
        let first = tokens.ids.count
        if cache.append(word, at: range.lowerBound, to: &tokens) { return translate(&tokens, from: first) }
        merger.symbols.removeAll(keepingCapacity: true)
        var at = range.lowerBound
        while at < range.upperBound {
            let (code, length) = decodeScalar(bytes, at)
            if let id = characters[code] {
                merger.symbols.append(Symbol(id: id, start: UInt32(at), end: UInt32(at + length)))
            } else if byteIDs != nil || unknownID != nil {
                merger.symbols.append(Symbol(id: Self.unknown, start: UInt32(at), end: UInt32(at + length)))
            } else {
                // Nothing expresses it: it falls out before merging, and its neighbours may merge over the gap.
                tokens.droppedBytes += Int(origin[at + length] - origin[at])
            }
            at += length
        }
        merger.merge(merges)
        if merger.symbols.allSatisfy({ Int($0.id) < vocabulary.count }) {
            for symbol in merger.symbols { tokens.append(symbol.id, Int(symbol.start), Int(symbol.end)) }
            if tilesTheWord(tokens, from: first, range) {
                cache.remember(word, tokens, from: first, at: range.lowerBound)
            }
            translate(&tokens, from: first)
        } else {
            appendWithFallback(bytes, into: &tokens)
        }
    }

    /// Whether nothing was dropped.
    private func tilesTheWord(_ tokens: TokenSequence, from first: Int, _ range: Range<Int>) -> Bool {
        var at = range.lowerBound
        for token in first..<tokens.ids.count {
            guard tokens.offsets[2 * token] == UInt32(at) else { return false }
            at = Int(tokens.offsets[2 * token + 1])
        }
        return at == range.upperBound
    }

    private func translate(_ tokens: inout TokenSequence, from first: Int) {
        for at in 2 * first..<tokens.offsets.count { tokens.offsets[at] = origin[Int(tokens.offsets[at])] }
    }

    /// Writes spaces as ▁ with one in front where the rule asks, and keeps where each byte came from.
    private mutating func normalise(_ text: UnsafeRawBufferPointer, _ range: Range<Int>) {
        normalised.removeAll(keepingCapacity: true)
        origin.removeAll(keepingCapacity: true)
        let beginsWithSpace = text[range.lowerBound] == 0x20 || text[range].starts(with: Self.boundary)
        let addsPrefix =
            switch normalisation.prefix {
            case .never: false
            case .always: true
            case .unlessSpace: !beginsWithSpace
            case .firstUnlessSpace: !beginsWithSpace && range.lowerBound == 0
            }
        if addsPrefix {
            normalised.append(contentsOf: Self.boundary)
            origin.append(contentsOf: repeatElement(UInt32(range.lowerBound), count: 3))
        }
        for at in range {
            if text[at] == 0x20 {
                normalised.append(contentsOf: Self.boundary)
                origin.append(contentsOf: repeatElement(UInt32(at), count: 3))
            } else {
                normalised.append(text[at])
                origin.append(UInt32(at))
            }
        }
        origin.append(UInt32(range.upperBound))
    }

    private func appendWithFallback(_ bytes: UnsafeRawBufferPointer, into tokens: inout TokenSequence) {
        var lastIsFusedUnknown = false
        for symbol in merger.symbols {
            let (start, end) = (Int(symbol.start), Int(symbol.end))
            if Int(symbol.id) < vocabulary.count {
                tokens.append(symbol.id, Int(origin[start]), Int(origin[end]))
                lastIsFusedUnknown = false
            } else if let byteIDs {
                appendBytes(bytes, start..<end, byteIDs, into: &tokens)
            } else if let unknownID {
                if lastIsFusedUnknown && fusesUnknown {
                    tokens.offsets[tokens.offsets.count - 1] = origin[end]
                } else {
                    tokens.append(unknownID, Int(origin[start]), Int(origin[end]))
                }
                lastIsFusedUnknown = true
            }
        }
    }

    /// One token a byte. A character that came from one byte (▁ for a space) gives its span to its last byte token.
    private func appendBytes(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ byteIDs: [UInt32], into tokens: inout TokenSequence) {
        let isWritten = Int(origin[range.upperBound] - origin[range.lowerBound]) == range.count
        for at in range {
            let start = isWritten ? Int(origin[at]) : Int(origin[range.lowerBound])
            let end = isWritten ? Int(origin[at]) + 1 : at + 1 == range.upperBound ? Int(origin[range.upperBound]) : start
            tokens.append(byteIDs[Int(bytes[at])], start, end)
        }
    }

    func beginsWithPrefix(_ id: Int) -> Bool {
        normalisation.prefix != .never && vocabulary.bytes(id).starts(with: Self.boundary)
    }

    func bytes(of id: Int) -> [UInt8] {
        if let byte = byteOfID[UInt32(id)] { return [byte] }
        return Self.textBytes(vocabulary.bytes(id))
    }

    /// A piece as it stands in the text: ▁ is a space.
    static func textBytes(_ piece: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        var rest = piece
        while let first = rest.first {
            let isSpace = rest.starts(with: boundary)
            result.append(isSpace ? 0x20 : first)
            rest = rest.dropFirst(isSpace ? 3 : 1)
        }
        return result
    }
}
