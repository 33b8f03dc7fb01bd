// Token shards of Megatron-LM: whole ones come back, damaged ones are refused. What numpy writes is in Tests/cli/12.
import XCTest

@testable import Streams

final class MegatronTests: XCTestCase {
    private func batch(_ documents: [[UInt32]]) -> RecordBatch {
        var batch = RecordBatch()
        for (number, ids) in documents.enumerated() { batch.append(id: Array("\(number)".utf8), inputIDs: ids) }
        return batch
    }

    private func read(_ path: String) throws -> [[UInt32]] {
        let reader = try RecordReader(ByteInput.open(path))
        var documents: [[UInt32]] = []
        while let batch = try reader.next() {
            for document in 0..<batch.documentCount { documents.append(Array(batch.inputIDs[batch.tokens(of: document)])) }
        }
        return documents
    }

    /// Without the sync of an atomic file: there are hundreds.
    private func put(_ bytes: [UInt8], _ path: String) throws {
        XCTAssertTrue(FileManager.default.createFile(atPath: path, contents: Data(bytes)))
    }

    func testRoundTrip() throws {
        // Longer than a batch, longer than a piece, empty.
        let tables: [[[UInt32]]] = [
            [], [[]], [[1]], [[], [5, 6], []], [Array(0..<65_000), Array(0..<3)], [Array(repeating: 65_535, count: 200_000), [], [7]],
            (0..<20_000).map { [$0, $0 + 1] },
        ]
        try withScratchFolder { folder in
            for documents in tables {
                for size in [nil, 65_499, 65_500, 200_000] {
                    let writer = try MegatronWriter(prefix: folder + "/shard", vocabularySize: size)
                    // In two batches.
                    let half = documents.count / 2
                    try writer.write(batch(Array(documents[..<half])))
                    try writer.write(batch(Array(documents[half...])))
                    try writer.finish()
                    XCTAssertEqual(writer.documentCount, documents.count)
                    XCTAssertEqual(try read(folder + "/shard.idx"), documents)
                    let width = size == 65_499 ? 2 : 4
                    XCTAssertEqual(try contents(folder + "/shard.bin").count, documents.map(\.count).reduce(0, +) * width)
                }
            }
        }
    }

    func testIdsTooLargeForTheirType() throws {
        try withScratchFolder { folder in
            for (id, size) in [(65_536, 60_000), (1 << 31, nil)] as [(UInt32, Int?)] {
                let writer = try MegatronWriter(prefix: folder + "/shard", vocabularySize: size)
                expectFailure(.badData, "the id \(id)") { try writer.write(batch([[1], [id]])) }
            }
        }
    }

    func testEveryFlipAndEveryCutIsRefusedOrHarmless() throws {
        try withScratchFolder { folder in
            let documents: [[UInt32]] = [[1, 2, 3], [], [400, 500]]
            let writer = try MegatronWriter(prefix: folder + "/whole", vocabularySize: 1000)
            try writer.write(batch(documents))
            try writer.finish()
            let index = try contents(folder + "/whole.idx")
            try put(contents(folder + "/whole.bin"), folder + "/bad.bin")
            let tables = index.count - 8 * (documents.count + 1)
            for at in index.indices {
                for bit in [0, 3, 7] {
                    var bad = index
                    bad[at] ^= 1 << UInt8(bit)
                    try put(bad, folder + "/bad.idx")
                    do {
                        // Only the grouping of sequences, which records do not have, may change unseen.
                        let found = try read(folder + "/bad.idx")
                        XCTAssertEqual(found, documents)
                        XCTAssertGreaterThanOrEqual(at, tables, "byte \(at), bit \(bit)")
                    } catch let failure as Failure {
                        XCTAssertEqual(failure.status, .badData, "byte \(at): \(failure)")
                    }
                }
                try put(Array(index[..<at]), folder + "/bad.idx")
                expectFailure(.badData) { try read(folder + "/bad.idx") }
            }
        }
    }
}
