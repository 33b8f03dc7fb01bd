// Regular expressions of tokenizer files: matching in time linear in the text, whatever the pattern and the text.

import Streams

/// A regular expression, compiled.
///
/// The syntax is what Oniguruma (Hugging Face's tokenizers) or fancy-regex (tiktoken) accept, as far as patterns of tokenizers use it:
/// classes, properties, flags, greedy, lazy and possessive repetition, atomic groups, lookahead, lookbehind of fixed length. Back
/// references, conditions, recursion and \K are refused, and so is what we would match differently.
///
/// - The first alternative that leads to a match wins, as in Perl.
/// - Work is at most a constant times instructions times bytes; nothing recurses over the text.
struct Pattern: Sendable {
    let source: [UInt8]
    let syntax: PatternSyntax
    let program: PatternProgram

    /// Throws badData that names the file and the place in the pattern.
    init(_ source: [UInt8], name: String, syntax: PatternSyntax = .ruby) throws {
        self.source = source
        self.syntax = syntax
        let node = try PatternParser.parse(source, name: name, syntax: syntax)
        let tooLarge = Failure(.badData, name, .whole, "pattern '\(printable(source))': too large when its repetitions are written out")
        program = PatternProgram(try PatternCompiler(node, syntax: syntax, tooLarge: tooLarge))
    }

    /// A matcher of its own, to be kept where many short texts are matched.
    func matcher() -> PatternMatcher { PatternMatcher(program) }

    /// Calls `body` with the byte range of every match in `text[range]`, valid UTF-8 whose ends count as the ends of the text.
    func forEachMatch(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, _ body: (Range<Int>) -> Void) {
        matcher().forEachMatch(text, range, body)
    }
}

extension Pattern: TextPattern {
    func matches(in text: UnsafeRawBufferPointer) -> [Range<Int>] {
        var found: [Range<Int>] = []
        forEachMatch(text, 0..<text.count) { found.append($0) }
        return found
    }
}
