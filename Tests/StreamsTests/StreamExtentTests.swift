// The extent of a stream by its headers: right for whole streams, nothing for anything else.
import TestSupport
import XCTest

@testable import Streams

final class StreamExtentTests: XCTestCase {
    /// A record for each of the numbers, with so many documents of 3, 4, ... tokens.
    private func stream(_ counts: [Int], _ encoding: RecordEncoding = .tensor) throws -> [UInt8] {
        try written { output in
            let writer = try RecordWriter(output, header: StreamHeader(.tokens), encoding: encoding)
            for count in counts {
                var batch = RecordBatch()
                for number in 0..<count { batch.append(id: [UInt8(ascii: "a")], inputIDs: (0..<UInt32(3 + number))) }
                try writer.write(batch)
            }
            try writer.finish()
        }
    }

    private func extent(_ bytes: [UInt8]) throws -> StreamExtent? {
        let folder = ScratchFolder()
        return StreamExtent.read(try folder.write("stream", bytes))
    }

    func testWholeStreamsAreCounted() throws {
        let one = try stream([2, 1])
        let found = try XCTUnwrap(extent(one))
        XCTAssertEqual([found.documents, found.tokens, found.bytes], [3, 10, one.count])
        let two = try XCTUnwrap(extent(one + stream([])))
        XCTAssertEqual([two.documents, two.tokens], [3, 10])
    }

    func testCutOrOtherFilesHaveNone() throws {
        let whole = try stream([2, 1])
        // Behind the header and the two records nothing is missing that headers tell.
        var ends = 0
        for cut in 0..<whole.count where try extent(Array(whole[..<cut])) != nil { ends += 1 }
        XCTAssertEqual(ends, 3)
        XCTAssertNil(try extent(stream([1], .ndjson)))
        XCTAssertNil(try extent([UInt8](repeating: 0xFF, count: 100)))
        XCTAssertNil(StreamExtent.read("/dev/null"))
        XCTAssertNil(StreamExtent.read("/absent"))
    }

    /// Damage may change what is told, and must not trap.
    func testEveryByteFlipped() throws {
        let whole = try stream([2])
        for at in whole.indices {
            var damaged = whole
            damaged[at] ^= 0x10
            if let found = try extent(damaged) { XCTAssertEqual(found.bytes, whole.count) }
        }
    }
}
