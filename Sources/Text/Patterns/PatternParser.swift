// Patterns as they are written in tokenizer files, read into a tree. What we do not match exactly is refused by name and position.

import Streams

/// Reads one pattern: alternatives of sequences of repeated atoms.
struct PatternParser {
    struct Flags {
        var ignoresCase = false
        var dotTakesNewline = false
        var anchorsAreOfLines: Bool
        var isExtended = false
    }

    /// Groups and classes inside each other.
    static let deepest = 100
    /// Oniguruma's own limit of a repetition.
    static let mostRepetitions = 100_000

    let source: [UInt8]
    let name: String
    let syntax: PatternSyntax
    var at = 0
    var depth = 0
    var classDepth = 0
    /// What the literals without regard to case before this place match, each a character.
    private var folded: [CodePointSet] = []
    var flags: Flags

    init(_ source: [UInt8], name: String, syntax: PatternSyntax) {
        self.source = source
        self.name = name
        self.syntax = syntax
        flags = Flags(anchorsAreOfLines: syntax == .ruby)
    }

    static func parse(_ source: [UInt8], name: String, syntax: PatternSyntax) throws -> PatternNode {
        var parser = PatternParser(source, name: name, syntax: syntax)
        guard String(validating: source, as: UTF8.self) != nil else { throw parser.refuse(0, "is not UTF-8") }
        let node = try parser.alternatives()
        guard parser.at == source.count else { throw parser.refuse(parser.at, "')' without '('") }
        return node
    }

    func refuse(_ at: Int, _ what: String) -> Failure {
        Failure(.badData, name, .whole, "pattern '\(printable(source))': byte \(at): \(what)")
    }

    // MARK: Reading

    var next: UInt8? { at < source.count ? source[at] : nil }

    func isNext(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard source.count - at >= count else { return false }
        return (0..<count).allSatisfy { source[at + $0] == text.utf8Start[$0] }
    }

    mutating func take(_ text: StaticString) -> Bool {
        guard isNext(text) else { return false }
        at += text.utf8CodeUnitCount
        return true
    }

    /// The code point at the place, past which the place moves.
    mutating func takeCode() -> UInt32 {
        let (code, length) = source.withUnsafeBytes { decodeScalar($0, at) }
        at += length
        return code
    }

    /// The bytes up to a closing byte, past which the place moves.
    mutating func take(upTo close: UInt8, _ what: String) throws -> [UInt8] {
        let start = at
        guard let end = source[at...].firstIndex(of: close) else { throw refuse(start, "\(what) has no end") }
        at = end + 1
        return Array(source[start..<end])
    }

    mutating func takeDecimal() -> Int? {
        let start = at
        var value = 0
        while let digit = next, digit >= 0x30, digit <= 0x39 {
            value = min(value * 10 + Int(digit - 0x30), 1 << 30)
            at += 1
        }
        return at > start ? value : nil
    }

    // MARK: Structure

    /// a|b|… up to the end of the group; flags set inside end with it.
    mutating func alternatives() throws -> PatternNode {
        let outer = flags
        defer { flags = outer }
        var parts = [try sequence()]
        while take("|") { parts.append(try sequence()) }
        return .choice(parts)
    }

    private mutating func sequence() throws -> PatternNode {
        var parts: [PatternNode] = []
        folded.removeAll()
        while let byte = next, byte != UInt8(ascii: "|"), byte != UInt8(ascii: ")") {
            if flags.isExtended, skipExtended() { continue }
            let start = at
            let count = folded.count
            guard let atom = try atom() else { continue }
            if folded.count == count { folded.removeAll() }
            parts.append(try repeated(atom, from: start))
        }
        return .sequence(parts)
    }

    /// White space or a comment between the parts of a pattern with (?x).
    private mutating func skipExtended() -> Bool {
        switch next {
        case 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x20:
            at += 1
            return true
        case UInt8(ascii: "#"):
            while let byte = next, byte != 0x0A { at += 1 }
            return true
        default: return false
        }
    }

    /// One atom; nil for what stands for nothing (a comment, flags for what follows).
    private mutating func atom() throws -> PatternNode? {
        let start = at
        switch source[at] {
        case UInt8(ascii: "("): return try group()
        case UInt8(ascii: "["): return PatternNode(.set(try bracketClass()))
        case UInt8(ascii: "\\"): return try escape()
        case UInt8(ascii: "."):
            at += 1
            return PatternNode(.set(flags.dotTakesNewline ? .all : CodePointSet(0x0A).complement))
        case UInt8(ascii: "^"):
            at += 1
            return PatternNode(.assertion(flags.anchorsAreOfLines ? .lineStart : .textStart))
        case UInt8(ascii: "$"):
            at += 1
            return PatternNode(.assertion(flags.anchorsAreOfLines ? .lineEnd : .textEnd))
        case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"):
            throw refuse(start, "nothing to repeat")
        default:
            return try literal(takeCode(), from: start)
        }
    }

    /// A character that stands for itself.
    mutating func literal(_ code: UInt32, from start: Int) throws -> PatternNode {
        guard flags.ignoresCase else { return PatternNode(.set(CodePointSet(code))) }
        let closed = CodePointSet(code).caseClosed
        if syntax == .ruby {
            try checkFolding(CodePointSet(code), from: start)
            folded.append(closed)
            try checkFoldedStrings(start)
        }
        return PatternNode(.set(closed))
    }

    /// Whether the literals read so far end in a string that stands for one character.
    private func checkFoldedStrings(_ start: Int) throws {
        for entry in PatternTables.foldedStrings.split(separator: 0) {
            let string = entry.dropFirst()
            guard string.count <= folded.count, zip(string, folded.suffix(string.count)).allSatisfy({ $1.contains($0) }) else { continue }
            let (character, expansion) = (printable(utf8(entry[entry.startIndex])), printable(string.flatMap(utf8)))
            throw refuse(start, "'\(expansion)' without regard to case matches '\(character)', which is not supported")
        }
    }

    /// Oniguruma lets ß match ss without regard to case, and the other way round: characters that stand for strings are refused here,
    /// strings that stand for characters in `checkFoldedStrings`.
    func checkFolding(_ set: CodePointSet, from start: Int) throws {
        let table = PatternTables.foldedStrings
        var isHead = true
        for entry in table {
            if isHead, set.contains(entry), set != .all {
                let character = printable(utf8(entry))
                throw refuse(start, "'\(character)' without regard to case matches more than one character, which is not supported")
            }
            isHead = entry == 0
        }
    }

    /// {n,m}, *, + and ?, with what makes them lazy or possessive.
    private mutating func repeated(_ atom: PatternNode, from start: Int) throws -> PatternNode {
        var node = atom
        for round in 0... {
            if flags.isExtended { while skipExtended() {} }
            let place = at
            guard let (least, most, isInterval) = try quantifier() else { return node }
            guard round < 3 else { throw refuse(place, "more than 3 repetitions of repetitions are not supported") }
            if case .assertion = node.kind { throw refuse(place, "a repeated assertion is not supported") }
            var greed = PatternGreed.greedy
            if syntax == .ruby && isInterval {
                // {n}? is an optional {n}; {n,m}+ is a repetition of its own, read in the next round.
                if least != most, take("?") { greed = .lazy }
            } else if take("?") {
                greed = .lazy
            } else if take("+") {
                greed = .possessive
            }
            node = PatternNode(.loop(node, least: least, most: most, greed))
        }
        return node
    }

    private mutating func quantifier() throws -> (least: Int, most: Int?, isInterval: Bool)? {
        if take("*") { return (0, nil, false) }
        if take("+") { return (1, nil, false) }
        if take("?") { return (0, 1, false) }
        let start = at
        guard take("{") else { return nil }
        let first = takeDecimal()
        var last = first
        if take(",") {
            last = takeDecimal()
            if first == nil && (last == nil || syntax == .rust) { at = start }
        } else if first == nil {
            at = start
        }
        guard at > start, take("}") else {
            at = start
            return nil
        }
        let least = first ?? 0
        guard max(least, last ?? 0) <= Self.mostRepetitions else {
            throw refuse(start, "more than \(Self.mostRepetitions) repetitions are not supported")
        }
        if let last, last < least { throw refuse(start, "a repetition from \(least) to \(last) is not supported") }
        return (least, last, true)
    }
}
