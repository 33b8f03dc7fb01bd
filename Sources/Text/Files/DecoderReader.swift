// The decoder of a tokenizer.json: what becomes of tokens when they are made text again.

import Streams

/// How the text of tokens is put together.
enum Decoding: Equatable, Sendable {
    /// The bytes of the tokens, one behind the other; some character stands for a space, and a space that was put in front of the text
    /// goes.
    case bytes(spaceMark: [UInt8] = [], dropsFirstSpace: Bool = false)
    /// Words with spaces between them; a token that begins with the prefix goes on with the word before it (WordPiece). `cleans`: no space
    /// in front of punctuation and contractions.
    case words(prefix: [UInt8], cleans: Bool)

    func followed(by other: Decoding) -> Decoding {
        guard case .bytes(let mark, let drops) = self, case .bytes(let otherMark, let otherDrops) = other else {
            if case .words = self { return self }
            return other
        }
        return .bytes(spaceMark: mark.isEmpty ? otherMark : mark, dropsFirstSpace: drops || otherDrops)
    }
}

/// Reads "decoder": those that are known are checked; what they do follows from the vocabulary.
struct DecoderReader {
    let file: TokenizerJSON

    private static let deepest = 100

    func decoding() throws -> Decoding {
        try file.member("decoder").map { try read($0, depth: 1) } ?? .bytes()
    }

    private func read(_ value: JSONValue, depth: Int) throws -> Decoding {
        guard depth <= Self.deepest else { throw file.refuse("decoder: nested deeper than \(Self.deepest)") }
        switch value["type"]?.string {
        case "ByteLevel", "ByteFallback", "Fuse": return .bytes()
        case "Metaspace":
            guard let mark = value["replacement"]?.bytes else { throw file.refuse("decoder 'Metaspace': 'replacement' is no string") }
            let drops = value["prepend_scheme"]?.string.map { $0 != "never" } ?? (value["add_prefix_space"]?.boolean ?? true)
            return .bytes(spaceMark: mark, dropsFirstSpace: drops)
        case "Replace":
            guard let mark = value["pattern"]?["String"]?.bytes, let content = value["content"]?.bytes else {
                throw file.refuse("decoder 'Replace' is supported with a string as its pattern and its content")
            }
            guard content == [0x20] else {
                throw file.refuse("decoder 'Replace' by '\(printable(content))' is not supported: expected ' '")
            }
            return .bytes(spaceMark: mark)
        case "Strip":
            guard let start = value["start"]?.integer, let stop = value["stop"]?.integer, start >= 0, stop >= 0 else {
                throw file.refuse("decoder 'Strip': 'start' and 'stop' are no numbers from 0 up")
            }
            return .bytes(dropsFirstSpace: value["content"]?.string == " " && start > 0)
        case "WordPiece":
            guard let prefix = value["prefix"]?.bytes else { throw file.refuse("decoder 'WordPiece': 'prefix' is no string") }
            return .words(prefix: prefix, cleans: value["cleanup"]?.boolean ?? true)
        case "Sequence":
            guard let members = value["decoders"], members.kind == .array else { throw file.refuse("decoder: 'decoders' is no list") }
            return try members.elements.map { try read($0, depth: depth + 1) }.reduce(.bytes()) { $0.followed(by: $1) }
        case let type:
            throw file.refuse("decoder '\(printable(type ?? "without a type"))' is not supported")
        }
    }
}
