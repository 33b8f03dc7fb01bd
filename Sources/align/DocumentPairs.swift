// Walks the student's stream and the teachers' document by document, and refuses what does not belong together.

import Streams

/// The documents of several streams in step: a batch of the student's, and for each of its documents those of the teachers.
struct DocumentPairs {
    let students: RecordReader
    /// Each at its present document.
    private(set) var teachers: [DocumentCursor]
    /// The student's present batch.
    private(set) var batch = RecordBatch()
    /// Documents paired so far.
    private(set) var count = 0
    private var seen = SeenIDs()

    init(students: RecordReader, teachers: [RecordReader]) {
        self.students = students
        self.teachers = teachers.map { DocumentCursor($0) }
    }

    /// Reads the student's next batch; false at the end of all streams.
    mutating func nextBatch() throws -> Bool {
        guard let next = try students.next() else {
            for index in teachers.indices where try teachers[index].advance() { throw studentEnded(before: teachers[index]) }
            return false
        }
        guard next.offsets != nil else { throw withoutOffsets(students) }
        batch = next
        return true
    }

    /// Moves the teachers to a document of the batch; called for each of them in order.
    mutating func pair(_ document: Int) throws {
        let id = batch.documentIDs[document]
        guard seen.insert(id) else {
            throw Failure(
                .badData, students.name, students.place(ofDocument: document), "the id \(quoted(id)) is there twice",
                hint: "give every document of the corpus an id of its own before it is tokenized")
        }
        for index in teachers.indices {
            guard try teachers[index].advance() else { throw teacherEnded(teachers[index], before: id) }
            try check(document, id, index)
        }
        count += 1
    }

    private func check(_ document: Int, _ id: [UInt8], _ index: Int) throws {
        let at = teachers[index].index
        func refuse(_ what: String) -> Failure {
            Failure(.badData, teachers[index].reader.name, teachers[index].reader.place(ofDocument: at), what, hint: Self.cure)
        }
        guard id == teachers[index].batch.documentIDs[at] else {
            throw refuse("document \(teachers[index].count) is \(quoted(teachers[index].id)), but in \(students.name) it is \(quoted(id))")
        }
        if let mine = batch.textHashes?[document], let its = teachers[index].batch.textHashes?[at], mine != its {
            throw refuse("document \(quoted(id)) has another text than in \(students.name)")
        }
        guard teachers[index].batch.offsets != nil else { throw withoutOffsets(teachers[index].reader) }
    }

    private static let cure = "all streams must come from one and the same corpus, in the same order"

    private func withoutOffsets(_ reader: RecordReader) -> Failure {
        Failure(
            .badData, reader.name, reader.lastPlace, "records without 'offsets' cannot be aligned",
            hint: "make them with 'tokenize'; packed tokens have lost their text: align before packing")
    }

    private func teacherEnded(_ teacher: DocumentCursor, before id: [UInt8]) -> Failure {
        Failure(
            .badData, teacher.reader.name, .whole,
            "ends after \(teacher.count) documents, but \(students.name) goes on with \(quoted(id))", hint: Self.cure)
    }

    private func studentEnded(before teacher: DocumentCursor) -> Failure {
        Failure(
            .badData, students.name, .whole,
            "ends after \(count) documents, but \(teacher.reader.name) goes on with \(quoted(teacher.id))", hint: Self.cure)
    }
}

/// An id in a message.
