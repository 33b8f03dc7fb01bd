// The Unigram model of a tokenizer.json.

import Streams

/// Builds the parts of a Unigram vocabulary: pieces with scores, ids by their order.
struct UnigramReader {
    let file: TokenizerJSON

    func parts() throws -> TokenizerParts {
        let contents = file.contents
        guard contents.hasVocab, contents.scores.count == contents.tokens.count else {
            throw file.refuse("model: 'vocab' is missing or no list of pairs of a token and a score")
        }
        guard contents.tokens.count > 0 else { throw file.refuse("model: 'vocab' is empty") }
        guard contents.tokens.count <= TokenizerJSON.mostIDs else {
            throw file.refuse("model: 'vocab' has \(contents.tokens.count) entries")
        }
        guard let unknown = contents.model["unk_id"]?.integer, unknown >= 0, unknown < contents.tokens.count else {
            throw file.refuse("model: 'unk_id' is not the place of one of the \(contents.tokens.count) tokens")
        }
        let pieces = (0..<contents.tokens.count).map { UnigramPiece(bytes: contents.tokens[$0], score: contents.scores[$0]) }
        let model = try UnigramModel(
            pieces: pieces, unknownID: unknown, byteIDs: byteIDs(), rules: .huggingFace, name: file.name)
        let plan = try TextPlan(rulesOf: file)
        return TokenizerParts(
            encoder: WordsEncoder(ModelWords(model), plan.preTokeniser), size: pieces.count, normaliser: plan.normaliser)
    }

    private func byteIDs() throws -> [UInt32]? {
        guard try file.flag("byte_fallback") else { return nil }
        var ids = [UInt32?](repeating: nil, count: 256)
        for at in 0..<file.contents.tokens.count where file.contents.tokens.range(at).count == 6 {
            if let byte = byteValue(file.contents.tokens[at]) { ids[byte] = UInt32(at) }
        }
        let found = ids.compactMap { $0 }
        guard found.count == 256 else {
            throw file.refuse("model: 'byte_fallback' is true, but there are \(found.count) byte tokens, expected 256")
        }
        return found
    }
}
