// What must hold of every batch, read or written.

extension RecordBatch {
    /// The columns that records of a kind must have beside documents and ids.
    static func required(_ kind: StreamHeader.Kind) -> [String] {
        switch kind {
        case .tokens: []
        case .scores: ["log_probs"]
        case .aligned: ["teacher_ranges"]
        }
    }

    /// The names of the optional columns that are here, in the order of the format.
    public var columns: [String] {
        var names: [String] = []
        if textHashes != nil { names.append("text_hashes") }
        if offsets != nil { names.append("offsets") }
        if logProbs != nil { names.append("log_probs") }
        if teacherRanges != nil { names.append("teacher_ranges") }
        if teacherLosses != nil { names.append("teacher_losses") }
        return names
    }

    /// What is wrong with the batch as records of a kind, in words, or nil.
    ///
    /// Counts agree; splits rise from 0 to N; ids are below the vocabulary's size (when known); spans are begin <= end with begins that
    /// never fall within a document; log-probabilities are NaN or finite and at most 0.001; losses are NaN or finite. One pass over each column.
    public func problem(as kind: StreamHeader.Kind, vocabularySize: Int? = nil) -> String? {
        let present = columns
        if let missing = RecordBatch.required(kind).first(where: { !present.contains($0) }) {
            return "'\(missing)' is missing, which records of kind '\(kind.rawValue)' need"
        }
        return splitsProblem ?? countsProblem ?? idsProblem(vocabularySize) ?? spansProblem ?? valuesProblem
    }

    private var splitsProblem: String? {
        guard documentSplits.count == documentCount + 1 else {
            return "'document_splits' has \(documentSplits.count) entries for \(documentCount) documents"
        }
        guard documentSplits[0] == 0, documentSplits[documentCount] == tokenCount else {
            return "'document_splits' must run from 0 to \(tokenCount)"
        }
        for document in 0..<documentCount where documentSplits[document] > documentSplits[document + 1] {
            return "'document_splits' falls at document \(document)"
        }
        return nil
    }

    private var countsProblem: String? {
        let table = [
            ("text_hashes", textHashes?.count, documentCount), ("offsets", offsets?.count, 2 * tokenCount),
            ("log_probs", logProbs?.count, tokenCount), ("teacher_ranges", teacherRanges?.count, 2 * tokenCount),
            ("teacher_losses", teacherLosses?.count, tokenCount),
        ]
        for (name, count, expected) in table {
            if let count, count != expected { return "'\(name)' has \(count) numbers, expected \(expected)" }
        }
        return nil
    }

    private func idsProblem(_ vocabularySize: Int?) -> String? {
        guard let vocabularySize else { return nil }
        let fits = inputIDs.withUnsafeBufferPointer { ids in
            guard let last = Int32(exactly: vocabularySize - 1), last >= 0 else { return false }
            // The top bit is that of an id past 2^31, or of a difference below zero.
            var marks: UInt32 = 0
            for id in ids { marks |= id | (UInt32(bitPattern: last) &- id) }
            return marks < 1 << 31
        }
        if fits { return nil }
        let highest = inputIDs.max() ?? 0
        guard tokenCount > 0, Int(highest) >= vocabularySize else { return nil }
        let position = inputIDs.firstIndex(of: highest) ?? 0
        return "'input_ids' at token \(position) is \(highest), but the vocabulary has \(vocabularySize) entries"
    }

    private var spansProblem: String? {
        if let ranges = teacherRanges, !isForward(ranges), let token = firstReversed(ranges) {
            return "'teacher_ranges' at token \(token) ends before it begins"
        }
        guard let offsets, !(isForward(offsets) && fallsOnlyBetweenDocuments(offsets)) else { return nil }
        if let token = firstReversed(offsets) { return "'offsets' at token \(token) ends before it begins" }
        let fallen = offsets.withUnsafeBufferPointer { spans -> Int? in
            for document in 0..<documentCount {
                let range = tokens(of: document)
                for token in range.dropFirst() where spans[2 * token] < spans[2 * token - 2] { return token }
            }
            return nil
        }
        return fallen.map { "'offsets' at token \($0) begins before the token in front of it" }
    }

    /// Whether all numbers are below 2^31 and no span ends before it begins: a loop without a branch, ten times as fast as `firstReversed`.
    private func isForward(_ pairs: [UInt32]) -> Bool {
        pairs.withUnsafeBufferPointer { pairs in
            var marks: UInt32 = 0
            for token in 0..<pairs.count / 2 {
                let (begin, end) = (pairs[2 &* token], pairs[2 &* token &+ 1])
                marks |= begin | end | (end &- begin)
            }
            return marks < 1 << 31
        }
    }

    /// Whether no begin below 2^31 is less than the one in front of it, but where a document begins: all falls, and those, are counted.
    private func fallsOnlyBetweenDocuments(_ offsets: [UInt32]) -> Bool {
        offsets.withUnsafeBufferPointer { spans in
            func fall(_ token: Int) -> UInt32 { (spans[2 &* token] &- spans[2 &* token &- 2]) &>> 31 }
            var falls: UInt32 = 0
            for token in stride(from: 1, to: tokenCount, by: 1) { falls &+= fall(token) }
            var last = 0
            for first in documentSplits where first > last && first < tokenCount {
                falls &-= fall(first)
                last = first
            }
            return falls == 0
        }
    }

    private func firstReversed(_ pairs: [UInt32]) -> Int? {
        pairs.withUnsafeBufferPointer { pairs in
            for token in 0..<pairs.count / 2 where pairs[2 * token] > pairs[2 * token + 1] { return token }
            return nil
        }
    }

    private var valuesProblem: String? {
        if let logProbs, let token = logProbs.withUnsafeBufferPointer({ firstOutside($0, above: 1e-3) }) {
            return "'log_probs' at token \(token) is \(logProbs[token]), expected a log-probability or NaN"
        }
        if let teacherLosses, let token = teacherLosses.withUnsafeBufferPointer({ firstOutside($0, above: .greatestFiniteMagnitude) }) {
            return "'teacher_losses' at token \(token) is \(teacherLosses[token]), expected a finite number or NaN"
        }
        return nil
    }

    /// The first value that is not NaN and either infinite or above the limit.
    private func firstOutside(_ values: UnsafeBufferPointer<Float>, above limit: Float) -> Int? {
        for index in 0..<values.count where values[index] > limit || values[index] < -.greatestFiniteMagnitude { return index }
        return nil
    }
}
