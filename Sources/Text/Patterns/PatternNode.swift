// What a pattern says, as a tree, with what each part may begin with.

/// Which rules a pattern is written by.
enum PatternSyntax: Sendable {
    /// Ruby's, as Oniguruma has them in Hugging Face's tokenizers: ^ and $ are of lines, (?m) lets the dot match a newline, {n,m}+ is a
    /// repetition of a repetition.
    case ruby
    /// Rust's regex and fancy-regex, as tiktoken has them: ^ and $ are of the text unless (?m), (?s) is the dot's, {n,m}+ is possessive.
    case rust
}

/// What holds between two characters.
enum PatternAssertion: Hashable, Sendable {
    case textStart, textEnd
    /// The end, or a newline that ends the text.
    case textEndOrLastNewline
    case lineStart, lineEnd
    case wordBoundary, notWordBoundary
}

enum PatternGreed: Hashable, Sendable { case greedy, lazy, possessive }

/// A part of a pattern.
struct PatternNode: Sendable {
    indirect enum Kind: Sendable {
        case set(CodePointSet)
        case sequence([PatternNode])
        case choice([PatternNode])
        case loop(PatternNode, least: Int, most: Int?, PatternGreed)
        case ahead(PatternNode, isNegative: Bool)
        case behind(PatternNode, isNegative: Bool)
        case atomic(PatternNode)
        case assertion(PatternAssertion)
    }

    let kind: Kind
    /// The bytes that a match which is not empty may begin with.
    let first: ByteSet
    let isNullable: Bool

    static let empty = PatternNode(.sequence([]))

    init(_ kind: Kind) {
        self.kind = kind
        var first = ByteSet()
        switch kind {
        case .set(let set):
            first = ByteSet(leading: set)
            isNullable = false
        case .sequence(let parts):
            var nullable = true
            for part in parts where nullable {
                first.formUnion(part.first)
                nullable = part.isNullable
            }
            isNullable = nullable
        case .choice(let parts):
            for part in parts { first.formUnion(part.first) }
            isNullable = parts.contains { $0.isNullable }
        case .loop(let body, let least, _, _):
            first = body.first
            isNullable = least == 0 || body.isNullable
        case .atomic(let body):
            first = body.first
            isNullable = body.isNullable
        case .ahead, .behind, .assertion:
            isNullable = true
        }
        self.first = first
    }

    static func sequence(_ parts: [PatternNode]) -> PatternNode { parts.count == 1 ? parts[0] : PatternNode(.sequence(parts)) }

    /// A choice; one between single characters is a set.
    static func choice(_ parts: [PatternNode]) -> PatternNode {
        if parts.count == 1 { return parts[0] }
        var union: CodePointSet = .empty
        for part in parts {
            guard case .set(let set) = part.kind else { return PatternNode(.choice(parts)) }
            union = union.union(set)
        }
        return PatternNode(.set(union))
    }

    /// A lookbehind longer than this is none.
    private static let mostWidth = 1 << 24

    /// The number of characters of every match; nil where matches differ in length.
    var width: Int? {
        switch kind {
        case .set: return 1
        case .sequence(let parts):
            var sum = 0
            for part in parts {
                guard let width = part.width else { return nil }
                sum += width
                if sum > Self.mostWidth { return nil }
            }
            return sum
        case .choice(let parts):
            guard let width = parts.first?.width else { return nil }
            return parts.allSatisfy { $0.width == width } ? width : nil
        case .loop(let body, let least, let most, _):
            guard least == most, let width = body.width else { return nil }
            return least * width > Self.mostWidth ? nil : least * width
        case .atomic(let body): return body.width
        case .ahead, .behind, .assertion: return 0
        }
    }
}
