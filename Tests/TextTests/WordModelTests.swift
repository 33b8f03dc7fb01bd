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

    /// The best cut by sums of 32 bits, straight from the rule: the ends of its pieces.
    private func plainCut(_ text: [UInt8], _ pieces: [[UInt8]: Float], _ unknown: Float) -> [Int] {
        var nodes = [(score: Float, start: Int)](repeating: (0, -1), count: text.count + 1)
        for start in 0..<text.count where text[start] & 0xC0 != 0x80 {
            let offset = nodes[start].score
            if abs(offset) > 100_000 {
                for at in start...text.count where at == start || nodes[at].start >= 0 { nodes[at].score -= offset }
            }
            let single = (start + 1...text.count).first { $0 == text.count || text[$0] & 0xC0 != 0x80 }!
            for end in start + 1...min(text.count, start + 24) {
                guard let score = pieces[Array(text[start..<end])] ?? (end == single ? unknown : nil) else { continue }
                let sum = score + nodes[start].score
                if nodes[end].start < 0 || sum > nodes[end].score { nodes[end] = (sum, start) }
            }
        }
        var ends: [Int] = []
        var end = text.count
        while end > 0 {
            ends.append(end)
            end = nodes[end].start
        }
        return ends.reversed()
    }

    /// Words from the cache are cut as the whole text is, with sums up to where they are set back, near ties and pieces over several words.
    func testCachedWordsAreCutAsTheWholeText() throws {
        var state: UInt64 = 5
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let characters = ["\u{2581}", "a", "b", "c", "d", "é"].map { Array($0.utf8) }
        for acrossWords in [false, true] {
            var scores: [[UInt8]: Float] = [:]
            for character in characters.dropLast() { scores[character] = -Float(900 + random(400)) / 100 }
            for _ in 0..<150 {
                let word = (0..<2 + random(3)).flatMap { characters[$0 == 0 || acrossWords ? random(6) : 1 + random(5)] }
                scores[word] = -Float(900 + random(12) * 100) / 100 - Float(random(3)) / 512
            }
            let pieces =
                [UnigramPiece(bytes: Array("<unk>".utf8), score: 0, kind: .unknown)]
                + scores.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { UnigramPiece(bytes: $0.key, score: Double($0.value)) }
            var model = try UnigramModel(pieces: pieces, unknownID: 0, byteIDs: nil, rules: .sentencePiece, name: "t")
            let words = (0..<300).map { _ in characters[0] + (0..<1 + random(9)).flatMap { _ in characters[1 + random(20) % 5] } }
            let text = (0..<9000).flatMap { _ in words[random(words.count)] }
            var tokens = TokenSequence()
            text.withUnsafeBytes { model.encode($0, 0..<$0.count, into: &tokens) }
            let ids = Dictionary(uniqueKeysWithValues: pieces.enumerated().map { ($1.bytes, UInt32($0)) })
            var expected: [UInt32] = []
            var start = 0
            for end in plainCut(text, scores, scores.values.min()! - 10) {
                let id = ids[Array(text[start..<end])] ?? 0
                if id != 0 || expected.last != 0 { expected.append(id) }
                start = end
            }
            XCTAssertEqual(tokens.ids, expected, "\(acrossWords)")
        }
    }

    /// Scores that are equal but for their last bits, so that rounding decides: 12,000 texts of words that are met again and again, with
    /// pieces over several words, runs of spaces, and sums from near 0 to where they are set back.
    func testRoundingDecidesAsInTheWholeText() throws {
        var state: UInt64 = 11
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let characters = ["\u{2581}", "a", "b", "c", "é"].map { Array($0.utf8) }
        for vocabulary in 0..<60 {
            let scale = [Float(1), 3, 40, 700][vocabulary % 4]
            // All scores are sums of one unit, but for a few last bits.
            func score(_ length: Int) -> Float {
                var score = -scale * Float(random(3) == 0 ? length : 1 + random(2 + length))
                for _ in 0..<random(4) { score = random(2) == 0 ? score.nextUp : score.nextDown }
                return score
            }
            var scores: [[UInt8]: Float] = [:]
            for character in characters where random(8) > 0 { scores[character] = score(1) }
            for _ in 0..<(10 + random(60)) {
                let length = 2 + random(4)
                scores[(0..<length).flatMap { _ in characters[random(characters.count)] }] = score(length)
            }
            let pieces =
                [UnigramPiece(bytes: Array("<unk>".utf8), score: 0, kind: .unknown)]
                + scores.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { UnigramPiece(bytes: $0.key, score: Double($0.value)) }
            let ids = Dictionary(uniqueKeysWithValues: pieces.enumerated().map { ($1.bytes, UInt32($0)) })
            var model = try UnigramModel(pieces: pieces, unknownID: 0, byteIDs: nil, rules: .sentencePiece, name: "t")
            let words = (0..<12).map { _ in characters[0] + (0..<random(6)).flatMap { _ in characters[1 + random(4)] } }
            for _ in 0..<200 {
                let text = (0..<(1 + random(24))).flatMap { _ in words[random(words.count)] }
                var tokens = TokenSequence()
                text.withUnsafeBytes { model.encode($0, 0..<$0.count, into: &tokens) }
                var (expected, offsets, start) = ([UInt32](), [UInt32](), 0)
                for end in plainCut(text, scores, scores.values.min()! - 10) {
                    let id = ids[Array(text[start..<end])] ?? 0
                    if id == 0 && expected.last == 0 {
                        offsets[offsets.count - 1] = UInt32(end)
                    } else {
                        expected.append(id)
                        offsets += [UInt32(start), UInt32(end)]
                    }
                    start = end
                }
                guard tokens.ids == expected, tokens.offsets == offsets else {
                    return XCTFail("vocabulary \(vocabulary): '\(printable(text))' is \(tokens.ids), expected \(expected)")
                }
            }
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
