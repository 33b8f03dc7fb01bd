// The places where two vocabularies cut a text the least alike.

import Streams

/// Some of the student's tokens and of the teacher's over the same bytes.
struct Example {
    let document: [UInt8]
    let student: Tokens
    let teacher: Tokens
    /// From the first of their bytes to the last; nil when the text is not known.
    let text: String?
    /// Of a single token of the student.
    var intersectionOverUnion: Double?
    /// Places that have the same tokens.
    fileprivate(set) var count = 1

    struct Tokens {
        let ids: [UInt32]
        let spans: [Range<Int>]
        /// Their bytes as text.
        let pieces: [String]?
    }

    init(_ view: DocumentView, student: Range<Int>, teacher: Range<Int>, intersectionOverUnion: Double? = nil) {
        func tokens(_ side: DocumentView.Side, _ range: Range<Int>) -> Tokens {
            let kept = range.filter(side.hasBytes)
            return Tokens(
                ids: kept.map { side.ids[$0] }, spans: kept.map(side.span),
                pieces: view.text.map { text in kept.map { printable(text[side.span($0)], limit: 40) } })
        }
        document = view.id
        self.student = tokens(view.student, student)
        self.teacher = tokens(view.teacher, teacher)
        let spans = self.student.spans + self.teacher.spans
        let bytes = spans.reduce(spans[0]) { min($0.lowerBound, $1.lowerBound)..<max($0.upperBound, $1.upperBound) }
        text = view.text.map { printable($0[bytes], limit: 80) }
        self.intersectionOverUnion = intersectionOverUnion
    }

    func write(into line: inout JSONText) {
        line.beginObject()
        line.member("id", printable(document))
        line.member("count", count)
        if let intersectionOverUnion { line.member("intersection_over_union", intersectionOverUnion) }
        if let text { line.member("text", text) }
        for (name, tokens) in [("student", student), ("teacher", teacher)] {
            line.key(name + "_ids")
            line.beginArray()
            for id in tokens.ids { line.integer(Int(id)) }
            line.endArray()
            line.key(name + "_spans")
            line.beginArray()
            for span in tokens.spans {
                line.beginArray()
                line.integer(span.lowerBound)
                line.integer(span.upperBound)
                line.endArray()
            }
            line.endArray()
            guard let pieces = tokens.pieces else { continue }
            line.key(name + "_pieces")
            line.beginArray()
            for piece in pieces { line.string(piece) }
            line.endArray()
        }
        line.endObject()
    }
}

/// A few examples, the worst first; those with the same tokens are one, with a count from when it was taken in.
struct WorstExamples {
    private let most: Int
    private(set) var examples: [(score: Double, example: Example)] = []

    init(most: Int) { self.most = most }

    /// Takes an example in if it is among the worst: those with the lowest scores. Of equals the first stays.
    mutating func offer(_ score: Double, _ make: () -> Example) {
        if examples.count == most, most == 0 || score > examples[most - 1].score { return }
        let example = make()
        if let known = examples.firstIndex(where: {
            $0.example.student.ids == example.student.ids && $0.example.teacher.ids == example.teacher.ids
        }) {
            examples[known].example.count += 1
            return
        }
        let place = examples.firstIndex { $0.score > score } ?? examples.count
        if place == most { return }
        if examples.count == most { examples.removeLast() }
        examples.insert((score, example), at: place)
    }
}
