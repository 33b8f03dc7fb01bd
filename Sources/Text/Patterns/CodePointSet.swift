// Sets of code points: what one character of a pattern may be.

/// Code points as inclusive ranges in ascending order that neither touch nor overlap.
struct CodePointSet: Hashable, Sendable {
    static let last: UInt32 = 0x10FFFF
    static let empty = CodePointSet(sorted: [])
    static let all = CodePointSet(0, last)

    /// first, last, first, last, …
    private(set) var bounds: [UInt32]

    private init(sorted bounds: [UInt32]) { self.bounds = bounds }

    init(_ first: UInt32, _ last: UInt32) { bounds = [first, last] }

    init(_ code: UInt32) { bounds = [code, code] }

    /// first, last, first, last, … in any order, overlapping or not.
    init(ranges: [UInt32]) {
        let pairs = stride(from: 0, to: ranges.count, by: 2).map { (first: ranges[$0], last: ranges[$0 + 1]) }
        bounds = []
        for (first, last) in pairs.sorted(by: { $0.first < $1.first }) {
            if let end = bounds.last, first <= end || first == end + 1 {
                bounds[bounds.count - 1] = max(end, last)
            } else {
                bounds += [first, last]
            }
        }
    }

    var isEmpty: Bool { bounds.isEmpty }

    /// The one code point of a set of one.
    var single: UInt32? { bounds.count == 2 && bounds[0] == bounds[1] ? bounds[0] : nil }

    func forEachRange(_ body: (_ first: UInt32, _ last: UInt32) -> Void) {
        for at in stride(from: 0, to: bounds.count, by: 2) { body(bounds[at], bounds[at + 1]) }
    }

    func contains(_ code: UInt32) -> Bool {
        var (low, high) = (0, bounds.count / 2)
        while low < high {
            let middle = (low + high) / 2
            if bounds[2 * middle + 1] < code { low = middle + 1 } else { high = middle }
        }
        return 2 * low < bounds.count && bounds[2 * low] <= code
    }

    func union(_ other: CodePointSet) -> CodePointSet {
        other.isEmpty ? self : isEmpty ? other : CodePointSet(ranges: bounds + other.bounds)
    }

    var complement: CodePointSet {
        var result: [UInt32] = []
        var next: UInt32 = 0
        forEachRange { first, last in
            if first > next { result += [next, first - 1] }
            next = last + 1
        }
        if next <= Self.last { result += [next, Self.last] }
        return CodePointSet(sorted: result)
    }

    func intersection(_ other: CodePointSet) -> CodePointSet {
        complement.union(other.complement).complement
    }

    /// With every character that equals one of the set but for case; strings that do so (ß and ss) are not asked for.
    var caseClosed: CodePointSet {
        let table = PatternTables.folding
        var more: [UInt32] = []
        // A character of three (K, k and the Kelvin sign) is listed from the first of them: twice round reaches the others.
        func step(_ from: CodePointSet) {
            for at in stride(from: 0, to: table.count, by: 4) {
                let (first, last, step, delta) = (table[at], table[at + 1], table[at + 2], table[at + 3])
                for code in stride(from: first, through: last, by: Int(step)) {
                    let (one, other) = (UInt32(code), UInt32(code + delta))
                    if from.contains(one) { more.append(contentsOf: [other, other]) }
                    if from.contains(other) { more.append(contentsOf: [one, one]) }
                }
            }
        }
        step(self)
        let once = union(CodePointSet(ranges: more))
        step(once)
        return once.union(CodePointSet(ranges: more))
    }
}

/// A set of bytes.
struct ByteSet: Hashable, Sendable {
    private var words: SIMD4<UInt64> = .zero

    static let all: ByteSet = {
        var set = ByteSet()
        set.words = SIMD4(repeating: ~0)
        return set
    }()

    mutating func insert(_ byte: UInt8) { words[Int(byte >> 6)] |= 1 << UInt64(byte & 63) }

    func contains(_ byte: UInt8) -> Bool { words[Int(byte >> 6)] >> UInt64(byte & 63) & 1 != 0 }

    mutating func formUnion(_ other: ByteSet) { words |= other.words }

    init() {}

    /// The bytes that the UTF-8 of a set's characters begins with.
    init(leading set: CodePointSet) {
        set.forEachRange { first, last in
            for byte in Self.lead(first)...Self.lead(last) where byte < 0x80 || byte >= 0xC2 { insert(byte) }
        }
    }

    private static func lead(_ code: UInt32) -> UInt8 {
        switch code {
        case ..<0x80: UInt8(code)
        case ..<0x800: UInt8(0xC0 | code >> 6)
        case ..<0x10000: UInt8(0xE0 | code >> 12)
        default: UInt8(0xF0 | code >> 18)
        }
    }
}

/// The UTF-8 of a code point.
func utf8(_ code: UInt32) -> [UInt8] {
    var bytes: [UInt8] = []
    appendScalar(code, to: &bytes)
    return bytes
}
