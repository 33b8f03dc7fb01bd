// Files that the tests of this module read, and the shape of their expected values.
import Foundation
import Streams
import Text
import XCTest

/// A file under Tests/fixtures/text.
func fixture(_ name: String) -> String {
    (#filePath as String).replacingOccurrences(of: "TextTests/TextTestSupport.swift", with: "fixtures/text/\(name)")
}

/// A real vocabulary in the cache; its absence fails the test.
func asset(_ name: String) throws -> String {
    let environment = ProcessInfo.processInfo.environment
    let cache = environment["PRECEPTOR_CACHE"] ?? "\(environment["HOME"] ?? "")/.cache/preceptor"
    let path = "\(cache)/\(name)"
    struct Missing: Error, CustomStringConvertible { let description: String }
    guard FileManager.default.isReadableFile(atPath: path) else {
        throw Missing(description: "\(path) is missing: run scripts/fetch-assets once")
    }
    return path
}

/// The bytes of a file.
func contents(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }

/// The lines of an NDJSON fixture.
func records(_ name: String) throws -> [JSONValue] {
    let path = fixture(name)
    return try contents(path).split(separator: UInt8(ascii: "\n")).map { try JSONValue.parse(Array($0), name: path) }
}

func integers(_ value: JSONValue) -> [UInt32] { value.elements.map { UInt32($0.integer!) } }

extension Tokenizer {
    func tokens(_ text: [UInt8]) -> TokenSequence {
        var tokens = TokenSequence()
        text.withUnsafeBytes { encode($0, into: &tokens) }
        return tokens
    }

    func tokens(_ text: String) -> TokenSequence { tokens(Array(text.utf8)) }
}

/// Fails where ids, spans or the count of dropped bytes differ.
func assertTokens(
    _ tokens: TokenSequence, _ ids: [UInt32], _ offsets: [UInt32], dropped: Int = 0, _ text: [UInt8], title: String = "",
    file: StaticString = #filePath, line: UInt = #line
) {
    let title = "\(title) '\(printable(text, limit: 200))'"
    XCTAssertEqual(tokens.ids, ids, title, file: file, line: line)
    XCTAssertEqual(tokens.offsets, offsets, title, file: file, line: line)
    XCTAssertEqual(tokens.droppedBytes, dropped, title, file: file, line: line)
}
