// Groups of patterns: (…), (?:…), (?i), lookaround, atomic groups.

import Streams

extension PatternParser {
    /// The group that begins here; nil for a comment, and for flags that hold for the rest of the group.
    mutating func group() throws -> PatternNode? {
        let start = at
        at += 1
        guard take("?") else { return try inside(start) }
        if take("#") {
            _ = try take(upTo: UInt8(ascii: ")"), "a comment")
            return nil
        }
        if take(":") { return try inside(start) }
        if take(">") { return PatternNode(.atomic(try inside(start))) }
        if take("=") { return PatternNode(.ahead(try inside(start), isNegative: false)) }
        if take("!") { return PatternNode(.ahead(try inside(start), isNegative: true)) }
        if take("<=") { return try behind(start, isNegative: false) }
        if take("<!") { return try behind(start, isNegative: true) }
        if take("<") || (syntax == .rust && take("P<")) {
            _ = try take(upTo: UInt8(ascii: ">"), "a group's name")
            return try inside(start)
        }
        if syntax == .ruby && take("'") {
            _ = try take(upTo: UInt8(ascii: "'"), "a group's name")
            return try inside(start)
        }
        return try flagGroup(start)
    }

    /// What the group holds, and its closing parenthesis.
    private mutating func inside(_ start: Int) throws -> PatternNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.deepest else { throw refuse(start, "groups more than \(Self.deepest) deep are not supported") }
        let node = try alternatives()
        guard take(")") else { throw refuse(start, "'(' without ')'") }
        return node
    }

    /// Each alternative of a lookbehind has one length.
    private mutating func behind(_ start: Int, isNegative: Bool) throws -> PatternNode {
        let node = try inside(start)
        var alternatives = [node]
        if case .choice(let parts) = node.kind { alternatives = parts }
        guard alternatives.allSatisfy({ $0.width != nil }) else {
            throw refuse(start, "a lookbehind whose matches differ in length is not supported")
        }
        return PatternNode(.behind(node, isNegative: isNegative))
    }

    /// (?i), (?i-m) and (?i:…).
    private mutating func flagGroup(_ start: Int) throws -> PatternNode? {
        let outer = flags
        var isOn = true
        while let byte = next, byte != UInt8(ascii: ":"), byte != UInt8(ascii: ")") {
            switch byte {
            case UInt8(ascii: "-") where isOn: isOn = false
            case UInt8(ascii: "i"): flags.ignoresCase = isOn
            case UInt8(ascii: "x"): flags.isExtended = isOn
            case UInt8(ascii: "m"):
                if syntax == .ruby { flags.dotTakesNewline = isOn } else { flags.anchorsAreOfLines = isOn }
            case UInt8(ascii: "s") where syntax == .rust: flags.dotTakesNewline = isOn
            case UInt8(ascii: "u") where syntax == .rust && isOn: break
            default:
                let end = min(source.count, at + 1)
                throw refuse(start, "the group '\(printable(Array(source[start..<end])))…' is not supported")
            }
            at += 1
        }
        if take(":") {
            defer { flags = outer }
            return try inside(start)
        }
        guard take(")") else { throw refuse(start, "'(' without ')'") }
        // In Ruby the rest of the group, its alternatives too, is a part under the new flags: a(?i)b|c is a(?i:b|c).
        guard syntax == .ruby else { return nil }
        depth += 1
        defer {
            depth -= 1
            flags = outer
        }
        guard depth <= Self.deepest else { throw refuse(start, "groups more than \(Self.deepest) deep are not supported") }
        return try alternatives()
    }
}
