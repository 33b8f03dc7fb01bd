// The trie of byte strings finds what a dictionary finds.
import XCTest

@testable import Text

final class ByteTrieTests: XCTestCase {
    func testPrefixesAreThoseOfADictionary() throws {
        var state: UInt64 = 11
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        func word(_ length: Int) -> [UInt8] { (0..<length).map { _ in [0, 1, 97, 98, 255][random(5)] } }
        var numbers: [[UInt8]: UInt32] = [:]
        for number in 0..<3000 { numbers[word(1 + random(8))] = UInt32(number) }
        for byte in 0..<256 { numbers[[7, UInt8(byte)]] = UInt32(9000 + byte) }
        let keys = numbers.keys.sorted { $0.lexicographicallyPrecedes($1) }
        let trie = try XCTUnwrap(ByteTrie(SortedKeys(keys.map { ($0[...], numbers[$0]!) })))
        for text in keys + (0..<2000).map({ _ in word(random(12)) }) {
            var found: [UInt32] = []
            text.withUnsafeBytes { bytes in trie.forEachPrefix(bytes, 0..<bytes.count) { found.append($1) } }
            XCTAssertEqual(found, (0...text.count).compactMap { numbers[Array(text.prefix($0))] })
            if let first = text.first { XCTAssertEqual(trie.begins(with: first), keys.contains { $0.first == first }) }
        }
    }

    func testAnEmptyTrieFindsNothing() {
        for byte in 0..<256 { XCTAssertFalse(ByteTrie().begins(with: UInt8(byte))) }
        XCTAssertNil([0, 1].withUnsafeBytes { ByteTrie().longestPrefix($0, 0..<2)?.end })
        XCTAssertTrue(ByteTrie().isEmpty)
    }
}
