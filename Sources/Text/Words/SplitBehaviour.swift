// What becomes of the matches when words are split.

/// Where the cuts are beside matches, as Hugging Face's SplitDelimiterBehavior has it.
enum SplitBehaviour: Sendable {
    /// Matches are dropped.
    case removed
    /// Each match is a word.
    case isolated
    /// A match belongs to the word before it, or after it; of several in a row only the first, or the last.
    case mergedWithPrevious, mergedWithNext
    /// Matches in a row are one word.
    case contiguous
}

/// A stretch of a word, matched or between matches. An empty match is a stretch too.
private struct Stretch {
    var range: Range<Int>
    var isMatch: Bool
}

extension Words {
    /// Splits every word at the matches that `find` calls its last argument with.
    ///
    /// - With `isInverted`, what lies between matches counts as matched, and the matches do not.
    mutating func split(
        _ behaviour: SplitBehaviour, isInverted: Bool = false,
        find: (_ text: UnsafeRawBufferPointer, _ word: Range<Int>, _ match: (Range<Int>) -> Void) -> Void
    ) {
        var result: [Range<Int>] = []
        result.reserveCapacity(ranges.count)
        var stretches: [Stretch] = []
        text.bytes.withUnsafeBytes { bytes in
            for word in ranges {
                stretches.removeAll(keepingCapacity: true)
                var last = word.lowerBound
                find(bytes, word) { match in
                    if match.lowerBound > last { stretches.append(Stretch(range: last..<match.lowerBound, isMatch: isInverted)) }
                    stretches.append(Stretch(range: match, isMatch: !isInverted))
                    last = match.upperBound
                }
                if last < word.upperBound { stretches.append(Stretch(range: last..<word.upperBound, isMatch: isInverted)) }
                behaviour.append(stretches, to: &result)
            }
        }
        ranges = result
        wholeStart = nil
    }

    /// Splits every word at the characters that `isMatch` holds for, each a match of its own.
    mutating func split(_ behaviour: SplitBehaviour, _ isMatch: (UInt32) -> Bool) {
        split(behaviour) { text, word, match in
            var at = word.lowerBound
            while at < word.upperBound {
                let (code, length) = decodeScalar(text, at)
                if isMatch(code) { match(at..<at + length) }
                at += length
            }
        }
    }

    /// Cuts behind every so many characters.
    mutating func cut(every length: Int) {
        split(.isolated) { text, word, match in
            var (start, count) = (word.lowerBound, 0)
            var at = start
            while at < word.upperBound {
                at += decodeScalar(text, at).length
                count += 1
                if count == length || at == word.upperBound {
                    match(start..<at)
                    (start, count) = (at, 0)
                }
            }
        }
    }

    /// Cuts where the script changes. Spaces and characters without a script stay with what is before them; before the first script they
    /// are dropped.
    mutating func cutByScript() {
        split(.removed, isInverted: true) { text, word, match in
            var start = -1
            var last = CharacterScripts.none
            var at = word.lowerBound
            while at < word.upperBound {
                let (code, length) = decodeScalar(text, at)
                let script = CharacterScripts.of(code)
                if script != CharacterScripts.none {
                    if script != last {
                        if start >= 0 { match(start..<at) }
                        start = at
                    }
                    last = script
                }
                at += length
            }
            if start >= 0 { match(start..<at) }
        }
    }
}

extension SplitBehaviour {
    /// The words of the stretches of one word; those that are empty are left out at the end, for they count in what is merged.
    fileprivate func append(_ stretches: [Stretch], to result: inout [Range<Int>]) {
        var words: [Range<Int>] = []
        var wasMatch = false
        func merge(_ stretch: Stretch, _ joins: Bool) {
            if joins, let last = words.last {
                let (low, high) = (min(last.lowerBound, stretch.range.lowerBound), max(last.upperBound, stretch.range.upperBound))
                words[words.count - 1] = low..<high
            } else {
                words.append(stretch.range)
            }
            wasMatch = stretch.isMatch
        }
        switch self {
        case .removed:
            for stretch in stretches where !stretch.isMatch && !stretch.range.isEmpty { result.append(stretch.range) }
            return
        case .isolated:
            for stretch in stretches where !stretch.range.isEmpty { result.append(stretch.range) }
            return
        case .mergedWithPrevious:
            for stretch in stretches { merge(stretch, stretch.isMatch && !wasMatch) }
        case .mergedWithNext:
            for stretch in stretches.reversed() { merge(stretch, stretch.isMatch && !wasMatch) }
            words.reverse()
        case .contiguous:
            for stretch in stretches { merge(stretch, stretch.isMatch == wasMatch) }
        }
        for word in words where !word.isEmpty { result.append(word) }
    }
}
