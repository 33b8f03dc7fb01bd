// Whether the tokens that a server names are ours: their strings against our bytes.

import Streams
import Text

/// Compares token strings of a server with the bytes of our ids; for one thread.
struct ServerTokens {
    private let tokenizer: Tokenizer

    init(_ tokenizer: Tokenizer) { self.tokenizer = tokenizer }

    /// What a server's strings are compared with, given what else is known.
    enum Strictness {
        /// The server was given ids: a string may lack a leading space, and bytes that are no whole characters may be shown in any way.
        case given
        /// The server cut the text itself: only bytes that are no whole characters may be missing.
        case cut
    }

    func bytes(of id: UInt32) -> [UInt8] {
        Int(id) < tokenizer.vocabularySize ? tokenizer.bytes(of: id) : []
    }

    /// Whether a server's string names the token `id`.
    func agree(_ string: [UInt8], _ id: UInt32, _ strictness: Strictness) -> Bool {
        if let number = ServerTokens.number(string) { return number == id }
        let mine = bytes(of: id)
        if string.elementsEqual(mine) { return true }
        let (whole, theirs) = (ServerTokens.wholeCharacters(mine), ServerTokens.withoutReplacements(string))
        let isWhole = whole.count == mine.count
        if !isWhole && theirs.elementsEqual(ServerTokens.withoutReplacements(whole)) { return true }
        guard strictness == .given else { return false }
        if mine.first == 0x20, string.elementsEqual(mine.dropFirst()) { return true }
        // A server that decodes with what stands before shows a character with its last byte.
        return !isWhole && (whole.isEmpty || contains(theirs, whole))
    }

    /// Throws 65 with both where they differ.
    func check(_ string: [UInt8], _ id: UInt32, _ strictness: Strictness, at place: TokenPlace) throws {
        guard !agree(string, id, strictness) else { return }
        throw Failure(
            .badData, place.server,
            "\(place) is '\(printable(bytes(of: id)))' (id \(id)) in the stream, '\(printable(string))' on the server",
            hint: "the stream must be made with the vocabulary of the server's model, and --tokenizer must be it")
    }

    /// The id in "token_id:123", as vLLM writes where asked to.
    static func number(_ string: [UInt8]) -> UInt32? {
        let prefix = Array("token_id:".utf8)
        guard string.starts(with: prefix), string.count > prefix.count else { return nil }
        return UInt32(String(decoding: string[prefix.count...], as: UTF8.self))
    }

    /// The bytes without those that make up no character.
    static func wholeCharacters(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var decoder = Unicode.UTF8.ForwardParser()
        var iterator = bytes.makeIterator()
        while true {
            switch decoder.parseScalar(from: &iterator) {
            case .valid(let encoded): result.append(contentsOf: encoded)
            case .error: continue
            case .emptyInput: return result
            }
        }
    }

    /// A string without U+FFFD.
    static func withoutReplacements(_ string: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var at = 0
        while at < string.count {
            if string[at...].starts(with: [0xEF, 0xBF, 0xBD]) {
                at += 3
            } else {
                result.append(string[at])
                at += 1
            }
        }
        return result
    }

    private func contains(_ string: [UInt8], _ part: [UInt8]) -> Bool {
        guard part.count <= string.count else { return false }
        return (0...(string.count - part.count)).contains { string[$0...].starts(with: part) }
    }
}

/// Where a token stands, for messages.
struct TokenPlace: CustomStringConvertible {
    let server: String
    let document: [UInt8]
    /// Within the document.
    let token: Int

    var description: String { "document '\(printable(document))': token \(token)" }
}

/// The ids that strings stand for, where a server names tokens by strings alone.
final class StringIDs: Sendable {
    private let ids: [[UInt8]: UInt32]

    /// Of strings that several ids have, such as those of bytes that are no whole characters, none is known.
    init(_ tokenizer: Tokenizer) {
        var ids: [[UInt8]: UInt32] = [:]
        var twice: Set<[UInt8]> = []
        for id in 0..<UInt32(tokenizer.vocabularySize) {
            let bytes = tokenizer.bytes(of: id)
            let string = ServerTokens.wholeCharacters(bytes)
            if string.count != bytes.count || ids.updateValue(id, forKey: string) != nil { twice.insert(string) }
        }
        for string in twice { ids[string] = nil }
        ids[[]] = nil
        self.ids = ids
    }

    func id(of string: [UInt8]) -> UInt32? {
        ServerTokens.number(string) ?? ids[string]
    }
}
