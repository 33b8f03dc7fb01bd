// The keys of all units, in memory or in a file, and the search for the key at which they are cut.

import Streams

/// The keys and token counts of units in their order.
///
/// The cut is found by the four digits of 16 bits that a key has, the highest first: the units of each digit are counted, which says the
/// digit of the cut's key, and the next pass counts only keys that begin so. The first digit is counted while the keys come in, so that
/// finding a cut takes three sequential passes over 12 bytes a unit, and one megabyte of counters, however many units there are.
public final class Ranking {
    public private(set) var count = 0
    public private(set) var tokens = 0

    private static let digits = 1 << 16
    private static let rowBytes = 12
    private let spool: Spool
    private var first = Counters()

    /// Units and tokens by one digit of their keys.
    private struct Counters {
        var units = [Int](repeating: 0, count: Ranking.digits)
        var tokens = [Int](repeating: 0, count: Ranking.digits)

        mutating func add(_ digit: Int, _ count: Int) {
            units[digit] += 1
            tokens[digit] += count
        }
    }

    /// - memory: bytes of keys held in memory; more lie in a temporary file in `folder`.
    public init(memory: Int, folder: String? = nil) {
        spool = Spool(memory: memory, folder: folder)
    }

    public func append(_ key: RankKey, tokens: Int) throws {
        var row = (key.bits, UInt32(clamping: tokens))
        try withUnsafeBytes(of: &row) { try spool.append(UnsafeRawBufferPointer(rebasing: $0[..<Ranking.rowBytes])) }
        count += 1
        self.tokens += tokens
        first.add(Int(key.bits >> 48), tokens)
    }

    /// Reads the rows again.
    public struct Reader {
        private var rows: Spool.Reader

        fileprivate init(_ spool: Spool) throws { rows = try spool.reader() }

        public mutating func next() throws -> (key: RankKey, tokens: Int)? {
            var row: (UInt64, UInt32) = (0, 0)
            let got = try withUnsafeMutableBytes(of: &row) { try rows.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[..<rowBytes])) }
            return got ? (RankKey(bits: row.0), Int(row.1)) : nil
        }
    }

    public func reader() throws -> Reader { try Reader(spool) }

    /// The cut for a goal.
    public func cut(_ goal: Goal) throws -> Cut {
        switch goal {
        case .atLeast(let value): Cut(key: RankKey(value))
        case .count(let units): units >= count ? Cut(key: .unscored) : try search(units: units, tokens: .max)
        case .tokens(let tokens): tokens >= self.tokens ? Cut(key: .unscored) : try search(units: .max, tokens: tokens)
        }
    }

    /// The key at which so many units, or so many tokens, are passed when one counts from the largest down.
    private func search(units: Int, tokens: Int) throws -> Cut {
        var (units, tokens) = (units, tokens)
        var prefix: UInt64 = 0
        for level in 0..<4 {
            let counters = try level == 0 ? first : count(level, prefix)
            var digit = Ranking.digits - 1
            // Not all fit, so that the loop ends at a digit whose units do not.
            while counters.units[digit] <= units, counters.tokens[digit] <= tokens, digit > 0 {
                units -= counters.units[digit]
                if tokens != .max { tokens -= counters.tokens[digit] }
                digit -= 1
            }
            prefix = prefix << 16 | UInt64(digit)
        }
        return Cut(key: RankKey(bits: prefix), units: units, tokens: tokens)
    }

    private func count(_ level: Int, _ prefix: UInt64) throws -> Counters {
        var counters = Counters()
        var rows = try reader()
        let shift = UInt64(64 - 16 * level)
        while let (key, tokens) = try rows.next() {
            if key.bits >> shift == prefix { counters.add(Int(key.bits >> (shift - 16) & 0xFFFF), tokens) }
        }
        return counters
    }
}
