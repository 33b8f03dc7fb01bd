// Unigram and WordPiece cut words as sentencepiece and the tokenizers package do.
import Streams
import XCTest

@testable import Text

final class WordModelTests: XCTestCase {
    private func model(_ line: JSONValue) throws -> any WordModel {
        let pieces = line["pieces"]!.elements
        let unknown = line["unknown"]!.integer!
        guard line["model"]!.string == "unigram" else {
            return try WordPieceModel(
                entries: pieces.map { $0.bytes }, unknownID: unknown, prefix: line["prefix"]!.bytes!,
                longestWord: line["longest"]!.integer!,
                name: "t")
        }
        let list = pieces.map { UnigramPiece(bytes: $0[0].bytes!, score: $0[1].number!, kind: PieceEntry.Kind(rawValue: $0[2].integer!)!) }
        let bytes = list.indices.filter { list[$0].kind == .byte }.map { UInt32($0) }
        return try UnigramModel(
            pieces: list, unknownID: unknown, byteIDs: bytes.isEmpty ? nil : bytes,
            rules: line["rules"]!.string == "sentencepiece" ? .sentencePiece : .huggingFace, name: "t")
    }

    private func tokens(_ model: inout any WordModel, _ word: [UInt8]) -> TokenSequence {
        // The word stands in a text, between others that it must not see.
        let text = [UInt8(ascii: "a")] + word + [UInt8(ascii: "b")]
        var tokens = TokenSequence()
        text.withUnsafeBytes { model.encode($0, 1..<(1 + word.count), into: &tokens) }
        return tokens
    }

    func testWordsAreThoseOfThePeers() throws {
        let lines = try records("word-models.ndjson")
        XCTAssertEqual(lines.count, 6)
        for line in lines {
            var model = try model(line)
            let title = "\(line["rules"]?.string ?? "wordpiece") \(line["fallback"]?.boolean ?? false)"
            for (at, word) in line["words"]!.elements.map({ $0.bytes! }).enumerated() where !word.isEmpty {
                let tokens = tokens(&model, word)
                XCTAssertEqual(tokens.ids, integers(line["ids"]![at]), "\(title) '\(printable(word))'")
                XCTAssertEqual(tokens.offsets.first, 1, title)
                XCTAssertEqual(tokens.offsets.last, UInt32(1 + word.count), title)
                for token in 1..<max(1, tokens.ids.count) {
                    XCTAssertEqual(tokens.offsets[2 * token - 1], tokens.offsets[2 * token], "\(title) '\(printable(word))'")
                }
            }
            guard let part = line["repeated"]?.bytes else { continue }
            let ids = tokens(&model, Array(repeatElement(part, count: 1000).joined())).ids
            XCTAssertEqual(ids.count, line["count"]!.integer!, title)
            XCTAssertEqual(ids.reduce(UInt32(0)) { $0 &* 31 &+ $1 }, UInt32(line["hash"]!.integer!), title)
        }
    }

    func testBytesOfTokens() throws {
        let pieces = [
            UnigramPiece(bytes: Array("<unk>".utf8), score: 0, kind: .unknown), UnigramPiece(bytes: Array("▁a".utf8), score: -1),
            UnigramPiece(bytes: Array("<0x41>".utf8), score: 0, kind: .byte),
        ]
        let bytes = (0..<256).map { UInt32($0 == 0x41 ? 2 : 900 + $0) }
        let model = try UnigramModel(pieces: pieces, unknownID: 0, byteIDs: bytes, rules: .sentencePiece, name: "t")
        XCTAssertEqual(model.bytes(of: 1), Array("▁a".utf8))
        XCTAssertEqual(model.bytes(of: 2), [0x41])
    }

    func testMalformedModelsAreRefused() {
        func piece(_ text: String, _ score: Double = 0) -> UnigramPiece { UnigramPiece(bytes: Array(text.utf8), score: score) }
        func refusal(_ body: () throws -> Void) -> String {
            do { try body() } catch { return "\(error)" }
            return "nothing thrown"
        }
        func unigram(_ pieces: [UnigramPiece], _ unknown: Int) -> String {
            refusal { _ = try UnigramModel(pieces: pieces, unknownID: unknown, byteIDs: nil, rules: .sentencePiece, name: "t") }
        }
        XCTAssertEqual(unigram([piece("a")], 1), "t: unk_id is 1, but there are 1 pieces")
        XCTAssertEqual(unigram([piece("a"), piece("b", .nan)], 0), "t: the score of piece 1 is no finite number")
        XCTAssertEqual(unigram([piece("a"), piece("a")], 0), "t: piece 'a' is there twice")
        func wordPiece(_ entries: [String], _ unknown: Int) -> String {
            refusal {
                _ = try WordPieceModel(
                    entries: entries.map { Array($0.utf8) }, unknownID: unknown, prefix: [], longestWord: 9, name: "t")
            }
        }
        XCTAssertEqual(wordPiece(["a"], -1), "t: the unknown token is -1 of 1")
        XCTAssertEqual(wordPiece(["a", "a"], 0), "t: token 'a' is there twice")
    }
}
