// Work on pieces by threads: order kept, failures decided by order, memory bounded, corpora cut anywhere.
import Glibc
import Synchronization
import XCTest

@testable import Streams

final class OrderedWorkTests: XCTestCase {
    private struct Trouble: Error, Equatable {
        let number: Int
    }

    /// What has been written, counted for another thread to read.
    private final class Count: Sendable {
        let value = Atomic<Int>(0)
    }

    /// Runs 0..<count through work of uneven length; `reading`, `working`, `writing` name the numbers that fail there.
    private func run(_ count: Int, threads: Int, reading: Int = -1, working: [Int] = [], writing: Int = -1) -> (
        written: [Int], trouble: Trouble?
    ) {
        var next = 0
        var written: [Int] = []
        var most = 0
        let writtenCount = Count()
        let work = OrderedWork<Int, Int>(
            threads: threads,
            next: {
                if next == reading { throw Trouble(number: next) }
                guard next < count else { return nil }
                next += 1
                most = max(most, next - writtenCount.value.load(ordering: .acquiring))
                return next - 1
            },
            worker: {
                { piece in
                    if piece % 7 == 0 { usleep(300) }
                    if working.contains(piece) { throw Trouble(number: piece) }
                    return piece
                }
            },
            write: {
                if $0 == writing { throw Trouble(number: $0) }
                written.append($0)
                writtenCount.value.add(1, ordering: .releasing)
            })
        do { try work.run() } catch { return (written, error as? Trouble) }
        XCTAssertLessThanOrEqual(most, 2 * threads + 3)
        return (written, nil)
    }

    func testOrderIsKept() {
        for threads in [1, 2, 3, 8] {
            for count in [0, 1, 2, 300] {
                let (written, trouble) = run(count, threads: threads)
                XCTAssertEqual(written, Array(0..<count))
                XCTAssertNil(trouble)
            }
        }
    }

    func testTheFirstFailureInOrderDecides() {
        for threads in [1, 2, 4] {
            for _ in 0..<20 {
                let (written, trouble) = run(300, threads: threads, working: [101, 77, 102])
                XCTAssertEqual(written, Array(0..<77))
                XCTAssertEqual(trouble, Trouble(number: 77))
            }
            XCTAssertEqual(run(300, threads: threads, reading: 50, working: [60]).trouble, Trouble(number: 50))
            XCTAssertEqual(run(300, threads: threads, reading: 50, working: [49]).trouble, Trouble(number: 49))
            let (written, trouble) = run(300, threads: threads, working: [90], writing: 30)
            XCTAssertEqual(written, Array(0..<30))
            XCTAssertEqual(trouble, Trouble(number: 30))
        }
    }

    // MARK: Chunks of a corpus

    private func lines(_ text: [UInt8], size: Int, limit: Int, slow: Bool) throws -> (lines: [[UInt8]], refused: [Int]) {
        let source = slow ? slowInput(text) : input(text)
        var all: [UInt8] = []
        var refused: [Int] = []
        while true {
            do {
                guard let lines = try source.lines(upTo: size, limit: limit) else { break }
                XCTAssertFalse(lines.isEmpty)
                all += lines
            } catch let failure as Failure {
                guard case .lineByte(1, let byte) = failure.place else { throw failure }
                refused.append(byte)
                var length = 0
                while let part = try source.partOfLongLine() { length += part.count }
                XCTAssertGreaterThan(length, limit)
            }
        }
        XCTAssertEqual(source.offset, text.count)
        return (all.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init), refused)
    }

    func testLinesInChunksAreTheLines() throws {
        let text = Array("a\n\nbcd\nefghijklmnop\nq\r\n\nrstuvwxyz".utf8)
        let expected = text.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
        for slow in [false, true] {
            for size in [1, 2, 3, 5, 12, 13, 14, 100] {
                let (found, refused) = try lines(text, size: size, limit: 100, slow: slow)
                XCTAssertEqual(found, expected)
                XCTAssertEqual(refused, [])
                if size < 12 {
                    let (rest, refused) = try lines(text, size: size, limit: 11, slow: slow)
                    XCTAssertEqual(rest, expected.filter { $0.count < 12 })
                    XCTAssertEqual(refused, [7])
                }
            }
        }
    }

    func testRecordsAreCutBehindTheDocumentThatFillsThem() throws {
        func cut(_ batches: [RecordBatch], tokens: Int) throws -> [UInt8] {
            try written { output in
                let writer = try RecordWriter(output, header: StreamHeader(.tokens), encoding: .tensor)
                let cutter = RecordCutter(writer, tokens: tokens)
                for batch in batches { try cutter.add(batch) }
                try cutter.flush()
                try writer.finish()
            }
        }
        let lengths = [0, 3, 1, 0, 0, 9, 2, 2, 2, 0, 40, 1, 0]
        func batch(_ documents: Range<Int>) -> RecordBatch {
            var batch = RecordBatch()
            for document in documents {
                let ids = (0..<UInt32(lengths[document])).map { $0 + UInt32(document) * 100 }
                batch.append(
                    id: Array("\(document)".utf8), inputIDs: ids, offsets: ids.flatMap { [$0, $0 + 1] }, textHash: UInt64(document))
            }
            return batch
        }
        for tokens in [1, 2, 4, 5, 1000] {
            // One document at a time is the definition.
            let expected = try cut(lengths.indices.map { batch($0..<$0 + 1) }, tokens: tokens)
            for size in 1...lengths.count {
                let batches = stride(from: 0, to: lengths.count, by: size).map { batch($0..<min($0 + size, lengths.count)) }
                XCTAssertEqual(try cut(batches, tokens: tokens), expected, "\(size) documents a batch, \(tokens) tokens")
            }
        }
    }
}
