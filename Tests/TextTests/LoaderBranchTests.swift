// Tiny vocabularies, one for each branch of the loaders, against tokenizers and sentencepiece: Tests/oracles/tokens_branches.py.
import Streams
import TestSupport
import Text
import XCTest

final class LoaderBranchTests: XCTestCase {
    func testEveryBranchIsThatOfItsPeer() throws {
        var tokenizers: [String: Tokenizer] = [:]
        for record in try records("branches/branches.ndjson") {
            let file = try XCTUnwrap(record["file"]?.string)
            if tokenizers[file] == nil { tokenizers[file] = try Tokenizer.load(fixture("branches/\(file)")) }
            let text = try XCTUnwrap(record["text"]?.bytes)
            let tokens = try XCTUnwrap(tokenizers[file]).tokens(text)
            let ids = integers(try XCTUnwrap(record["ids"]))
            assertTokens(
                tokens, ids, integers(try XCTUnwrap(record["offsets"])), dropped: record["dropped"]?.integer ?? -1, text, title: file)
        }
        XCTAssertEqual(tokenizers.count, 23)
    }

    func testTemplatesAskForSpecialTokens() throws {
        for name in ["byte-level-added", "metaspace-first"] {
            let tokenizer = try Tokenizer.load(fixture("branches/\(name).json"))
            XCTAssertTrue(tokenizer.addsBOS && tokenizer.addsEOS, name)
            XCTAssertEqual(tokenizer.bytes(of: try XCTUnwrap(tokenizer.bosID)), Array("<s>".utf8))
            XCTAssertEqual(tokenizer.bytes(of: try XCTUnwrap(tokenizer.eosID)), Array("</s>".utf8))
        }
        let plain = try Tokenizer.load(fixture("branches/byte-level.json"))
        XCTAssertFalse(plain.addsBOS || plain.addsEOS)
    }
}
