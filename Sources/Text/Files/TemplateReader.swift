// The post-processor of a tokenizer.json: which special tokens stand around a text.

import Streams

/// Reads "post_processor" into the tokens in front of and behind a text.
///
/// ByteLevel changes offsets only, which are ours anyway. A template's tokens are those of `single`; several processors of a Sequence
/// wrap one another.
struct TemplateReader {
    let file: TokenizerJSON

    private static let deepest = 100

    func read(into parts: inout TokenizerParts) throws {
        if let value = file.member("post_processor") { try read(value, depth: 1, into: &parts) }
        // By the names that everyone gives them: the first token in front is BOS, the last behind is EOS.
        parts.bosID = parts.prefix.first
        parts.eosID = parts.suffix.last
    }

    private func read(_ value: JSONValue, depth: Int, into parts: inout TokenizerParts) throws {
        guard depth <= Self.deepest else { throw file.refuse("post-processor: nested deeper than \(Self.deepest)") }
        switch value["type"]?.string {
        case "ByteLevel": return
        case "Sequence":
            guard let members = value["processors"], members.kind == .array else {
                throw file.refuse("post-processor: 'processors' is no list")
            }
            for member in members.elements { try read(member, depth: depth + 1, into: &parts) }
        case "TemplateProcessing": try readTemplate(value, into: &parts)
        case "BertProcessing", "RobertaProcessing":
            parts.prefix.insert(try pair(value, "cls", parts.size), at: 0)
            parts.suffix.append(try pair(value, "sep", parts.size))
        case let type:
            throw file.refuse("post-processor '\(printable(type ?? "without a type"))' is not supported")
        }
    }

    /// ["</s>", 2]
    private func pair(_ value: JSONValue, _ key: String, _ size: Int) throws -> UInt32 {
        guard let pair = value[key], pair.kind == .array, pair.count == 2, let id = pair[1].integer, id >= 0, id < size else {
            throw file.refuse("post-processor: '\(key)' is no pair of a token and an id below \(size)")
        }
        return UInt32(id)
    }

    private func readTemplate(_ value: JSONValue, into parts: inout TokenizerParts) throws {
        guard let single = value["single"], single.kind == .array else {
            throw file.refuse("post-processor: 'single' is missing or no list")
        }
        var (prefix, suffix): ([UInt32], [UInt32]) = ([], [])
        var texts = 0
        for item in single.elements {
            if let text = item["Sequence"] {
                guard text["id"]?.string == "A" else { throw file.refuse("post-processor: 'single' holds a text other than A") }
                texts += 1
                continue
            }
            guard let token = item["SpecialToken"]?["id"]?.string else {
                throw file.refuse("post-processor: 'single' holds neither a text nor a special token")
            }
            guard let ids = value["special_tokens"]?[token]?["ids"], ids.kind == .array else {
                throw file.refuse("post-processor: special token '\(printable(token))' is not among 'special_tokens'")
            }
            for id in ids.elements {
                guard let id = id.integer, id >= 0, id < parts.size else {
                    throw file.refuse("post-processor: special token '\(printable(token))' has no id below \(parts.size)")
                }
                if texts == 0 { prefix.append(UInt32(id)) } else { suffix.append(UInt32(id)) }
            }
        }
        guard texts == 1 else { throw file.refuse("post-processor: 'single' holds the text \(texts) times, expected once") }
        parts.prefix = prefix + parts.prefix
        parts.suffix += suffix
    }
}
