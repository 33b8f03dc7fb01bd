// The decoder of a tokenizer.json: what becomes of tokens when they are made text again.

import Streams

/// How the text of tokens is put together.
enum Decoding: Equatable, Sendable {
    /// The bytes of the tokens, one behind the other, without the space that was put in front of the text.
    case bytes
    /// Words with spaces between them; a token that begins with the prefix goes on with the word before it (WordPiece). `cleans`: no space
    /// in front of punctuation and contractions.
    case words(prefix: [UInt8], cleans: Bool)
}

/// Reads "decoder": those that are known are checked; what they do follows from the vocabulary.
struct DecoderReader {
    let file: TokenizerJSON

    private static let deepest = 100

    func decoding() throws -> Decoding {
        try file.member("decoder").map { try read($0, depth: 1) } ?? .bytes
    }

    private func read(_ value: JSONValue, depth: Int) throws -> Decoding {
        guard depth <= Self.deepest else { throw file.refuse("decoder: nested deeper than \(Self.deepest)") }
        switch value["type"]?.string {
        case "ByteLevel", "Metaspace", "ByteFallback", "Fuse", "Replace": return .bytes
        case "Strip":
            guard let start = value["start"]?.integer, let stop = value["stop"]?.integer, start >= 0, stop >= 0 else {
                throw file.refuse("decoder 'Strip': 'start' and 'stop' are no numbers from 0 up")
            }
            return .bytes
        case "WordPiece":
            guard let prefix = value["prefix"]?.bytes else { throw file.refuse("decoder 'WordPiece': 'prefix' is no string") }
            return .words(prefix: prefix, cleans: value["cleanup"]?.boolean ?? true)
        case "Sequence":
            guard let members = value["decoders"], members.kind == .array else { throw file.refuse("decoder: 'decoders' is no list") }
            return try members.elements.map { try read($0, depth: depth + 1) }.first { $0 != .bytes } ?? .bytes
        case let type:
            throw file.refuse("decoder '\(printable(type ?? "without a type"))' is not supported")
        }
    }
}
