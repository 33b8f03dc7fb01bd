// The two streams of scores side by side, unit by unit, and the checks that they are over the same tokens.

import Selection
import Streams

/// One unit as both streams have it.
struct ScoredUnit {
    let id: [UInt8]
    let score: PairScore
    let tokens: Int
    let textHash: UInt64?
    /// XXH64 of the ids.
    let content: UInt64
}

/// Teacher's and reference's scores in step.
struct ScorePairs {
    let unit: Unit
    /// The teacher's.
    var header: StreamHeader { teacher.reader.header }
    /// Whether both streams held the same score for every token so far.
    private(set) var areIdentical = true
    let allowsSameModel: Bool
    var names: (teacher: String, reference: String) { (teacher.reader.name, reference.reader.name) }

    private static let cure = "both streams must come from one and the same token stream, in the same order"
    private var teacher: DocumentCursor
    private var reference: DocumentCursor
    private let rule: PairScore.Rule

    /// Opens both and compares their headers.
    init(teacher: String, reference: String, unit: Unit?, trust: TrustOptions) throws {
        let readers = try [teacher, reference].map { try RecordReader(ByteInput.open($0), expecting: [.scores]) }
        self.teacher = DocumentCursor(readers[0])
        self.reference = DocumentCursor(readers[1])
        allowsSameModel = trust.allowSameModel
        let header = readers[0].header
        self.unit = unit ?? (header["packed"] == nil ? .document : .chunk)
        switch self.unit {
        case .document: rule = .document
        case .chunk:
            guard header["packed"] != nil else {
                throw Failure(
                    .badData, readers[0].name, "holds documents, not packed chunks: its header has no 'packed'",
                    hint: "make chunks with 'tokenize --pack 1025', or choose --unit document")
            }
            rule = .chunk(separator: header.tokenID("separator_id"))
        }
        try checkHeaders()
        try checkModels(trust)
    }

    private func checkHeaders() throws {
        let (mine, its) = (teacher.reader.header, reference.reader.header)
        for key in ["vocabulary_sha256", "vocabulary_size", "packed", "separator_id", "special_tokens"] {
            guard let here = mine[key], let there = its[key], here != there else { continue }
            throw Failure(
                .badData, names.reference,
                "other tokens than the teacher's: '\(key)' is \(printable(there)), in \(names.teacher) \(printable(here))",
                hint: "teacher and reference must have one vocabulary: their losses per token are compared")
        }
    }

    private func checkModels(_ trust: TrustOptions) throws {
        let key = "model_sha256"
        let (mine, its) = (teacher.reader.header[key], reference.reader.header[key])
        for (wanted, found, name) in [(trust.teacherSha256, mine, names.teacher), (trust.referenceSha256, its, names.reference)] {
            guard let wanted, wanted != found else { continue }
            throw Failure(
                .badData, name, "scores of another model: '\(key)' is \(found.map { printable($0) } ?? "absent"), expected \(wanted)")
        }
        guard let mine, mine == its, !trust.allowSameModel else { return }
        throw Failure(
            .badData, names.reference, "scores of the same model as in \(names.teacher): '\(key)' is \(printable(mine)) in both",
            hint: "every difference would be 0; --allow-same-model accepts it")
    }

    /// The next unit, or nil at the end of both streams.
    mutating func next() throws -> ScoredUnit? {
        let goesOn = try teacher.advance()
        guard try reference.advance() == goesOn else {
            throw goesOn ? ended(reference, before: teacher) : ended(teacher, before: reference)
        }
        guard goesOn else { return nil }
        try checkPair()
        let (mine, its) = (teacher.tokens, reference.tokens)
        // Records of kind scores have them.
        let (losses, others) = (teacher.batch.logProbs![mine], reference.batch.logProbs![its])
        let ids = teacher.batch.inputIDs[mine]
        if areIdentical { areIdentical = losses.elementsEqual(others) { $0.bitPattern == $1.bitPattern } }
        let score: PairScore
        do throws(PairScore.Missing) {
            score = try PairScore(ids: ids, teacher: losses, reference: others, rule: rule)
        } catch {
            throw failure(
                error.ofTeacher ? teacher : reference, "\(named(teacher.id)): token \(error.token) has no score",
                hint: "only a token with nothing before it may lack one")
        }
        return ScoredUnit(
            id: teacher.id, score: score, tokens: ids.count,
            textHash: teacher.batch.textHashes?[teacher.index] ?? reference.batch.textHashes?[reference.index],
            content: ids.withUnsafeBytes { XXH64.hash($0) })
    }

    private func checkPair() throws {
        guard teacher.id == reference.id else {
            throw failure(
                reference, "\(unit.rawValue) \(reference.count) is \(quoted(reference.id)), in \(names.teacher) it is \(quoted(teacher.id))"
            )
        }
        if let mine = teacher.batch.textHashes?[teacher.index], let its = reference.batch.textHashes?[reference.index], mine != its {
            throw failure(reference, "\(named(teacher.id)) has another text than in \(names.teacher)")
        }
        guard teacher.batch.inputIDs[teacher.tokens] == reference.batch.inputIDs[reference.tokens] else {
            throw failure(reference, "\(named(teacher.id)) has other tokens than in \(names.teacher)")
        }
    }

    /// After the last unit: refuses streams that hold the same score for every token.
    func expectTwoModels(scored: Int) throws {
        guard areIdentical, scored > 0, !allowsSameModel else { return }
        throw Failure(
            .badData, names.reference, "the same score for every token as in \(names.teacher)",
            hint: "these are scores of one model; --allow-same-model accepts them")
    }

    private func ended(_ short: DocumentCursor, before long: DocumentCursor) -> Failure {
        Failure(
            .badData, short.reader.name,
            "ends after \(short.count) \(unit.plural), but \(long.reader.name) goes on with \(quoted(long.id))", hint: ScorePairs.cure)
    }

    private func failure(_ cursor: DocumentCursor, _ message: String, hint: String = ScorePairs.cure) -> Failure {
        Failure(.badData, cursor.reader.name, cursor.reader.place(ofDocument: cursor.index), message, hint: hint)
    }

    private func named(_ id: [UInt8]) -> String { "\(unit.rawValue) \(quoted(id))" }
}
