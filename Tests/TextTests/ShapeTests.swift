// A tiny vocabulary for every format and component, against tokenizers, tiktoken and sentencepiece: Tests/oracles/tokens_shapes.py.
import Foundation
import Streams
import TestSupport
import Text
import XCTest

final class ShapeTests: XCTestCase {
    /// Vocabularies that may still be refused, with status 65. Delete a line when its kind is supported: from then on it must be exact.
    private static let notYet: Set<String> = []

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

    /// A vocabulary, or nil where it is refused as it may be.
    private func load(_ shape: Case) throws -> Tokenizer? {
        do {
            return try Tokenizer.load(shape.path)
        } catch let failure as Failure {
            XCTAssertEqual(failure.status, .badData, shape.name)
            XCTAssert(Self.notYet.contains(shape.name), "\(shape.name) is refused: \(failure)")
            return nil
        }
    }

    func testEveryShapeIsThatOfItsPeer() throws {
        let texts = try records("shapes/texts.ndjson").map { try XCTUnwrap($0.bytes) }
        var loaded = 0
        let shapes = try cases()
        XCTAssertEqual(Self.notYet.subtracting(shapes.map(\.name)), [])
        for shape in shapes {
            guard let tokenizer = try load(shape) else { continue }
            loaded += 1
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
        XCTAssertGreaterThanOrEqual(loaded, shapes.count - Self.notYet.count)
    }

    /// Bytes from the end of the token before to the start, and from the start to the end.
    private func steps(_ offsets: [UInt32]) -> [Int] {
        var end = 0
        return stride(from: 0, to: offsets.count, by: 2).flatMap { at in
            defer { end = Int(offsets[at + 1]) }
            return [Int(offsets[at]) - end, Int(offsets[at + 1]) - Int(offsets[at])]
        }
    }

    /// What post-processors put around a text, where that is one token on a side.
    func testSpecialTokensAreThoseOfThePeer() throws {
        for shape in try cases() where shape.path.hasSuffix(".json") && !shape.path.hasSuffix("tekken.json") {
            guard let tokenizer = try load(shape) else { continue }
            XCTAssertEqual(tokenizer.addsBOS ? [try XCTUnwrap(tokenizer.bosID)] : [], shape.adds[0], shape.name)
            XCTAssertEqual(tokenizer.addsEOS ? [try XCTUnwrap(tokenizer.eosID)] : [], shape.adds[1], shape.name)
        }
    }
}
