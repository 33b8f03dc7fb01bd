// What a run learns from the teacher, taken out of records: losses, lists, temperatures, groups.

import Compute
import Glibc
import Streams

/// Which columns a run needs of its records, and how they become what the loss reads.
struct TeacherSignals {
    /// Every record must carry the teacher's losses.
    var losses = false
    var divergence: Distillation.Divergence?
    var lists = ListKind.top
    var rule = TemperatureRule.constant
    var temperature = 1.0

    /// Adds what the records say to a document that has their tokens `tokens`.
    struct Columns {
        fileprivate var losses: [Float]?
        fileprivate var lists: SparseRows?
        fileprivate var temperatures: [Float]?
        fileprivate var weights: [Float]?
        fileprivate var groups: (numbers: [UInt32], logProbs: [Float])?

        func fill(_ document: inout TrainingDocument, _ tokens: Range<Int>) {
            document.teacherLosses = losses?[tokens]
            document.lists = lists.map { ($0, tokens) }
            document.temperatures = temperatures?[tokens]
            document.divergenceWeights = weights?[tokens]
            document.groups = groups.map { ($0.numbers[tokens], $0.logProbs[tokens]) }
        }
    }

    /// Throws 65 where a column is missing or does not fit the vocabulary of the model.
    func columns(of records: RecordBatch, _ origin: RecordOrigin, vocabularySize: Int) throws -> Columns {
        var columns = Columns()
        if losses { columns.losses = try teacherLosses(records, origin) }
        guard let divergence else { return columns }
        if divergence.isOfGroups {
            columns.groups = try teacherGroups(records, origin)
            return columns
        }
        let lists = try teacherLists(records, origin, vocabularySize)
        switch rule {
        case .constant: break
        case .normKD: columns.temperatures = try scaled(records.logitDeviations, "logit_deviations", origin)
        case .adaKD: columns.temperatures = try scaled(records.entropies, "entropies", origin)
        case .wttm: columns.weights = try powerSums(records, lists, origin)
        }
        columns.lists = lists
        return columns
    }

    /// The losses of a teacher of another vocabulary, aligned, or of a reference model of the same one, whose scores these are (Rho-1).
    private func teacherLosses(_ records: RecordBatch, _ origin: RecordOrigin) throws -> [Float] {
        if let losses = records.teacherLosses { return losses }
        // What aligned records carry beside are the student's own scores.
        if origin.header.stream != .aligned, let logProbs = records.logProbs { return logProbs.map { -$0 } }
        throw failure(
            origin, "records without 'teacher_losses' or 'log_probs'",
            "guided training reads aligned records, or scores of a model with the same vocabulary: align STUDENT TEACHER | train --loss guided …"
        )
    }

    private func teacherGroups(_ records: RecordBatch, _ origin: RecordOrigin) throws -> ([UInt32], [Float]) {
        guard let numbers = records.groups, let logProbs = records.teacherGroupLogProbs else {
            throw failure(
                origin, "records without 'groups' and 'teacher_group_log_probs'", "align --groups STUDENT TEACHER | train --distill alm …")
        }
        return (numbers, logProbs)
    }

    /// The teacher's lists as ids of the student's vocabulary: scores of the same vocabulary, or carried over by `align`. ULD looks at no ids.
    private func teacherLists(_ records: RecordBatch, _ origin: RecordOrigin, _ vocabularySize: Int) throws -> SparseRows {
        var rows = SparseRows()
        if lists == .sampled {
            guard let drawn = records.sampled else {
                throw failure(origin, "records without drawn ids", "score with 'teacher-score --sampled N'")
            }
            (rows.splits, rows.ids, rows.values) = (drawn.splits, drawn.ids, drawn.values.map { log($0) })
        } else if divergence == .uld, let own = records.teacherList {
            (rows.splits, rows.ids, rows.values) = (own.splits, [UInt32](repeating: 0, count: own.ids.count), own.values)
        } else if let entries = records.teacherTop ?? records.top {
            (rows.splits, rows.ids, rows.values) = (entries.splits, entries.ids, entries.values)
        } else {
            throw failure(
                origin, "records without a teacher's lists of probable tokens",
                "score with 'teacher-score --top-k N'; 'align --lists' (for uld) or 'align --student-tokenizer PATH --teacher-tokenizer PATH' brings lists over to another vocabulary"
            )
        }
        if let id = rows.ids.max(), Int(id) >= vocabularySize {
            throw failure(origin, "id \(id) of a teacher's list is outside the model's vocabulary of \(vocabularySize)", nil)
        }
        return rows
    }

    /// A temperature in proportion to a statistic, not further than a factor of ten from the one that was asked for; where it is not known, that.
    private func scaled(_ statistic: [Float]?, _ name: String, _ origin: RecordOrigin) throws -> [Float] {
        guard let statistic else { throw failure(origin, "records without '\(name)'", "score with 'teacher-score --statistics'") }
        return statistic.map { $0.isNaN ? Float(temperature) : Float(temperature * min(10, max(0.1, Double($0)))) }
    }

    /// Σ p^(1/τ): of the whole vocabulary where the records have it, for this very temperature, else of the list.
    private func powerSums(_ records: RecordBatch, _ lists: SparseRows, _ origin: RecordOrigin) throws -> [Float] {
        if let sums = records.powerSums {
            let told = origin.header["temperature"].flatMap { Double($0) } ?? 1
            guard told == temperature else {
                throw failure(
                    origin, "'power_sums' are those of temperature \(told), not of \(temperature)",
                    "score with 'teacher-score --statistics --temperature \(temperature)'")
            }
            return sums.map { $0.isNaN ? 0 : $0 }
        }
        return (0..<records.tokenCount).map { token in
            var sum = 0.0
            for entry in lists.splits[token]..<lists.splits[token + 1] { sum += exp(Double(lists.values[entry]) / temperature) }
            return Float(sum)
        }
    }

    private func failure(_ origin: RecordOrigin, _ message: String, _ hint: String?) -> Failure {
        Failure(.badData, origin.name, origin.place, message, hint: hint)
    }
}

/// Which of the teacher's lists are learnt from.
enum ListKind: String, CaseIterable {
    /// The most probable ids.
    case top
    /// Ids drawn from the whole distribution, weighted by their share of the draws.
    case sampled
}

/// What a list's temperature depends on.
enum TemperatureRule: String, CaseIterable {
    /// The one that was asked for.
    case constant
    /// That times the standard deviation of the teacher's logits (Chi et al. 2023).
    case normKD = "normkd"
    /// That; the divergence is weighed by Σ p^(1/τ) (Zheng and Yang 2024).
    case wttm
    /// That times the teacher's entropy in nats.
    case adaKD = "adakd"
}
