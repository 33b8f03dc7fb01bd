// What a tokenizer.json does with the text before merging: its normaliser and pre-tokeniser, as one of the plans we have.

import Streams

/// The two plans that are supported.
enum TextPlan {
    case byteLevel(WordSplitter, addsPrefixSpace: Bool)
    case pieces(PieceNormalisation)

    private static let gpt2Pattern = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
    private static let boundary = "\u{2581}"

    init(_ file: TokenizerJSON) throws {
        let steps = try Self.steps(file.root["pre_tokenizer"], list: "pretokenizers", file)
        let normalisers = try Self.steps(file.root["normalizer"], list: "normalizers", file)
        if steps.contains(where: { $0["type"]?.string == "ByteLevel" }) {
            if let first = normalisers.first {
                throw file.refuse("normaliser '\(Self.type(first))' is not supported yet with byte-level tokens")
            }
            self = try Self.byteLevel(steps, file)
        } else {
            self = try .pieces(Self.pieces(normalisers, steps, file))
        }
    }

    /// A component, or the members of a Sequence of them.
    private static func steps(_ value: JSONValue?, list: String, _ file: TokenizerJSON) throws -> [JSONValue] {
        guard let value, !value.isNull else { return [] }
        guard value.kind == .object, value["type"]?.string != nil else { throw file.refuse("a component has no 'type'") }
        guard value["type"]?.string == "Sequence" else { return [value] }
        let members = value[list]?.elements ?? []
        if let nested = members.first(where: { $0["type"]?.string == "Sequence" }) {
            throw file.refuse("a '\(type(nested))' inside a Sequence is not supported")
        }
        return members
    }

    private static func type(_ value: JSONValue) -> String { printable(value["type"]?.string ?? "without a type") }

    /// [Digits or the Split of GPT-2's pattern,] ByteLevel.
    private static func byteLevel(_ steps: [JSONValue], _ file: TokenizerJSON) throws -> TextPlan {
        var digits = false
        var splitsByPattern = false
        for (at, step) in steps.enumerated() {
            switch step["type"]?.string {
            case "ByteLevel" where at == steps.count - 1:
                let usesPattern = step["use_regex"]?.boolean ?? true
                if usesPattern && splitsByPattern { throw file.refuse("pre-tokeniser: GPT-2's pattern twice is not supported") }
                let cuts = usesPattern || splitsByPattern
                if digits && !cuts { throw file.refuse("pre-tokeniser: Digits without GPT-2's pattern is not supported yet") }
                let addsPrefixSpace = step["add_prefix_space"]?.boolean ?? true
                if digits && addsPrefixSpace { throw file.refuse("pre-tokeniser: 'add_prefix_space' behind Digits is not supported yet") }
                return .byteLevel(digits ? .digitsThenGPT2 : cuts ? .gpt2 : .whole, addsPrefixSpace: addsPrefixSpace)
            case "Digits" where at == 0:
                guard step["individual_digits"]?.boolean == true else {
                    throw file.refuse("pre-tokeniser 'Digits' with 'individual_digits': false is not supported yet")
                }
                digits = true
            case "Split" where !splitsByPattern:
                guard step["pattern"]?["Regex"]?.string == gpt2Pattern, step["behavior"]?.string == "Isolated",
                    step["invert"]?.boolean != true
                else {
                    throw file.refuse(
                        "pre-tokeniser 'Split' with the pattern '\(printable(step["pattern"]?["Regex"]?.string ?? ""))' is not supported yet"
                    )
                }
                splitsByPattern = true
            default:
                throw file.refuse("pre-tokeniser '\(type(step))' in this place is not supported yet")
            }
        }
        throw file.refuse("pre-tokeniser: nothing may follow 'ByteLevel'")
    }

    /// Normalisers Prepend and Replace, or the pre-tokeniser Metaspace.
    private static func pieces(_ normalisers: [JSONValue], _ steps: [JSONValue], _ file: TokenizerJSON) throws -> PieceNormalisation {
        var normalisation = PieceNormalisation(prefix: .never, splitsAtBoundary: false)
        var replaces = false
        for step in normalisers {
            switch step["type"]?.string {
            case "Prepend" where step["prepend"]?.string == boundary && !replaces: normalisation.prefix = .always
            case "Replace" where step["pattern"]?["String"]?.string == " " && step["content"]?.string == boundary: replaces = true
            default: throw file.refuse("normaliser '\(type(step))' as it is set here is not supported yet")
            }
        }
        normalisation.comesFirst = !normalisers.isEmpty
        guard let step = steps.first else {
            guard replaces else { throw file.refuse("no step writes spaces as \(boundary): expected Replace or Metaspace") }
            return normalisation
        }
        guard steps.count == 1, step["type"]?.string == "Metaspace", step["replacement"]?.string == boundary, !replaces,
            normalisation.prefix == .never
        else { throw file.refuse("pre-tokeniser '\(type(step))' as it is set here is not supported yet") }
        normalisation.splitsAtBoundary = step["split"]?.boolean ?? true
        switch step["prepend_scheme"]?.string ?? (step["add_prefix_space"]?.boolean == false ? "never" : "always") {
        case "always": normalisation.prefix = .unlessSpace
        case "first": normalisation.prefix = .firstUnlessSpace
        case "never": normalisation.prefix = .never
        case let scheme:
            throw file.refuse("pre-tokeniser 'Metaspace': 'prepend_scheme' is '\(printable(scheme))', expected always, first or never")
        }
        return normalisation
    }
}
