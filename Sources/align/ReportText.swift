// A report's two forms: a line of NDJSON, and a table to read.

import Command
import Streams

/// What there is to say of one teacher.
struct ReportText {
    let report: AlignmentReport
    let teacher: TeacherAlignment
    let documents: Int

    private var tokensPerGroup: (student: Double, teacher: Double) {
        let groups = Double(max(report.groups, 1))
        return (Double(report.studentTokensInGroups) / groups, Double(report.teacherTokensInGroups) / groups)
    }

    var line: [UInt8] {
        let statistics = teacher.statistics
        var line = JSONText()
        line.beginObject()
        line.member("documents", documents)
        line.member("student_tokens", statistics.tokens)
        line.member("teacher_tokens", teacher.tokens)
        line.member("mapped_tokens", statistics.mapped)
        line.member("unmapped_tokens", statistics.unmapped)
        line.member("unmapped_tokens_with_bytes", statistics.uncovered)
        line.member("straddling_tokens", statistics.straddling)
        line.member("share_inside_one_teacher_token", statistics.shareInsideOne)
        line.member("share_identical_span", statistics.shareIdentical)
        line.member("mean_intersection_over_union", statistics.meanIntersectionOverUnion)
        line.member("groups", report.groups)
        line.member("student_tokens_per_group", tokensPerGroup.student)
        line.member("teacher_tokens_per_group", tokensPerGroup.teacher)
        for (name, count) in [("numerals", report.numerals), ("numerals_split_differently", report.numeralsSplitDifferently)] {
            line.key(name)
            if report.knowsTexts { line.integer(count) } else { line.null() }
        }
        for (name, list) in [("worst_tokens", report.worstTokens), ("worst_groups", report.worstGroups)] {
            line.key(name)
            line.beginArray()
            for (_, example) in list.examples { example.write(into: &line) }
            line.endArray()
        }
        line.endObject()
        line.newline()
        return line.bytes
    }

    var table: String {
        let statistics = teacher.statistics
        var counts = TextTable()
        func share(_ count: Int, of whole: Int) -> String { percent(whole == 0 ? 0 : Double(count) / Double(whole)) }
        counts.add(["documents", grouped(documents)])
        counts.add(["student tokens", grouped(statistics.tokens)])
        counts.add(["teacher tokens", grouped(teacher.tokens)])
        counts.add(["mapped", grouped(statistics.mapped), share(statistics.mapped, of: statistics.tokens)])
        counts.add(["inside one teacher token", grouped(statistics.insideOne), percent(statistics.shareInsideOne)])
        counts.add(["identical span", grouped(statistics.identical), percent(statistics.shareIdentical)])
        counts.add(["straddling", grouped(statistics.straddling), share(statistics.straddling, of: statistics.mapped)])
        counts.add(["unmapped", grouped(statistics.unmapped), share(statistics.unmapped, of: statistics.tokens)])
        counts.add(["unmapped with bytes", grouped(statistics.uncovered), share(statistics.uncovered, of: statistics.tokens)])
        counts.add(["mean intersection over union", decimals(statistics.meanIntersectionOverUnion, 3)])
        counts.add(["groups", grouped(report.groups)])
        counts.add(["student tokens a group", decimals(tokensPerGroup.student, 3)])
        counts.add(["teacher tokens a group", decimals(tokensPerGroup.teacher, 3)])
        if report.knowsTexts {
            counts.add(["numerals", grouped(report.numerals)])
            counts.add([
                "split differently", grouped(report.numeralsSplitDifferently), share(report.numeralsSplitDifferently, of: report.numerals),
            ])
        }
        return counts.text + examples("worst tokens", report.worstTokens) + examples("worst groups", report.worstGroups)
    }

    private func examples(_ title: String, _ list: WorstExamples) -> String {
        guard !list.examples.isEmpty else { return "" }
        var table = TextTable(flushLeft: [2, 3, 4])
        let hasOverlap = list.examples[0].example.intersectionOverUnion != nil
        // An id is whole, so that --show takes it, and last, so that a long one pushes nothing away.
        table.add(["byte", hasOverlap ? "overlap" : "tokens", "student", "teacher", "document"])
        for (_, example) in list.examples {
            func words(_ tokens: Example.Tokens) -> String {
                tokens.pieces.map { $0.map(visible).joined(separator: "|") } ?? tokens.ids.map(String.init).joined(separator: " ")
            }
            let measure =
                example.intersectionOverUnion.map { decimals($0, 3) } ?? "\(example.student.ids.count)+\(example.teacher.ids.count)"
            let first = min(example.student.spans[0].lowerBound, example.teacher.spans[0].lowerBound)
            let document = printable(example.document, limit: example.document.count)
            table.add([String(first), measure, words(example.student), words(example.teacher), document])
        }
        return "\n\(title)\n" + table.text
    }

    /// Spaces that one can see.
    private func visible(_ piece: String) -> String {
        String(String.UnicodeScalarView(piece.unicodeScalars.map { $0 == " " ? "\u{b7}" : $0 }))
    }
}
