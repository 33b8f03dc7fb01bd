// Aligns streams batch by batch: the student's batches come out, with what the teachers say of their tokens added.

import Command
import Streams
import Text

/// The student's batches in order, each document paired with the teachers' and aligned by bytes.
struct StreamAlignment {
    private var pairs: DocumentPairs
    private let options: AlignmentOptions
    private let readers: [RecordReader]
    private let carriers: [EntryCarrier]
    private(set) var teachers: [TeacherAlignment]
    /// Gets each document of the student's batch with each teacher's, and that teacher's columns of the batch so far.
    var observe:
        ((_ batch: RecordBatch, _ document: Int, _ index: Int, _ teacher: DocumentCursor, _ columns: AlignedColumns) throws -> Void)?

    /// Throws where the vocabularies that are named are not those of the streams.
    init(students: RecordReader, teachers readers: [RecordReader], options: AlignmentOptions) throws {
        pairs = DocumentPairs(students: students, teachers: readers)
        self.options = options
        self.readers = readers
        if let path = options.studentTokenizer {
            let student = try vocabulary(path, of: students)
            carriers = try zip(options.teacherTokenizer, readers).map {
                try EntryCarrier(student: student, teacher: vocabulary($0, of: $1))
            }
        } else {
            carriers = []
        }
        let carriers = carriers
        teachers = readers.enumerated().map { index, reader in
            TeacherAlignment(options, name: reader.name, carrier: carriers.isEmpty ? nil : carriers[index])
        }
    }

    /// Documents aligned.
    var documents: Int { pairs.count }
    var studentName: String { pairs.students.name }
    var teacherName: String { readers[0].name }

    /// The student's fields, and the teachers' under names that begin with `teacher_`, those of the second with `teacher2_`, and so on.
    func header(_ context: Context) -> StreamHeader {
        var header = StreamHeader(.aligned)
        for (key, value) in pairs.students.header.fields where key != "producer" && !isOfAlignment(key) { header[key] = value }
        for (index, reader) in readers.enumerated() {
            let prefix = index == 0 ? "teacher_" : "teacher\(index + 1)_"
            for (key, value) in reader.header.fields where key != "producer" && key != "version" { header[prefix + key] = value }
        }
        header["producer"] = context.producer
        header["aggregate"] = options.aggregate.rawValue
        if let chunks = options.chunks {
            header["alignment"] = "chunks"
            header["chunks"] = String(chunks)
        }
        if readers.count > 1 {
            header["teachers"] = String(readers.count)
            header["teacher_choice"] = options.teachers.rawValue
        }
        return header
    }

    /// The next batch with the teachers' columns; nil at the end of all streams.
    mutating func next() throws -> RecordBatch? {
        guard try pairs.nextBatch() else { return nil }
        var batch = pairs.batch
        if !carriers.isEmpty { try expectIDs(of: batch, carriers[0].studentSize, pairs.students, option: "--student-tokenizer") }
        for index in teachers.indices {
            teachers[index].columns = AlignedColumns()
            teachers[index].columns.reserve(batch.tokenCount)
        }
        var choices: [UInt32] = []
        for document in 0..<batch.documentCount {
            try pairs.pair(document)
            try alignDocument(batch, document)
            if teachers.count > 1 && options.teachers == .document { choices.append(choice()) }
        }
        let present = try presentColumns()
        batch.teacherChoices = nil
        if teachers.count == 1 {
            teachers[0].columns.fill(&batch, present)
        } else if options.teachers == .document {
            chosen(choices, batch).fill(&batch, present)
            batch.teacherChoices = choices
        } else {
            combined().fill(&batch, present)
        }
        return batch
    }

    private mutating func alignDocument(_ batch: RecordBatch, _ document: Int) throws {
        let tokens = batch.tokens(of: document)
        for index in teachers.indices {
            if !carriers.isEmpty, pairs.teachers[index].index == 0 {
                try expectIDs(
                    of: pairs.teachers[index].batch, carriers[index].teacherSize, readers[index], option: "--teacher-tokenizer")
            }
            try teachers[index].align(batch, tokens, pairs.teachers[index])
            try observe?(batch, document, index, pairs.teachers[index], teachers[index].columns)
        }
    }

    /// Several teachers must have the same columns, or their losses could not be compared.
    private func presentColumns() throws -> AlignedColumns.Present {
        let present = teachers[0].present
        if let other = teachers.indices.first(where: { teachers[$0].present != present }) {
            let (with, without) = present.losses ? (readers[0], readers[other]) : (readers[other], readers[0])
            throw Failure(
                .badData, without.name, .whole, "has no scores, but \(with.name) has", hint: "score with every teacher, or with none")
        }
        return present
    }

    /// The teacher with the fewest nats per byte of the present document; of equals, and where none has any, the first.
    private func choice() -> UInt32 {
        let losses = teachers.map { $0.natsPerByte ?? .infinity }
        return UInt32(losses.firstIndex(of: losses.min()!)!)
    }

    private func chosen(_ choices: [UInt32], _ batch: RecordBatch) -> AlignedColumns {
        var columns = AlignedColumns()
        columns.reserve(batch.tokenCount)
        for document in 0..<batch.documentCount { columns.append(teachers[Int(choices[document])].columns, batch.tokens(of: document)) }
        return columns
    }

    /// Everything of the first teacher's but the losses, which are the least or the mean of those that there are.
    private func combined() -> AlignedColumns {
        var columns = teachers[0].columns
        for token in columns.losses.indices {
            var (sum, least, count) = (0.0, Float.infinity, 0)
            for teacher in teachers where !teacher.columns.losses[token].isNaN {
                let loss = teacher.columns.losses[token]
                sum += Double(loss)
                least = min(least, loss)
                count += 1
            }
            if count > 0 { columns.losses[token] = options.teachers == .min ? least : Float(sum / Double(count)) }
        }
        return columns
    }
}

/// Whether a fact of a header is of an alignment: a stream that was aligned before keeps none of them.
private func isOfAlignment(_ key: String) -> Bool {
    ["aggregate", "alignment", "chunks"].contains(key) || key.utf8.starts(with: "teacher".utf8)
}
