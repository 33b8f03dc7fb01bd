// sentencepiece's charsmaps: malformed ones are refused, and its own normalisation gives what sentencepiece gives.
import Streams
import TestSupport
import XCTest

@testable import Text

final class CharsmapTests: XCTestCase {
    private func fixtureMap() throws -> [UInt8] {
        try base64Decoded(XCTUnwrap(records("normalised-pieces.ndjson")[0]["charsmap"]?.bytes))!
    }

    private func word(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }

    /// A map of one block: the trie's units, all free but those given, then the texts.
    private func map(_ units: [Int: UInt32], texts: [UInt8] = [0x41, 0]) -> [UInt8] {
        word(1024) + (0..<256).flatMap { word(units[$0] ?? UInt32($0 ^ 0xFF)) } + texts
    }

    private func normalised(_ text: [UInt8], _ normaliser: SentencePieceNormaliser) -> RewrittenText {
        let buffer = RewritingBuffer()
        text.withUnsafeBytes { normaliser.rewrite($0, 0..<$0.count, into: buffer) }
        func copy<Element>(_ memory: UnsafeMutablePointer<Element>) -> [Element] {
            Array(UnsafeBufferPointer(start: memory, count: buffer.count))
        }
        return RewrittenText(bytes: copy(buffer.bytes), starts: copy(buffer.starts), ends: copy(buffer.ends))
    }

    func testTextsAreThoseOfSentencePiece() throws {
        let lines = try records("normalised-pieces.ndjson")
        let texts = lines[0]["texts"]!.elements.map { $0.bytes! }
        let charsmap = try Charsmap(fixtureMap(), name: "t.model")
        let symbols = lines[0]["user_defined"]!.elements.map { $0.bytes! }.sorted { $0.lexicographicallyPrecedes($1) }
        let userDefined = try XCTUnwrap(ByteTrie(SortedKeys(symbols.enumerated().map { ($1[...], UInt32($0)) })))
        XCTAssertEqual(lines.count, 17)
        for line in lines.dropFirst() {
            let normaliser = SentencePieceNormaliser(
                charsmap: charsmap, userDefined: userDefined, addsDummyPrefix: line["dummy"]!.boolean!,
                removesExtraWhitespace: line["remove"]!.boolean!, escapesWhitespace: line["escape"]!.boolean!,
                whitespaceIsSuffix: line["suffix"]!.boolean!)
            for (at, text) in texts.enumerated() {
                let result = normalised(text, normaliser)
                let title =
                    "\(normaliser.addsDummyPrefix) \(normaliser.removesExtraWhitespace) \(normaliser.escapesWhitespace) '\(printable(text))'"
                XCTAssertEqual(result.bytes, line["results"]![at].bytes!, title)
                for at in 0..<result.count {
                    XCTAssertLessThanOrEqual(result.starts[at], result.ends[at], title)
                    XCTAssertLessThanOrEqual(at == 0 ? 0 : result.ends[at - 1], result.ends[at], title)
                    XCTAssertLessThanOrEqual(at == 0 ? 0 : result.starts[at - 1], result.starts[at], title)
                }
            }
        }
    }

    /// A space covers its one byte, a literal ▁ its three, the prefix none; what is taken away is a gap.
    func testOriginsOfWhiteSpace() {
        let text = Array("  a  \u{2581}b ".utf8)
        let result = normalised(text, SentencePieceNormaliser())
        XCTAssertEqual(result.bytes, Array("\u{2581}a\u{2581}\u{2581}b".utf8))
        XCTAssertEqual(result.starts, [2, 2, 2, 2, 3, 3, 3, 5, 6, 7, 8])
        XCTAssertEqual(result.ends, [2, 2, 2, 3, 4, 4, 4, 6, 7, 8, 9])
    }

    func testMalformedMapsAreRefused() throws {
        let good = try fixtureMap()
        let trie = Int(good[0]) | Int(good[1]) << 8 | Int(good[2]) << 16
        let offset: (UInt32) -> UInt32 = { $0 << 10 }
        // The root leads to node 0; unit 97 is the rule for "a", whose leaf is unit 97 ^ 98 = 3.
        let rule: [Int: UInt32] = [0: 0, 97: 97 | 0x100 | offset(98), 3: 0x8000_0000]
        XCTAssertNoThrow(try Charsmap(map(rule), name: "t"))
        let cases: [(String, [UInt8])] = [
            ("has 4 bytes", [0, 0, 0, 0]), ("has 0 bytes", []), ("are left", word(UInt32(good.count - 4)) + good.dropFirst(4)),
            ("a multiple of 4", word(UInt32(good.count - 5) | 1) + good.dropFirst(4)), ("are left", word(0xFFFF_FFFC) + good.dropFirst(4)),
            ("a multiple of 4", word(0xFFFF_FFFF) + good.dropFirst(4)), ("a multiple of 4", word(UInt32(trie - 1)) + good.dropFirst(4)),
            ("a multiple of 4", word(0) + good.dropFirst(4)),
            ("the root of the trie is a rule", map(rule.merging([0: 0x100 | 0x1F_FFFF << 10]) { $1 })),
            ("leads to unit", map(rule.merging([0: 0x200 | offset(0x1F_FFFF)]) { $1 })),
            ("leads to unit", map(rule.merging([97: 97 | offset(300)]) { $1 })),
            ("names no replacement", map(rule.merging([3: 0x8000_0002]) { $1 })),
            ("names no replacement", map(rule.merging([3: 5]) { $1 })),
            ("names no replacement", map(rule.merging([3: 0x8000_0001]) { $1 }, texts: [0xC3, 0xA9, 0])),
            ("not ended by a zero byte", map(rule, texts: [0x41])), ("not valid UTF-8", map(rule, texts: [0xFF, 0])),
            ("leads back", map(rule.merging([97: 97 | offset(97)]) { $1 })),
        ]
        for (message, blob) in cases {
            XCTAssertThrowsError(try Charsmap(blob, name: "t"), message) {
                XCTAssertTrue("\($0)".contains(message), "\($0), not \(message)")
            }
        }
    }

    /// Whatever a byte becomes, the map is refused or works.
    func testFlippedMapsDoNotTrap() throws {
        let good = try fixtureMap()
        let texts = ["abc x\u{301}e\u{301}", "\u{1F469}\u{FB01}\u{1100}\u{1161}"].map { Array($0.utf8) }
        for at in good.indices {
            for bit in [0x01, 0x80] as [UInt8] {
                var blob = good
                blob[at] ^= bit
                guard let map = try? Charsmap(blob, name: "t") else { continue }
                for text in texts {
                    var result = text.withUnsafeBytes { RewrittenText($0, 0..<text.count) }
                    map.apply(&result)
                    _ = normalised(result.bytes, SentencePieceNormaliser(charsmap: map))
                }
            }
        }
        for length in 0..<good.count { _ = try? Charsmap(Array(good.prefix(length)), name: "t") }
    }

    func testBase64() {
        XCTAssertEqual(base64Decoded(Array("".utf8)), [])
        XCTAssertEqual(base64Decoded(Array("AP8=".utf8)), [0, 255])
        XCTAssertEqual(base64Decoded(Array("+/8A".utf8)), [0xFB, 0xFF, 0])
        XCTAssertEqual(base64Decoded(Array("AA==".utf8)), [0])
        for bad in ["A", "AAA", "A===", "====", "AB==", "AP9=", "A=AA", "AA A", "AA-_"] {
            XCTAssertNil(base64Decoded(Array(bad.utf8)), bad)
        }
    }
}
