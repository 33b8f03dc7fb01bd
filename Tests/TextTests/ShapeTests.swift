// A tiny vocabulary for every format and component, against tokenizers, tiktoken and sentencepiece: Tests/oracles/tokens_shapes.py.
import Foundation
import Streams
import TestSupport
import Text
import XCTest

final class ShapeTests: XCTestCase {
    private let folder = ScratchFolder()

    override func tearDown() { folder.remove() }

    private struct Case {
        let name: String
        let path: String
        let size: Int
        let adds: [[UInt32]]
        /// ids and steps of each text; nil where there is no expectation.
        let tokens: [(ids: [UInt32], steps: [Int])?]
    }

    private func cases() throws -> [Case] {
        let names = try FileManager.default.contentsOfDirectory(atPath: fixture("shapes")).filter { $0.hasSuffix(".expected") }.sorted()
        return try names.map { name in
            let lines = try records("shapes/\(name)")
            let file = try XCTUnwrap(lines[0]["file"]?.string)
            return Case(
                name: String(name.dropLast(".expected".count)), path: fixture("shapes/\(file)"),
                size: try XCTUnwrap(lines[0]["size"]?.integer), adds: try XCTUnwrap(lines[0]["adds"]).elements.map(integers),
                tokens: lines.dropFirst().map { $0.isNull ? nil : (integers($0[0]), $0[1].elements.map { $0.integer! }) })
        }
    }

    /// A file of ranks is filled up to the number by which its split pattern is known, with tokens that no text holds.
    private func load(_ shape: Case) throws -> Tokenizer {
        guard shape.name.hasPrefix("ranks-") else { return try Tokenizer.load(shape.path) }
        var bytes = try contents(shape.path)
        for rank in bytes.filter({ $0 == 0x0A }).count..<shape.size {
            let token = [0xFF, 0xFF, UInt8(rank >> 16), UInt8(rank >> 8 & 0xFF), UInt8(rank & 0xFF)]
            bytes += Array("\(Data(token).base64EncodedString()) \(rank)\n".utf8)
        }
        return try Tokenizer.load(folder.write(shape.name, bytes))
    }

    func testEveryShapeIsThatOfItsPeer() throws {
        let texts = try records("shapes/texts.ndjson").map { try XCTUnwrap($0.bytes) }
        let shapes = try cases()
        XCTAssertEqual(shapes.count, 100)
        for shape in shapes {
            let tokenizer = try load(shape)
            XCTAssertEqual(tokenizer.vocabularySize, shape.size, shape.name)
            XCTAssertEqual(shape.tokens.count, texts.count, shape.name)
            for (text, expected) in zip(texts, shape.tokens) {
                guard let expected else { continue }
                let tokens = tokenizer.tokens(text)
                let title = "\(shape.name) '\(printable(text, limit: 100))'"
                XCTAssertEqual(tokens.ids, expected.ids, title)
                if tokens.ids == expected.ids { XCTAssertEqual(steps(tokens.offsets), expected.steps, title) }
            }
        }
    }

    /// Bytes from the end of the token before to the start, and from the start to the end.
    private func steps(_ offsets: [UInt32]) -> [Int] {
        var end = 0
        return stride(from: 0, to: offsets.count, by: 2).flatMap { at in
            defer { end = Int(offsets[at + 1]) }
            return [Int(offsets[at]) - end, Int(offsets[at + 1]) - Int(offsets[at])]
        }
    }

    /// What post-processors put around a text.
    func testSpecialTokensAreThoseOfThePeer() throws {
        for shape in try cases() where shape.path.hasSuffix(".json") && !shape.path.hasSuffix("tekken.json") {
            let tokenizer = try load(shape)
            XCTAssertEqual(tokenizer.prefix, shape.adds[0], shape.name)
            XCTAssertEqual(tokenizer.suffix, shape.adds[1], shape.name)
            XCTAssertEqual(tokenizer.addsBOS ? tokenizer.bosID : nil, shape.adds[0].first, shape.name)
            XCTAssertEqual(tokenizer.addsEOS ? tokenizer.eosID : nil, shape.adds[1].last, shape.name)
        }
    }
}
