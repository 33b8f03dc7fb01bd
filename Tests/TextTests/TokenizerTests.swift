// What every tokenizer has, whatever its file: copies for threads, added tokens read as text, the order in which a folder is searched.
import Dispatch
import Foundation
import Streams
import TestSupport
import Text
import XCTest

final class TokenizerTests: XCTestCase {
    /// Against tokenizers with a file without added tokens: Tests/oracles/tokens_decoded.py.
    func testAddedTokensAreTextWhereTheyAreNotRecognised() throws {
        for record in try records("plain.ndjson") {
            let file = try XCTUnwrap(record["file"]?.string)
            let text = try XCTUnwrap(record["text"]?.bytes)
            let tokenizer = try Tokenizer.load(fixture(file))
            tokenizer.recognisesAddedTokens = false
            for tokenizer in [tokenizer, tokenizer.duplicate()] {
                XCTAssertEqual(tokenizer.tokens(text).ids, integers(try XCTUnwrap(record["ids"])), "\(file) '\(printable(text))'")
            }
        }
    }

    /// One copy, for one thread.
    private struct Copy: @unchecked Sendable {
        let tokenizer: Tokenizer
    }

    private final class Results: @unchecked Sendable {
        private let lock = NSLock()
        private(set) var all: [[TokenSequence]] = []

        func append(_ result: [TokenSequence]) { lock.withLock { all.append(result) } }
    }

    func testCopiesGiveTheSameTokensOnTwoThreads() throws {
        let texts = try records("shapes/texts.ndjson").map { try XCTUnwrap($0.bytes) }
        for file in [
            "template.json", "normaliser-nfkc.json", "split-seed.json", "word-piece.json", "unigram-precompiled.json", "spm-unigram.model",
            "spm-bpe-rules-bytes.model", "spm-unigram-unused.model", "tekken.json", "gguf-llama.gguf",
        ] {
            let tokenizer = try Tokenizer.load(fixture("shapes/\(file)"))
            let copies = (0..<2).map { _ in Copy(tokenizer: tokenizer.duplicate()) }
            let results = Results()
            DispatchQueue.concurrentPerform(iterations: 2) { at in
                for _ in 0..<3 { results.append(texts.map { copies[at].tokenizer.tokens($0) }) }
            }
            let expected = texts.map { tokenizer.tokens($0) }
            XCTAssertEqual(results.all.count, 6)
            for result in results.all {
                XCTAssertEqual(result.map(\.ids), expected.map(\.ids), file)
                XCTAssertEqual(result.map(\.offsets), expected.map(\.offsets), file)
            }
        }
    }

    func testFolderIsSearchedInOrder() throws {
        let folder = ScratchFolder()
        defer { folder.remove() }
        func put(_ name: String, _ shape: String) throws { try folder.write("f/\(name)", contents(fixture(shape))) }
        func check(_ shape: String, line: UInt = #line) throws {
            let found = try Tokenizer.load(folder("f")).vocabularySHA256
            XCTAssertEqual(found, try Tokenizer.load(fixture(shape)).vocabularySHA256, line: line)
        }
        try put("any.gguf", "shapes/gguf-llama.gguf")
        try check("shapes/gguf-llama.gguf")
        try put("other.gguf", "shapes/gguf-mpt.gguf")
        assertRefused(status: .cannotOpen, "2 .gguf files") { try Tokenizer.load(folder("f")) }
        // Files are known by what they hold, not by their names.
        try put("any.tiktoken", "shapes/word-piece.json")
        try check("shapes/word-piece.json")
        try put("qwen.tiktoken", "shapes/unigram.json")
        try check("shapes/unigram.json")
        try put("tekken.json", "shapes/tekken.json")
        try check("shapes/tekken.json")
        try put("tokenizer.model", "shapes/spm-unigram.model")
        try check("shapes/spm-unigram.model")
        try put("tokenizer.json", "shapes/template.json")
        try check("shapes/template.json")
    }
}
