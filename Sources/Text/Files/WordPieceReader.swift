// The WordPiece model of a tokenizer.json.

import Streams

/// Builds the parts of a WordPiece vocabulary.
struct WordPieceReader {
    let file: TokenizerJSON

    func parts() throws -> TokenizerParts {
        let contents = file.contents
        let entries = try file.entriesByID()
        guard let unknown = contents.model["unk_token"]?.bytes else { throw file.refuse("model: 'unk_token' is no string") }
        let prefix = contents.model["continuing_subword_prefix"] ?? nil
        guard let prefixBytes = prefix == nil ? Array("##".utf8) : prefix?.bytes else {
            throw file.refuse("model: 'continuing_subword_prefix' is no string")
        }
        let longest = contents.model["max_input_chars_per_word"] ?? nil
        guard let longestWord = longest == nil ? 100 : longest?.integer, longestWord >= 0 else {
            throw file.refuse("model: 'max_input_chars_per_word' is no number from 0 up")
        }
        let tokens = entries.map { $0 < 0 ? nil : contents.tokens[Int($0)] }
        guard let unknownID = tokens.firstIndex(where: { $0 == unknown }) else { throw file.unknownIsNoToken(unknown) }
        let model = try WordPieceModel(
            entries: tokens, unknownID: unknownID, prefix: prefixBytes, longestWord: longestWord, name: file.name)
        let plan = try TextPlan(rulesOf: file)
        return TokenizerParts(
            encoder: WordsEncoder(ModelWords(model), plan.preTokeniser), size: tokens.count, normaliser: plan.normaliser)
    }
}
