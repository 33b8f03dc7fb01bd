// sentencepiece's own normalisation: its charsmap by the longest rule, then its handling of white space.

/// What a NormalizerSpec and TrainerSpec ask of the text. Text comes out as sentencepiece 0.2.3 has it.
struct SentencePieceNormaliser: Sendable {
    var charsmap: Charsmap?
    /// Pieces that are found in the text as it is and left alone, but for their white space.
    var userDefined = ByteTrie()
    var addsDummyPrefix = true
    var removesExtraWhitespace = true
    var escapesWhitespace = true
    /// The dummy goes behind the text (treat_whitespace_as_suffix).
    var whitespaceIsSuffix = false

    private static let boundary: [UInt8] = [0xE2, 0x96, 0x81]
    private static let space: UInt8 = 0x20

    /// Rewrites a text. Every piece of it that a rule matches is a stretch; the dummy prefix stands for nothing; white space taken away
    /// is a gap. One pass.
    func apply(_ text: inout RewrittenText) {
        let source = text
        var result = RewrittenText()
        source.bytes.withUnsafeBytes { apply($0, source, into: &result) }
        text = result
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

    private func apply(_ text: UnsafeRawBufferPointer, _ source: RewrittenText, into result: inout RewrittenText) {
        var at = 0
        while removesExtraWhitespace, at < text.count, let chunk = changed(text, at), chunk.bytes.elementsEqual(CollectionOfOne(Self.space))
        {
            at += chunk.length
        }
        guard at < text.count else { return }
        let written = escapesWhitespace ? Self.boundary : [Self.space]
        if addsDummyPrefix && !whitespaceIsSuffix {
            let place = Int(source.starts[firstKept(text, from: at)])
            result.append(written, standingFor: place..<place)
        }
        var isBehindSpace = removesExtraWhitespace
        var copied = at
        while at < text.count {
            guard let chunk = changed(text, at) else {
                at += plainLength(text, at)
                isBehindSpace = false
                continue
            }
            result.append(source, copied..<at)
            let kept = isBehindSpace ? chunk.bytes.drop { $0 == Self.space } : chunk.bytes
            append(kept, chunk.isRewritten, at..<(at + chunk.length), source, into: &result)
            if let last = kept.last { isBehindSpace = removesExtraWhitespace && last == Self.space }
            at += chunk.length
            copied = at
        }
        result.append(source, copied..<source.count)
        if removesExtraWhitespace { dropTrailing(written, from: &result) }
        if addsDummyPrefix && whitespaceIsSuffix {
            let place = Int(source.ends[source.count - 1])
            result.append(written, standingFor: place..<place)
        }
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
        _ kept: ArraySlice<UInt8>, _ isRewritten: Bool, _ range: Range<Int>, _ source: RewrittenText, into result: inout RewrittenText
    ) {
        let isRewritten = isRewritten && !(kept.elementsEqual(source.bytes[range]))
        // Of what is not rewritten, only leading spaces have been dropped.
        let first = range.upperBound - kept.count
        for (place, byte) in kept.enumerated() {
            let own = first + place..<first + place + 1
            if byte == Self.space && escapesWhitespace {
                result.append(Self.boundary, standingFor: source.origin(isRewritten ? range : own))
            } else if isRewritten {
                result.append(CollectionOfOne(byte), standingFor: source.origin(range))
            } else {
                result.append(source, own)
            }
        }
    }

    private func dropTrailing(_ written: [UInt8], from result: inout RewrittenText) {
        var end = result.count
        while end >= written.count && result.bytes[(end - written.count)..<end].elementsEqual(written) { end -= written.count }
        guard end < result.count else { return }
        let whole = result
        result.removeAll()
        result.append(whole, 0..<end)
    }
}
