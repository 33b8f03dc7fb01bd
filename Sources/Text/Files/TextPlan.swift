// What a tokenizer.json does with the text before merging: by a scanner of ours where there is one, else step by step.

import Streams

/// A normaliser, and how words come about.
struct TextPlan {
    enum Words {
        /// Byte-level, by a scanner.
        case byteLevel(WordSplitter, addsPrefixSpace: Bool)
        /// Byte-level, by the file's own steps.
        case bytesByRules(PreTokeniser?)
        /// Spaces as ▁, and words by where pieces may reach.
        case pieces(PieceNormalisation)
        case rules(PreTokeniser?)
    }
    var normaliser: Normaliser?
    var words: Words

    private static let boundary = "\u{2581}"

    /// The pre-tokeniser, where words come about by the file's own steps.
    var preTokeniser: PreTokeniser? {
        switch words {
        case .bytesByRules(let rules), .rules(let rules): rules
        default: nil
        }
    }

    /// Everything by the file's own steps.
    init(rulesOf file: TokenizerJSON) throws {
        normaliser = try Self.normaliser(file)
        words = try .rules(file.member("pre_tokenizer").map { try PreTokeniser(json: $0, name: file.name) })
    }

    private static func normaliser(_ file: TokenizerJSON) throws -> Normaliser? {
        let normaliser = try file.member("normalizer").map { json in
            try Normaliser(json: json, name: file.name) { try Pattern($0, name: file.name) }
        }
        if case .sequence(let members) = normaliser, members.isEmpty { return nil }
        return normaliser
    }

    init(_ file: TokenizerJSON) throws {
        let steps = Self.steps(file.member("pre_tokenizer"), list: "pretokenizers")
        let normalisers = Self.steps(file.member("normalizer"), list: "normalizers")
        let normaliser = try Self.normaliser(file)
        let rules = try file.member("pre_tokenizer").map { try PreTokeniser(json: $0, name: file.name) }
        if steps.contains(where: { $0["type"]?.string == "ByteLevel" }) {
            self.normaliser = normaliser
            if let (splitter, addsPrefixSpace) = Self.splitter(steps) {
                words = .byteLevel(splitter, addsPrefixSpace: addsPrefixSpace)
            } else {
                words = .bytesByRules(rules)
            }
        } else if let normalisation = Self.pieces(normalisers, steps), try !file.flag("ignore_merges") {
            words = .pieces(normalisation)
        } else {
            self.normaliser = normaliser
            words = .rules(rules)
        }
    }

    /// A component, or the members of a Sequence of them.
    private static func steps(_ value: JSONValue?, list: String) -> [JSONValue] {
        guard let value else { return [] }
        return value["type"]?.string == "Sequence" ? value[list]?.elements ?? [] : [value]
    }

    // MARK: Byte-level

    /// The scanner that cuts as the steps do; nil where there is none.
    private static func splitter(_ steps: [JSONValue]) -> (WordSplitter, addsPrefixSpace: Bool)? {
        guard let last = steps.last, last["type"]?.string == "ByteLevel" else { return nil }
        let addsPrefixSpace = last["add_prefix_space"]?.boolean ?? true
        let usesPattern = last["use_regex"]?.boolean ?? true
        let before = steps.dropLast()
        if usesPattern {
            if before.isEmpty { return (.gpt2, addsPrefixSpace) }
            guard before.count == 1, before[0]["type"]?.string == "Digits", before[0]["individual_digits"]?.boolean == true,
                !addsPrefixSpace
            else { return nil }
            return (.digitsThenGPT2, false)
        }
        if before.isEmpty { return (.whole, addsPrefixSpace) }
        // A space in front of every cut is another matter than one in front of the text.
        guard !addsPrefixSpace else { return nil }
        let patterns = before.map(splitPattern)
        guard patterns.allSatisfy({ $0 != nil }) else { return nil }
        return WordSplitter(patterns: patterns.map { $0! }).map { ($0, false) }
    }

    /// The regular expression of a Split that keeps what it finds and what lies between.
    private static func splitPattern(_ step: JSONValue) -> String? {
        guard step["type"]?.string == "Split", step["invert"]?.boolean != true else { return nil }
        // Removing what lies between the matches of a pattern that matches everything is no different from isolating the matches.
        return step["behavior"]?.string == "Isolated" ? step["pattern"]?["Regex"]?.string : nil
    }

    // MARK: Pieces

    /// Prepend and Replace, or Metaspace: what our own scanner for pieces does. nil for anything else.
    private static func pieces(_ normalisers: [JSONValue], _ steps: [JSONValue]) -> PieceNormalisation? {
        var normalisation = PieceNormalisation(prefix: .never, splitsAtBoundary: false)
        var replaces = false
        for step in normalisers {
            switch step["type"]?.string {
            case "Prepend" where step["prepend"]?.string == boundary && !replaces: normalisation.prefix = .always
            case "Replace" where step["pattern"]?["String"]?.string == " " && step["content"]?.string == boundary: replaces = true
            default: return nil
            }
        }
        normalisation.comesFirst = !normalisers.isEmpty
        // Once spaces are written ▁, a split at spaces finds none (Gemma).
        let steps = steps.filter { !(replaces && $0["type"]?.string == "Split" && $0["pattern"]?["String"]?.string == " ") }
        guard let step = steps.first else { return replaces ? normalisation : nil }
        guard steps.count == 1, step["type"]?.string == "Metaspace", step["replacement"]?.string == boundary, !replaces,
            normalisation.prefix == .never
        else { return nil }
        normalisation.splitsAtBoundary = step["split"]?.boolean ?? true
        switch step["prepend_scheme"]?.string ?? (step["add_prefix_space"]?.boolean == false ? "never" : "always") {
        case "always": normalisation.prefix = .unlessSpace
        case "first": normalisation.prefix = .firstUnlessSpace
        case "never": normalisation.prefix = .never
        default: return nil
        }
        return normalisation
    }
}
