// Unicode's normal forms on text with origins, and the quick check that finds what they would change.

extension NormalForm {
    /// Flags of characters that this form changes by themselves.
    private var changes: UInt8 {
        typealias Flags = UnicodeNormalisation.Flags
        if composes { return isCompatible ? Flags.recomposesCompatibly : Flags.recomposes }
        return isCompatible ? Flags.decomposesCompatibly : Flags.decomposes
    }

    /// Flags of characters before which a text cannot be cut.
    private var attaches: UInt8 {
        isCompatible ? UnicodeNormalisation.Flags.attachesCompatibly : UnicodeNormalisation.Flags.attaches
    }

    /// Whether this form changes nothing; seldom false where it indeed changes nothing. Cost: one pass, 8 bytes at a time over ASCII.
    func leavesAlone(_ text: UnsafeRawBufferPointer) -> Bool {
        UnicodeNormalisation.flags.withView { nextChange(text, from: 0, $0) } == nil
    }

    /// Brings text into this form. Cost: one pass; sorting in n log n of the marks on one letter.
    ///
    /// A stretch ends where what follows is not attached to it, or where every character on the left goes to characters that stand left
    /// of those of the right: there both sides, brought into the form apart, give the whole.
    func apply(_ text: inout RewrittenText) {
        let source = text
        var result = RewrittenText()
        var composer = Composer(form: self)
        var copied = 0
        UnicodeNormalisation.flags.withView { flags in
            source.bytes.withUnsafeBytes { bytes in
                while let range = nextChange(bytes, from: copied, flags) {
                    result.append(source, copied..<range.lowerBound)
                    composer.rewrite(range, of: bytes, source, into: &result)
                    copied = range.upperBound
                }
            }
        }
        guard copied > 0 else { return }
        result.append(source, copied..<source.count)
        text = result
    }

    /// The next stretch that may change, cut where the text may be cut whatever stands there.
    private func nextChange(_ text: UnsafeRawBufferPointer, from start: Int, _ table: CodePointTable.View) -> Range<Int>? {
        typealias Flags = UnicodeNormalisation.Flags
        let marks = composes ? Flags.combines | Flags.composesBackward : Flags.combines
        let interesting = changes | attaches | marks
        var at = start
        /// The last place where a cut may be, the last starter, and the class of the mark just passed.
        var cut = start
        var starter: UInt32?
        var last: UInt8 = 0
        while at < text.count {
            if text[at] < 0x80 {
                at = Self.asciiEnd(text, at)
                (cut, starter, last) = (at - 1, UInt32(text[at - 1]), 0)
                continue
            }
            let (code, length) = decodeScalar(text, at)
            let flags = table[code]
            if flags & interesting == 0 {
                (cut, starter, last) = (at, code, 0)
                at += length
                continue
            }
            if flags & attaches == 0 { cut = at }
            let known = flags & Flags.combines == 0 ? 0 : UnicodeNormalisation.combiningClass(code)
            if flags & changes != 0 || known != 0 && last > known
                || composes && flags & Flags.composesBackward != 0
                    && Self.mayCompose(starter, last, code, known)
            {
                return cut..<end(text, at + length, table)
            }
            if known == 0 { starter = code }
            last = known
            at += length
        }
        return nil
    }

    /// Whether a character may compose with the last starter, behind a mark of the class `last` (0: none between them).
    private static func mayCompose(_ starter: UInt32?, _ last: UInt8, _ code: UInt32, _ known: UInt8) -> Bool {
        guard let starter else { return false }
        if known == 0 { return last == 0 && UnicodeNormalisation.compose(starter, code) != nil }
        // A mark inside the starter that this one would be sorted before.
        var trailing: UInt8 = 0
        UnicodeNormalisation.decompose(starter, compatibly: false) { trailing = UnicodeNormalisation.combiningClass($0) }
        return trailing > known || last < known && UnicodeNormalisation.compose(starter, code) != nil
    }

    /// Past the characters from `at` on that are attached to what stands before them.
    private func end(_ text: UnsafeRawBufferPointer, _ at: Int, _ table: CodePointTable.View) -> Int {
        var at = at
        while at < text.count && text[at] >= 0x80 {
            let (code, length) = decodeScalar(text, at)
            if table[code] & attaches == 0 { break }
            at += length
        }
        return at
    }

    /// Past the ASCII that begins at a byte.
    private static func asciiEnd(_ text: UnsafeRawBufferPointer, _ at: Int) -> Int {
        var at = at
        while at + 32 <= text.count {
            let first = text.loadUnaligned(fromByteOffset: at, as: SIMD4<UInt64>.self)
            if (first[0] | first[1] | first[2] | first[3]) & 0x8080_8080_8080_8080 != 0 { break }
            at += 32
        }
        while at + 8 <= text.count && text.loadUnaligned(fromByteOffset: at, as: UInt64.self) & 0x8080_8080_8080_8080 == 0 { at += 8 }
        while at < text.count && text[at] < 0x80 { at += 1 }
        return at
    }
}

/// Rewrites one stretch at a time; keeps its memory.
private struct Composer {
    /// A character with the bytes of the text, first to last, that it came from.
    private struct Part {
        var code: UInt32
        var combiningClass: UInt8
        var first: Int
        var end: Int
    }

    let form: NormalForm
    private var parts: [Part] = []
    private var composed: [Part] = []
    private var leftmost: [Int] = []
    private var bytes: [UInt8] = []

    init(form: NormalForm) { self.form = form }

    mutating func rewrite(
        _ range: Range<Int>, of text: UnsafeRawBufferPointer, _ source: RewrittenText, into result: inout RewrittenText
    ) {
        decompose(text, range)
        sortMarks()
        if form.composes { compose() } else { swap(&parts, &composed) }
        // The leftmost origin of all that follows each character.
        leftmost.removeAll(keepingCapacity: true)
        var least = range.upperBound
        for part in composed.reversed() {
            leftmost.append(least)
            least = min(least, part.first)
        }
        var start = range.lowerBound
        var end = start
        bytes.removeAll(keepingCapacity: true)
        for (at, part) in composed.enumerated() {
            appendScalar(part.code, to: &bytes)
            end = max(end, part.end)
            guard end <= leftmost[composed.count - 1 - at] else { continue }
            let stretch = start..<end
            if text[stretch].elementsEqual(bytes) {
                result.append(source, stretch)
            } else {
                result.append(bytes, standingFor: source.origin(stretch))
            }
            bytes.removeAll(keepingCapacity: true)
            start = end
        }
    }

    private mutating func decompose(_ text: UnsafeRawBufferPointer, _ range: Range<Int>) {
        parts.removeAll(keepingCapacity: true)
        var at = range.lowerBound
        while at < range.upperBound {
            let (code, length) = decodeScalar(text, at)
            UnicodeNormalisation.decompose(code, compatibly: form.isCompatible) { code in
                let known = UnicodeNormalisation.combiningClass(code)
                parts.append(Part(code: code, combiningClass: known, first: at, end: at + length))
            }
            at += length
        }
    }

    /// Canonical order: runs of marks by class, those of one class as they stand.
    private mutating func sortMarks() {
        var at = 0
        while at < parts.count {
            guard parts[at].combiningClass != 0 else {
                at += 1
                continue
            }
            var end = at + 1
            var isSorted = true
            while end < parts.count && parts[end].combiningClass != 0 {
                isSorted = isSorted && parts[end - 1].combiningClass <= parts[end].combiningClass
                end += 1
            }
            if !isSorted {
                let order = (at..<end).map { UInt64(parts[$0].combiningClass) << 56 | UInt64($0) }.sorted()
                let sorted = order.map { parts[Int($0 & (1 << 56 - 1))] }
                parts.replaceSubrange(at..<end, with: sorted)
            }
            at = end
        }
    }

    private mutating func compose() {
        composed.removeAll(keepingCapacity: true)
        var starter: Int?
        /// The class of the last mark behind the starter that did not go into it.
        var last: UInt8?
        for part in parts {
            let known = part.combiningClass
            if let place = starter, last == nil || last! < known,
                let whole = UnicodeNormalisation.compose(composed[place].code, part.code)
            {
                composed[place].code = whole
                composed[place].first = min(composed[place].first, part.first)
                composed[place].end = max(composed[place].end, part.end)
                continue
            }
            composed.append(part)
            if known == 0 {
                starter = composed.count - 1
                last = nil
            } else {
                last = known
            }
        }
    }
}
