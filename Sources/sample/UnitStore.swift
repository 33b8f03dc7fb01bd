// Rows of units in a spool: 48 bytes and the id.

import Selection
import Streams

/// Units kept aside in their order.
final class UnitStore {
    private let spool: Spool

    private struct Row {
        var teacher: Double
        var reference: Double
        var textHash: UInt64
        var content: UInt64
        var tokens: UInt64
        var scored: UInt32
        /// Bytes of the id, times two, and one more where there is a text hash.
        var id: UInt32
    }

    init(memory: Int, folder: String?) {
        spool = Spool(memory: memory, folder: folder)
    }

    func append(_ unit: ScoredUnit) throws {
        var row = Row(
            teacher: unit.score.teacher, reference: unit.score.reference, textHash: unit.textHash ?? 0, content: unit.content,
            tokens: UInt64(unit.tokens), scored: UInt32(unit.score.scored),
            id: UInt32(unit.id.count) << 1 | (unit.textHash == nil ? 0 : 1))
        try withUnsafeBytes(of: &row) { try spool.append($0) }
        try unit.id.withUnsafeBytes { try spool.append($0) }
    }

    func reader() throws -> Reader { Reader(rows: try spool.reader()) }

    struct Reader {
        fileprivate var rows: Spool.Reader

        mutating func next() throws -> ScoredUnit? {
            var row = Row(teacher: 0, reference: 0, textHash: 0, content: 0, tokens: 0, scored: 0, id: 0)
            guard try withUnsafeMutableBytes(of: &row, { try rows.read(into: $0) }) else { return nil }
            let length = Int(row.id >> 1)
            var id = [UInt8](repeating: 0, count: length)
            if length > 0 { _ = try id.withUnsafeMutableBytes { try rows.read(into: $0) } }
            let score = PairScore(teacher: row.teacher, reference: row.reference, scored: Int(row.scored))
            return ScoredUnit(
                id: id, score: score, tokens: Int(row.tokens), textHash: row.id & 1 == 1 ? row.textHash : nil, content: row.content)
        }
    }
}
