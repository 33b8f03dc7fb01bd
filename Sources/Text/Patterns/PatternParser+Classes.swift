// Escapes and bracketed classes of patterns.

import Streams

extension PatternParser {
    /// What an escape stands for: a set, or one of the few that are more than a character.
    mutating func escape() throws -> PatternNode {
        let start = at
        if let assertion = takeAssertion() { return PatternNode(.assertion(assertion)) }
        if take("\\R") {
            let line = CodePointSet(ranges: [0x0A, 0x0D, 0x85, 0x85, 0x2028, 0x2029])
            let pair = PatternNode.sequence([PatternNode(.set(CodePointSet(0x0D))), PatternNode(.set(CodePointSet(0x0A)))])
            return PatternNode(.atomic(.choice([pair, PatternNode(.set(line))])))
        }
        switch try escapedSet(inClass: false) {
        case .code(let code): return try literal(code, from: start)
        case .set(let set):
            // Rust folds what \p names; Oniguruma only what stands in brackets.
            return PatternNode(.set(flags.ignoresCase && syntax == .rust ? set.caseClosed : set))
        }
    }

    private mutating func takeAssertion() -> PatternAssertion? {
        if take("\\A") { return .textStart }
        if take("\\z") { return .textEnd }
        if take("\\Z") { return .textEndOrLastNewline }
        if take("\\b") { return .wordBoundary }
        if take("\\B") { return .notWordBoundary }
        return nil
    }

    private enum Escaped {
        case code(UInt32)
        case set(CodePointSet)
    }

    private mutating func escapedSet(inClass: Bool) throws -> Escaped {
        let start = at
        at += 1
        guard let letter = next else { throw refuse(start, "'\\' at the end") }
        let isLetter = letter < 0x80 && (letter | 0x20 >= 0x61 && letter | 0x20 <= 0x7A || letter >= 0x30 && letter <= 0x39)
        guard isLetter else { return .code(takeCode()) }
        at += 1
        switch letter {
        case UInt8(ascii: "t"): return .code(0x09)
        case UInt8(ascii: "n"): return .code(0x0A)
        case UInt8(ascii: "v"): return .code(0x0B)
        case UInt8(ascii: "f"): return .code(0x0C)
        case UInt8(ascii: "r"): return .code(0x0D)
        case UInt8(ascii: "a"): return .code(0x07)
        case UInt8(ascii: "e"): return .code(0x1B)
        case UInt8(ascii: "b") where inClass && syntax == .ruby: return .code(0x08)
        case UInt8(ascii: "0") where syntax == .ruby && !(next.map { $0 >= 0x30 && $0 <= 0x39 } ?? false): return .code(0)
        case UInt8(ascii: "x"), UInt8(ascii: "u"), UInt8(ascii: "U"): return .code(try hexadecimal(letter, start))
        case UInt8(ascii: "s"): return .set(CharacterProperties.space)
        case UInt8(ascii: "S"): return .set(CharacterProperties.space.complement)
        case UInt8(ascii: "d"): return .set(CharacterProperties.digit)
        case UInt8(ascii: "D"): return .set(CharacterProperties.digit.complement)
        case UInt8(ascii: "w"): return .set(CharacterProperties.word(syntax, inClass: inClass))
        case UInt8(ascii: "W"): return .set(CharacterProperties.word(syntax, inClass: inClass).complement)
        case UInt8(ascii: "h"): return .set(CharacterProperties.hexDigits)
        case UInt8(ascii: "H"): return .set(CharacterProperties.hexDigits.complement)
        case UInt8(ascii: "p"), UInt8(ascii: "P"): return .set(try property(letter, start, inClass: inClass))
        default:
            throw refuse(start, "'\\\(printable([letter]))' is not supported")
        }
    }

    private mutating func hexadecimal(_ letter: UInt8, _ start: Int) throws -> UInt32 {
        var digits: [UInt8]
        let isBraced = (letter == UInt8(ascii: "x") || syntax == .rust) && take("{")
        if isBraced {
            digits = try take(upTo: UInt8(ascii: "}"), "a character's number")
        } else {
            if letter == UInt8(ascii: "U") && syntax == .ruby { throw refuse(start, "'\\U' is not supported") }
            let count = letter == UInt8(ascii: "x") ? 2 : letter == UInt8(ascii: "u") ? 4 : 8
            digits = Array(source[at..<min(at + count, source.count)])
            at += digits.count
            guard digits.count == count else { throw refuse(start, "a character's number has \(digits.count) digits, expected \(count)") }
        }
        guard !digits.isEmpty, digits.count <= 8, digits.allSatisfy({ CharacterProperties.hexDigits.contains(UInt32($0)) }),
            let code = UInt32(String(decoding: digits, as: UTF8.self), radix: 16), Unicode.Scalar(code) != nil
        else { throw refuse(start, "'\(printable(digits))' is not the number of a character") }
        if syntax == .ruby, !isBraced, letter == UInt8(ascii: "x"), code >= 0x80 {
            throw refuse(start, "'\\x\(printable(digits))' is a byte and no character, which is not supported")
        }
        return code
    }

    private mutating func property(_ letter: UInt8, _ start: Int, inClass: Bool) throws -> CodePointSet {
        var isNegative = letter == UInt8(ascii: "P")
        var name: [UInt8]
        if take("{") {
            if take("^") { isNegative.toggle() }
            name = try take(upTo: UInt8(ascii: "}"), "a property's name")
        } else {
            guard syntax == .rust, let short = next else { throw refuse(start, "'\\\(printable([letter]))' is not followed by '{'") }
            name = [short]
            at += 1
        }
        guard let set = CharacterProperties.named(name, syntax, inClass: inClass) else {
            throw refuse(start, "the property '\(printable(name))' is not known")
        }
        return isNegative ? set.complement : set
    }

    // MARK: Brackets

    /// The set of the class that begins here.
    mutating func bracketClass() throws -> CodePointSet {
        let start = at
        at += 1
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.deepest else { throw refuse(start, "classes more than \(Self.deepest) deep are not supported") }
        classDepth += 1
        defer { classDepth -= 1 }
        let isNegative = take("^")
        var set = try classUnion(start)
        while take("&&") { set = set.intersection(try classUnion(start)) }
        at += 1
        // Oniguruma folds the whole of the outermost class, Rust each class; both before its negation.
        if flags.ignoresCase, syntax == .rust || classDepth == 1 {
            if syntax == .ruby, !isNegative { try checkClassFolding(set, from: start) }
            set = set.caseClosed
        }
        return isNegative ? set.complement : set
    }

    /// A class that holds ß without s matches ss in Oniguruma; one that holds both matches the same by its characters.
    private func checkClassFolding(_ set: CodePointSet, from start: Int) throws {
        let closed = set.caseClosed
        let table = PatternTables.foldedStrings
        var head: UInt32 = 0
        var isInside = false
        var at = 0
        while at < table.count {
            head = table[at]
            at += 1
            isInside = true
            while table[at] != 0 {
                isInside = isInside && closed.contains(table[at])
                at += 1
            }
            at += 1
            if set.contains(head), !isInside { try checkFolding(CodePointSet(head), from: start) }
        }
    }

    /// The members up to `&&` or the closing bracket.
    private mutating func classUnion(_ start: Int) throws -> CodePointSet {
        var ranges: [UInt32] = []
        var union: CodePointSet = .empty
        var isFirst = true
        while true {
            guard let byte = next else { throw refuse(start, "'[' without ']'") }
            if byte == UInt8(ascii: "]"), !isFirst || !hasLaterBracket { break }
            if isNext("&&") { break }
            isFirst = false
            if syntax == .rust, isNext("--") || isNext("~~") { throw refuse(at, "the difference of classes is not supported") }
            if syntax == .rust, flags.isExtended, [0x09, 0x0A, 0x0D, 0x20].contains(byte) {
                at += 1
                continue
            }
            if take("[:") {
                union = union.union(try posixClass())
            } else if byte == UInt8(ascii: "[") {
                union = union.union(try bracketClass())
            } else {
                let place = at
                switch try classMember() {
                case .set(let set):
                    union = union.union(set)
                    if isNext("-"), !isNext("-]") { throw refuse(at, "a range cannot begin with a class") }
                case .code(let first): ranges += [first, try rangeEnd(first, place)]
                }
            }
        }
        return union.union(CodePointSet(ranges: ranges))
    }

    /// Whether a bracket that comes first is a member: another closes the class.
    private var hasLaterBracket: Bool {
        var place = at + 1
        while place < source.count {
            if source[place] == UInt8(ascii: "]") { return true }
            place += source[place] == UInt8(ascii: "\\") ? 2 : 1
        }
        return false
    }

    private mutating func classMember() throws -> Escaped {
        next == UInt8(ascii: "\\") ? try escapedSet(inClass: true) : .code(takeCode())
    }

    /// The last code point of a range that begins with `first`, or `first` itself where there is none.
    private mutating func rangeEnd(_ first: UInt32, _ start: Int) throws -> UInt32 {
        guard isNext("-"), !isNext("-]"), !isNext("-["), !isNext("-&&"), at + 1 < source.count else { return first }
        if syntax == .rust && isNext("--") { return first }
        at += 1
        guard case .code(let last) = try classMember() else { throw refuse(start, "a range cannot end with a class") }
        guard first <= last else { throw refuse(start, "an empty range") }
        return last
    }

    private mutating func posixClass() throws -> CodePointSet {
        let start = at - 2
        let isNegative = take("^")
        let name = try take(upTo: UInt8(ascii: ":"), "a class's name")
        guard take("]"), let set = CharacterProperties.bracket(String(decoding: name, as: UTF8.self)), syntax == .ruby else {
            throw refuse(start, "the class '[:\(printable(name)):]' is not supported")
        }
        return isNegative ? set.complement : set
    }
}
