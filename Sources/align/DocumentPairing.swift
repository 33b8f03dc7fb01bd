// Refuses a pair of documents that are not the same text.

import Streams

/// The checks that two streams hold the same documents in the same order.
struct DocumentPairing {
    static let cure = "both streams must come from one and the same corpus, in the same order"
    let studentName: String
    let teacherName: String

    func check(_ batch: RecordBatch, _ document: Int, _ teacher: DocumentCursor) throws {
        let id = batch.documentIDs[document]
        guard id == teacher.id else {
            throw Failure(
                .badData, teacherName, teacher.reader.lastPlace,
                "document \(teacher.count) is \(quoted(teacher.id)), but in \(studentName) it is \(quoted(id))", hint: Self.cure)
        }
        if let mine = batch.textHashes?[document], let its = teacher.batch.textHashes?[teacher.index], mine != its {
            throw Failure(
                .badData, teacherName, teacher.reader.lastPlace,
                "document \(quoted(id)) has another text than in \(studentName)", hint: Self.cure)
        }
    }

    func teacherEnded(_ teacher: DocumentCursor, before id: [UInt8]) -> Failure {
        Failure(
            .badData, teacherName, .whole,
            "ends after \(teacher.count) documents, but \(studentName) goes on with \(quoted(id))", hint: Self.cure)
    }

    func studentEnded(after count: Int, before teacher: DocumentCursor) -> Failure {
        Failure(
            .badData, studentName, .whole,
            "ends after \(count) documents, but \(teacherName) goes on with \(quoted(teacher.id))", hint: Self.cure)
    }
}

private func quoted(_ id: [UInt8]) -> String {
    "'" + printable(id) + "'"
}
