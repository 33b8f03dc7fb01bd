// Merging very long words piece by piece, in memory that stays near, with the same result as in one piece.

/// Merges a word window by window, each together with the last tokens before it.
///
/// Why that is exact: tokens are the result of merging a word if and only if merging every two neighbours of them gives just these two.
/// (Merging takes the best pair first. As long as no merge crosses the ends of a token, what happens inside it happens in the same order in
/// any surroundings. Take the first merge of the whole word that would cross a boundary between two of the tokens: up to then these two went
/// through what they go through alone, so merging just them would cross it as well.) The tokens of a window are such neighbours, being
/// merged as one string; and where the first of them comes out as it went in, it stands beside the same neighbour as before. Where it does
/// not, more tokens are taken in.
final class WindowedMerger {
    /// Merges `count` symbols in place and returns how many are left; `starts` has one more entry, the end.
    typealias Merge = (_ ids: UnsafeMutablePointer<UInt32>, _ starts: UnsafeMutablePointer<UInt32>, _ count: Int) -> Int

    /// Symbols in a window.
    static let window = 512
    /// Tokens before a window that are merged again with it, at first.
    private static let seam = 8

    private struct Token {
        var id: UInt32
        /// The first of its symbols.
        var first: Int
    }
    private var tokens: [Token] = []
    private var ids: UnsafeMutablePointer<UInt32>
    private var starts: UnsafeMutablePointer<UInt32>
    private var capacity = 2 * window

    init() {
        ids = .allocate(capacity: capacity)
        starts = .allocate(capacity: capacity + 1)
    }

    deinit {
        ids.deallocate()
        starts.deallocate()
    }

    /// Merges all symbols in place, as `Merge` says.
    func merge(_ symbols: UnsafeMutablePointer<UInt32>, _ places: UnsafeMutablePointer<UInt32>, _ count: Int, by merge: Merge) -> Int {
        tokens.removeAll(keepingCapacity: true)
        for at in stride(from: 0, to: count, by: Self.window) {
            append(at..<min(at + Self.window, count), symbols, merge)
        }
        let end = places[count]
        for (place, token) in tokens.enumerated() {
            symbols[place] = token.id
            places[place] = places[token.first]
        }
        places[tokens.count] = end
        return tokens.count
    }

    /// Takes the next window in.
    private func append(_ window: Range<Int>, _ symbols: UnsafeMutablePointer<UInt32>, _ merge: Merge) {
        var width = Self.seam
        while true {
            let before = min(width, tokens.count)
            let kept = tokens.count - before
            let merged = tokensOf(symbols, (before > 0 ? tokens[kept].first : 0)..<window.upperBound, merge)
            // Without a token in front, nothing has to stay.
            if kept == 0 || isSame(merged[0], tokens[kept]) && merged.count > 1 && before > 1 && merged[1].first == tokens[kept + 1].first {
                tokens.removeLast(before)
                tokens += merged
                return
            }
            width *= 4
        }
    }

    private func isSame(_ one: Token, _ other: Token) -> Bool { one.id == other.id && one.first == other.first }

    /// The tokens of some of the word's symbols, by themselves.
    private func tokensOf(_ symbols: UnsafeMutablePointer<UInt32>, _ range: Range<Int>, _ merge: Merge) -> [Token] {
        if range.count > capacity {
            ids.deallocate()
            starts.deallocate()
            capacity = 2 * range.count
            ids = .allocate(capacity: capacity)
            starts = .allocate(capacity: capacity + 1)
        }
        for (place, symbol) in range.enumerated() {
            ids[place] = symbols[symbol]
            starts[place] = UInt32(truncatingIfNeeded: symbol)
        }
        starts[range.count] = UInt32(truncatingIfNeeded: range.upperBound)
        let count = merge(ids, starts, range.count)
        return (0..<count).map { Token(id: ids[$0], first: Int(starts[$0])) }
    }
}
