// Ids that a vocabulary does not have, refused with the document that has one; and a vocabulary with more ids than the model.

extension RecordBatch {
    /// Refuses ids of `size` and above.
    ///
    /// - vocabulary: whose it is, as the message says it.
    /// - place: where a document of this batch stands.
    ///
    /// Throws `Failure.badData` (65).
    public func expectIDs(
        below size: Int, of vocabulary: String = "the model's vocabulary", in name: String, place: (_ document: Int) -> Failure.Place,
        hint: String
    ) throws {
        guard let highest = inputIDs.max(), Int(highest) >= size else { return }
        for document in 0..<documentCount {
            guard let id = inputIDs[tokens(of: document)].first(where: { Int($0) >= size }) else { continue }
            throw Failure(
                .badData, name, place(document),
                "document \(quoted(documentIDs[document])) has the token id \(id), but \(vocabulary) has \(size) tokens", hint: hint)
        }
    }

    /// The same of a batch that `reader` has just given.
    public func expectIDs(
        below size: Int, of vocabulary: String = "the model's vocabulary", in reader: RecordReader, hint: String
    ) throws {
        try expectIDs(below: size, of: vocabulary, in: reader.name, place: reader.place(ofDocument:), hint: hint)
    }
}

extension StreamHeader {
    /// Refuses tokens of a vocabulary of more than `size` entries. Fewer are accepted, for models pad theirs, and so are unknown ones.
    ///
    /// Throws `Failure.badData` (65).
    public func expectVocabulary(atMost size: Int, in name: String, hint: String) throws {
        guard let found = integer("vocabulary_size"), found > size else { return }
        throw Failure(.badData, name, .whole, "the stream's vocabulary has \(found) tokens, the model's \(size)", hint: hint)
    }
}
