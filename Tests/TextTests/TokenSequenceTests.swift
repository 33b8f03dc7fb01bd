// What is done to tokens that stand behind those of other documents.

import XCTest

@testable import Text

final class TokenSequenceTests: XCTestCase {
    private func sequence(_ tokens: [(id: UInt32, start: Int, end: Int)]) -> TokenSequence {
        var result = TokenSequence()
        for token in tokens { result.append(token.id, token.start, token.end) }
        return result
    }

    func testTokensThatTouchBecomeOne() {
        // Tokens before the third are another document's, though the last of them ends where the next begins.
        var tokens = sequence([(7, 0, 2), (7, 2, 3), (7, 3, 4), (7, 4, 6), (7, 7, 8), (5, 8, 9), (7, 9, 10), (7, 10, 11), (7, 11, 12)])
        tokens.fuse(7, from: 2)
        XCTAssertEqual(tokens.ids, [7, 7, 7, 7, 5, 7])
        XCTAssertEqual(tokens.offsets, [0, 2, 2, 3, 3, 6, 7, 8, 8, 9, 9, 12])
        tokens.fuse(5, from: 0)
        XCTAssertEqual(tokens.ids, [7, 7, 7, 7, 5, 7])
        tokens.fuse(7, from: 6)
        XCTAssertEqual(tokens.offsets, [0, 2, 2, 3, 3, 6, 7, 8, 8, 9, 9, 12])
    }
}
