// Vocabularies of pieces: what becomes of spaces, and where the words are.

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
        (prefix == .always ? PieceTables.boundary : []) + content.flatMap { $0 == 0x20 ? PieceTables.boundary : [$0] }
    }
}

/// Llama-2's kind of vocabulary.
final class PieceEncoder: SectionEncoder {
    private let words: PieceWords
    private let normalisation: PieceNormalisation
    /// What is found in the text as written for merging, with ▁: user-defined pieces, or normalised added tokens.
    private let written: AddedTokens
    private let writtenIsOptional: Bool
    /// sentencepiece's normalisation, where it is more than spaces as ▁ behind a prefix.
    private let normaliser: SentencePieceNormaliser?
    private let loop = WordLoop()
    private let normalised = RewritingBuffer()

    convenience init(
        _ tables: PieceTables, normalisation: PieceNormalisation, written: AddedTokens = AddedTokens(), writtenIsOptional: Bool = false,
        normaliser: SentencePieceNormaliser? = nil
    ) {
        self.init(tables, normalisation, written, writtenIsOptional, normaliser)
    }

    private init(
        _ tables: PieceTables, _ normalisation: PieceNormalisation, _ written: AddedTokens, _ writtenIsOptional: Bool,
        _ normaliser: SentencePieceNormaliser?
    ) {
        self.normaliser = normaliser
        words = PieceWords(tables)
        self.normalisation = normalisation
        self.written = written
        self.writtenIsOptional = writtenIsOptional
    }

    func duplicate() -> any SectionEncoder { PieceEncoder(words.tables, normalisation, written, writtenIsOptional, normaliser) }

    func encode(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, startsText: Bool, recognising: Bool, into tokens: inout TokenSequence)
    {
        guard !range.isEmpty else { return }
        let prefixed = addsPrefix(text, range, startsText: startsText)
        let first = tokens.ids.count
        if normaliser == nil && (written.isEmpty || !recognising && writtenIsOptional) {
            encodeWords(text, range, prefixed: prefixed, into: &tokens)
        } else {
            encodeWritten(text, range, prefixed: prefixed, into: &tokens)
        }
        // `PieceWords` makes one token of unknown characters that touch inside a word; here words touch.
        if let unknown = tables.fusingUnknownID { tokens.fuse(unknown, from: first) }
        tokens.droppedBytes += words.takeDroppedBytes()
    }

    private func addsPrefix(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, startsText: Bool) -> Bool {
        switch normalisation.prefix {
        case .never: false
        case .always: true
        case .unlessSpace: !beginsWithSpace(text, range)
        case .firstUnlessSpace: startsText && !beginsWithSpace(text, range)
        }
    }

    /// Words straight from the text, in which a space stands for ▁.
    private func encodeWords(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, prefixed: Bool, into tokens: inout TokenSequence) {
        guard let base = text.baseAddress?.assumingMemoryBound(to: UInt8.self), !range.isEmpty else { return }
        let scanner = PieceScanner(joined: tables.joined, splitsAtBoundary: normalisation.splitsAtBoundary)
        var start = range.lowerBound
        if prefixed {
            // The first word is longer by the prefix, unless what follows is a word of its own.
            if !(normalisation.splitsAtBoundary && beginsWithSpace(text, range)) { start = scanner.wordEnd(base, start, range.upperBound) }
            encodeOne(base, range.lowerBound, start, prefixed: true, into: &tokens)
        }
        loop.encode(text, start..<range.upperBound, scanner, words, into: &tokens)
    }

    private var tables: PieceTables { words.tables }

    private func beginsWithSpace(_ text: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
        text[range.lowerBound] == 0x20 || text[range].starts(with: PieceTables.boundary)
    }

    private func encodeOne(_ base: UnsafePointer<UInt8>, _ at: Int, _ stop: Int, prefixed: Bool, into tokens: inout TokenSequence) {
        let most = 3 * (stop - at) + 4
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: most) { ids in
            withUnsafeTemporaryAllocation(of: UInt64.self, capacity: most) { spans in
                let count = words.encode(base, at, stop, prefixed: prefixed, ids.baseAddress!, spans.baseAddress!)
                tokens.append(ids.baseAddress!, spans.baseAddress!, abs(count))
            }
        }
    }

    /// Through the text as it is written for merging, in which user-defined pieces and normalised added tokens are found first.
    private func encodeWritten(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, prefixed: Bool, into tokens: inout TokenSequence) {
        if let normaliser {
            normaliser.rewrite(text, range, into: normalised)
        } else {
            writeSpaces(text, range, prefixed: prefixed)
        }
        let first = tokens.ids.count
        let view = normalised.view
        written.split(
            view, 0..<view.count,
            section: { encodeWords(view, $0, prefixed: false, into: &tokens) },
            match: { id, range in tokens.append(id, range.lowerBound, range.upperBound) })
        tokens.translate(from: first, by: normalised)
    }

    /// Spaces as ▁ behind a prefix, if any.
    private func writeSpaces(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, prefixed: Bool) {
        normalised.removeAll()
        if prefixed { normalised.append(PieceTables.boundary, standingFor: range.lowerBound..<range.lowerBound) }
        for at in range {
            if text[at] == 0x20 {
                normalised.append(PieceTables.boundary, standingFor: at..<at + 1)
            } else {
                normalised.append(text[at], standingFor: at..<at + 1)
            }
        }
    }

    var putsPrefix: Bool { normalisation.prefix != .never }

    func bytes(of id: Int) -> [UInt8] { tables.textBytes(of: id) }

    func spelling(of id: Int) -> [UInt8] { tables.spelling(of: id) }
}
