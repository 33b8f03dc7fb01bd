// Characters of several bytes that merging always makes whole before it does anything else with them.

import Glibc
import Streams

/// What a byte-level vocabulary's merges say of characters of two or three bytes; shared by all threads.
///
/// Words may begin as these characters instead of as their bytes, which saves most merges of Greek, Russian, Hindi or Chinese. That is
/// exact for a character c whose bytes merge to one token t, by merges of rank m at most, if
/// - merges of a part of c with what stands before or behind it have higher ranks than m, and
/// - merges of t have higher ranks than m.
///
/// For as long as c is not whole, a merge inside it is open whose rank is at most m, and none that touches c from outside is as low: the
/// lowest merge is one inside c or one elsewhere. Once c is whole, all is as if it had been from the beginning, when no merge of t was lower
/// than those made elsewhere meanwhile. What may stand beside c depends on whether the neighbour is ASCII: a space often merges with the
/// first byte of a letter, another letter hardly ever.
struct WholeCharacterRules: Sendable {
    /// The lowest ranks of merges of a part of a character with a neighbour.
    private struct Edge {
        var ascii = UInt32.max
        var other = UInt32.max
    }
    /// By the parts that characters begin with, merges with what stands before; by those they end with, with what stands behind.
    private var before: [UInt32: Edge] = [:]
    private var behind: [UInt32: Edge] = [:]
    /// The lowest rank that makes a symbol.
    private let made: [UInt32]
    private static let never = UInt32.max

    /// What the bytes of a symbol are.
    private struct Kind: OptionSet {
        let rawValue: UInt8
        static let beginsASCII = Kind(rawValue: 1)
        static let endsASCII = Kind(rawValue: 2)
        static let beginsCharacter = Kind(rawValue: 4)
        /// Nothing but the first bytes of a character, and nothing but its last.
        static let isBeginning = Kind(rawValue: 8)
        static let isEnd = Kind(rawValue: 16)
    }

    init(_ vocabulary: Vocabulary, _ list: MergeList) {
        let entries = list.entries
        let kinds = (0..<vocabulary.count).map { Self.kind(vocabulary.view($0)) }
        var made = [UInt32](repeating: Self.never, count: vocabulary.count)
        for entry in entries { made[Int(entry.merge.result)] = min(made[Int(entry.merge.result)], entry.merge.rank) }
        for entry in entries {
            let (left, right, rank) = (kinds[Int(entry.left)], kinds[Int(entry.right)], entry.merge.rank)
            // A symbol that merges before it is made: it counts as never made.
            for part in [entry.left, entry.right] where made[Int(part)] != Self.never && made[Int(part)] >= rank {
                made[Int(part)] = Self.never
            }
            if right.contains(.isBeginning) {
                if left.contains(.endsASCII) {
                    before[entry.right, default: Edge()].ascii = min(before[entry.right]?.ascii ?? .max, rank)
                } else {
                    before[entry.right, default: Edge()].other = min(before[entry.right]?.other ?? .max, rank)
                }
            }
            if left.contains(.isEnd) {
                if right.contains(.beginsASCII) {
                    behind[entry.left, default: Edge()].ascii = min(behind[entry.left]?.ascii ?? .max, rank)
                } else if right.contains(.beginsCharacter) {
                    behind[entry.left, default: Edge()].other = min(behind[entry.left]?.other ?? .max, rank)
                }
            }
        }
        self.made = made
    }

    private static func kind(_ bytes: UnsafeRawBufferPointer) -> Kind {
        guard let first = bytes.first, let last = bytes.last else { return [] }
        var kind: Kind = []
        if first < 0x80 { kind.insert(.beginsASCII) }
        if last < 0x80 { kind.insert(.endsASCII) }
        if first >= 0xC0 {
            kind.insert(.beginsCharacter)
            let length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
            if bytes.count < length && bytes.dropFirst().allSatisfy({ $0 & 0xC0 == 0x80 }) { kind.insert(.isBeginning) }
        } else if bytes.count < 4 && bytes.allSatisfy({ $0 & 0xC0 == 0x80 }) {
            kind.insert(.isEnd)
        }
        return kind
    }

    /// The token of a character and beside what it is always made whole; nil where its bytes do not merge to one.
    func whole(_ bytes: some Collection<UInt8>, _ symbols: ByteSymbols, _ table: MergeTable) -> (
        id: UInt32, beside: WholeCharacters.Beside
    )? {
        var parts = bytes.map { symbols.ids[Int($0)] }
        var (first, last, highest) = (Edge(), Edge(), UInt32(0))
        while parts.count > 1 {
            lower(&first, before[parts[0]])
            lower(&last, behind[parts[parts.count - 1]])
            var best: (at: Int, merge: Merge)?
            for at in 0..<parts.count - 1 {
                if let merge = table.merge(parts[at], parts[at + 1]), merge.rank < best?.merge.rank ?? .max { best = (at, merge) }
            }
            guard let (at, merge) = best else { return nil }
            highest = max(highest, merge.rank)
            parts[at] = merge.result
            parts.remove(at: at + 1)
        }
        // What uses the token merges later than what makes it first: `made` is never for others.
        guard Int(parts[0]) < made.count, made[Int(parts[0])] == highest else { return nil }
        var beside: WholeCharacters.Beside = []
        if highest < first.ascii { beside.insert(.afterASCII) }
        if highest < first.other { beside.insert(.afterOther) }
        if highest < last.ascii { beside.insert(.beforeASCII) }
        if highest < last.other { beside.insert(.beforeOther) }
        return (parts[0], beside)
    }

    private func lower(_ edge: inout Edge, _ other: Edge?) {
        guard let other else { return }
        edge.ascii = min(edge.ascii, other.ascii)
        edge.other = min(edge.other, other.other)
    }
}

/// The characters that one thread has met.
final class WholeCharacters {
    /// Neighbours beside which a character is always made whole. At the ends of a word it always is.
    struct Beside: OptionSet {
        let rawValue: UInt32
        static let afterASCII = Beside(rawValue: 1)
        static let afterOther = Beside(rawValue: 2)
        static let beforeASCII = Beside(rawValue: 4)
        static let beforeOther = Beside(rawValue: 8)
    }

    private let rules: WholeCharacterRules
    private let symbols: ByteSymbols
    private let table: MergeTable
    /// By code point below 2^16: from the highest bit on, whether it was asked for, the four of `Beside`, and the token.
    private let known: UnsafeMutablePointer<UInt32>
    private static let isKnown: UInt32 = 1 << 31
    private static let besideShift: UInt32 = 27
    private static let idMask: UInt32 = 1 << besideShift - 1

    init(_ rules: WholeCharacterRules, _ symbols: ByteSymbols, _ table: MergeTable) {
        (self.rules, self.symbols, self.table) = (rules, symbols, table)
        known = allocateZeroed(MemoryLayout<UInt32>.stride << 16).bindMemory(to: UInt32.self, capacity: 1 << 16)
    }

    deinit { free(known) }

    /// The token of the character of two or three bytes at `place` of the word `text[at..<stop]`, valid UTF-8; nil where its bytes may merge
    /// with their neighbours first.
    @inline(__always)
    func token(_ text: UnsafePointer<UInt8>, _ place: Int, _ length: Int, _ at: Int, _ stop: Int) -> UInt32? {
        let code =
            Int(text[place] & (length == 2 ? 0x1F : 0x0F)) &<< (length == 2 ? 6 : 12)
            | Int(text[place &+ 1] & 0x3F) &<< (length == 2 ? 0 : 6) | (length == 2 ? 0 : Int(text[place &+ 2] & 0x3F))
        let entry = known[code] & Self.isKnown != 0 ? known[code] : find(code, text + place, length)
        let left: Beside = place == at ? [] : text[place &- 1] < 0x80 ? .afterASCII : .afterOther
        let end = place &+ length
        let right: Beside = end == stop ? [] : text[end] < 0x80 ? .beforeASCII : .beforeOther
        let needed = left.union(right).rawValue
        return entry & Self.idMask != Self.idMask && entry &>> Self.besideShift & needed == needed ? entry & Self.idMask : nil
    }

    @inline(never)
    private func find(_ code: Int, _ text: UnsafePointer<UInt8>, _ length: Int) -> UInt32 {
        let whole = rules.whole(UnsafeBufferPointer(start: text, count: length), symbols, table)
        let entry = whole.map { $0.beside.rawValue << Self.besideShift | $0.id } ?? Self.idMask
        known[code] = Self.isKnown | entry
        return Self.isKnown | entry
    }
}
