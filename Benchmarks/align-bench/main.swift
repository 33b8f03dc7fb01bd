// Times alignment alone: two streams of tokens are read, then every document is aligned, in a fresh process, one thread.
//
//     align-bench STUDENT.tokens TEACHER.tokens
//
// The teacher's log-probability of token t is -(t % 1000) / 100. One line: bytes of text, tokens of the student, seconds for the ranges
// alone, seconds for ranges and largest losses, seconds for reading, and sums over all tokens by which another program can tell that it
// has the same: of 1 · first + 3 · end of each range, and of the losses.

import Glibc
import Streams
import Text

func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// One document's spans of both sides, and the teacher's log-probabilities.
struct Pair {
    let student: [UInt32]
    let teacher: [UInt32]
    let logProbs: [Float]
}

func pairs(_ student: String, _ teacher: String) throws -> [Pair] {
    var mine = DocumentCursor(try RecordReader(ByteInput.open(student), expecting: [.tokens]))
    var its = DocumentCursor(try RecordReader(ByteInput.open(teacher), expecting: [.tokens]))
    var pairs: [Pair] = []
    func spans(_ cursor: DocumentCursor) -> [UInt32] {
        Array(cursor.batch.offsets![2 * cursor.tokens.lowerBound..<2 * cursor.tokens.upperBound])
    }
    while try mine.advance() {
        guard try its.advance(), mine.id == its.id else { throw Failure(.badData, teacher, "other documents than in \(student)") }
        let logProbs = its.batch.inputIDs[its.tokens].map { -Float($0 % 1000) / 100 }
        pairs.append(Pair(student: spans(mine), teacher: spans(its), logProbs: logProbs))
    }
    return pairs
}

/// Seconds for all documents, each into memory that is used again.
func time(_ pairs: [Pair], _ body: (Pair, inout [UInt32], inout [Float], inout AlignmentStatistics) -> Void) -> (Double, UInt64, Double) {
    var ranges: [UInt32] = []
    var losses: [Float] = []
    var statistics = AlignmentStatistics()
    var (seconds, sum, lossSum) = (0.0, UInt64(0), 0.0)
    for pair in pairs {
        ranges.removeAll(keepingCapacity: true)
        losses.removeAll(keepingCapacity: true)
        let begin = now()
        body(pair, &ranges, &losses, &statistics)
        seconds += now() - begin
        for at in stride(from: 0, to: ranges.count, by: 2) { sum &+= UInt64(ranges[at]) &+ 3 &* UInt64(ranges[at + 1]) }
        for loss in losses where !loss.isNaN { lossSum += Double(loss) }
    }
    return (seconds, sum, lossSum)
}

func align(_ pair: Pair, _ ranges: inout [UInt32], _ statistics: inout AlignmentStatistics) {
    pair.student.withUnsafeBufferPointer { student in
        pair.teacher.withUnsafeBufferPointer { alignRanges(student: student, teacher: $0, into: &ranges, counting: &statistics) }
    }
}

func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 3 else {
        print("usage: align-bench STUDENT.tokens TEACHER.tokens")
        exit(64)
    }
    let start = now()
    let pairs = try pairs(arguments[1], arguments[2])
    let read = now() - start
    let bytes = pairs.reduce(0) { $0 + Int($1.student.last ?? 0) }
    let tokens = pairs.reduce(0) { $0 + $1.student.count / 2 }
    let (rangeSeconds, sum, _) = time(pairs) { align($0, &$1, &$3) }
    let (lossSeconds, _, lossSum) = time(pairs) { pair, ranges, losses, statistics in
        align(pair, &ranges, &statistics)
        ranges.withUnsafeBufferPointer { ranges in
            pair.logProbs.withUnsafeBufferPointer { aggregateLosses(ranges: ranges, logProbs: $0, by: .max, into: &losses) }
        }
    }
    print(
        "bytes \(bytes) tokens \(tokens) ranges_s \(rangeSeconds) losses_s \(lossSeconds) read_s \(read) range_sum \(sum) loss_sum \(lossSum)"
    )
}

do { try main() } catch {
    print(error)
    exit(65)
}
