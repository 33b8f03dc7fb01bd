// sentencepiece's own normalisation: its charsmap by the longest rule, then its handling of white space.

/// What a NormalizerSpec and TrainerSpec ask of the text. Text comes out as sentencepiece 0.2.3 has it.
struct SentencePieceNormaliser: Sendable {
    private let charsmap: Charsmap?
    /// Pieces that are found in the text as it is and left alone, but for their white space.
    private let userDefined: ByteTrie
    let addsDummyPrefix: Bool
    let removesExtraWhitespace: Bool
    let escapesWhitespace: Bool
    /// The dummy goes behind the text (treat_whitespace_as_suffix).
    let whitespaceIsSuffix: Bool

    /// What a byte may begin.
    private enum Kind: UInt8 {
        /// Nothing that changes; so too every byte inside a character.
        case plain
        /// Nothing that changes, if an ASCII byte or the end follows.
        case plainBeforeASCII
        /// A space that no rule and no user-defined piece begins with.
        case space
        case other
    }
    private let kinds: [Kind]

    private static let boundary: [UInt8] = [0xE2, 0x96, 0x81]
    private static let space: UInt8 = 0x20

    init(
        charsmap: Charsmap? = nil, userDefined: ByteTrie = ByteTrie(), addsDummyPrefix: Bool = true, removesExtraWhitespace: Bool = true,
        escapesWhitespace: Bool = true, whitespaceIsSuffix: Bool = false
    ) {
        self.charsmap = charsmap
        self.userDefined = userDefined
        self.addsDummyPrefix = addsDummyPrefix
        self.removesExtraWhitespace = removesExtraWhitespace
        self.escapesWhitespace = escapesWhitespace
        self.whitespaceIsSuffix = whitespaceIsSuffix
        kinds = (0..<256).map { byte in
            let byte = UInt8(byte)
            if byte & 0xC0 == 0x80 { return .plain }
            if userDefined.begins(with: byte) { return .other }
            guard let charsmap, charsmap.begins(with: byte) else { return byte == Self.space ? .space : .plain }
            return byte < 0x80 && byte != Self.space && charsmap.needsOtherThanASCII(byte) ? .plainBeforeASCII : .other
        }
    }

    /// Rewrites `text[range]`, with origins in `text`. Every piece of it that a rule matches is a stretch; the dummy prefix stands for
    /// nothing; white space taken away is a gap. One pass.
    func rewrite(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, into result: RewritingBuffer) {
        result.removeAll()
        let text = UnsafeRawBufferPointer(start: text.baseAddress, count: range.upperBound)
        var at = range.lowerBound
        while removesExtraWhitespace, at < text.count, let chunk = changed(text, at), chunk.bytes.elementsEqual(CollectionOfOne(Self.space))
        {
            at += chunk.length
        }
        guard at < text.count else { return }
        let written = escapesWhitespace ? Self.boundary : [Self.space]
        if addsDummyPrefix && !whitespaceIsSuffix {
            let place = firstKept(text, from: at)
            result.append(written, standingFor: place..<place)
        }
        kinds.withUnsafeBufferPointer { rewrite(text, from: at, $0, written, into: result) }
        if removesExtraWhitespace { dropTrailing(written, from: result) }
        if addsDummyPrefix && whitespaceIsSuffix { result.append(written, standingFor: text.count..<text.count) }
    }

    /// The first character that leaves something; `start` where none does. What is taken away in front of it is not the prefix's.
    private func firstKept(_ text: UnsafeRawBufferPointer, from start: Int) -> Int {
        var at = start
        while at < text.count, let chunk = changed(text, at) {
            let isSpace = chunk.bytes.elementsEqual(CollectionOfOne(Self.space))
            guard chunk.bytes.isEmpty || removesExtraWhitespace && isSpace else { break }
            at += chunk.length
        }
        return at < text.count ? at : start
    }

    private func rewrite(
        _ text: UnsafeRawBufferPointer, from start: Int, _ kinds: UnsafeBufferPointer<Kind>, _ written: [UInt8],
        into result: RewritingBuffer
    ) {
        var at = start
        var isBehindSpace = removesExtraWhitespace
        var copied = at
        while at < text.count {
            let kind = kinds[Int(text[at])]
            if kind == .plain || kind == .plainBeforeASCII && (at + 1 == text.count || text[at + 1] < 0x80) {
                at += 1
                isBehindSpace = false
                continue
            }
            if kind == .space {
                result.append(text, copied..<at)
                if !isBehindSpace { result.append(written, standingFor: at..<(at + 1)) }
                isBehindSpace = removesExtraWhitespace
                at += 1
                copied = at
                continue
            }
            guard let chunk = changed(text, at) else {
                at += plainLength(text, at)
                isBehindSpace = false
                continue
            }
            result.append(text, copied..<at)
            let kept = isBehindSpace ? chunk.bytes.drop { $0 == Self.space } : chunk.bytes
            append(kept, chunk.isRewritten, text, at..<(at + chunk.length), into: result)
            if let last = kept.last { isBehindSpace = removesExtraWhitespace && last == Self.space }
            at += chunk.length
            copied = at
        }
        result.append(text, copied..<text.count)
    }

    /// What a rule writes, or what holds a space.
    private struct Chunk {
        let length: Int
        let bytes: ArraySlice<UInt8>
        let isRewritten: Bool
    }

    /// The chunk that begins at a byte; nil where a user-defined piece or a character stays as it is and holds no space.
    private func changed(_ text: UnsafeRawBufferPointer, _ at: Int) -> Chunk? {
        let byte = text[at]
        if userDefined.begins(with: byte), let end = userDefined.longestPrefix(text, at..<text.count)?.end {
            guard text[at..<end].contains(Self.space) else { return nil }
            return Chunk(length: end - at, bytes: Array(text[at..<end])[...], isRewritten: false)
        }
        if let charsmap, charsmap.begins(with: byte), let match = charsmap.longestMatch(text, at..<text.count) {
            return Chunk(length: match.length, bytes: match.replacement, isRewritten: true)
        }
        return byte == Self.space ? Chunk(length: 1, bytes: [Self.space], isRewritten: false) : nil
    }

    /// The length of what `changed` found nothing to do to.
    private func plainLength(_ text: UnsafeRawBufferPointer, _ at: Int) -> Int {
        if userDefined.begins(with: text[at]), let end = userDefined.longestPrefix(text, at..<text.count)?.end { return end - at }
        return decodeScalar(text, at).length
    }

    /// Appends what is left of a chunk; where a rule wrote something else, each byte of it stands for the whole chunk.
    private func append(
        _ kept: ArraySlice<UInt8>, _ isRewritten: Bool, _ text: UnsafeRawBufferPointer, _ range: Range<Int>, into result: RewritingBuffer
    ) {
        let isRewritten = isRewritten && !kept.elementsEqual(text[range])
        // Of what is not rewritten, only leading spaces have been dropped.
        let first = range.upperBound - kept.count
        for (place, byte) in kept.enumerated() {
            let origin = isRewritten ? range : first + place..<first + place + 1
            if byte == Self.space && escapesWhitespace {
                result.append(Self.boundary, standingFor: origin)
            } else {
                result.append(byte, standingFor: origin)
            }
        }
    }

    private func dropTrailing(_ written: [UInt8], from result: RewritingBuffer) {
        while result.count >= written.count && result.view.suffix(written.count).elementsEqual(written) {
            result.removeLast(written.count)
        }
    }
}
