// --report: how well two vocabularies cut the same text.

import Streams
import Text

/// What is counted beside the alignment's own statistics, of one teacher.
struct AlignmentReport {
    private(set) var groups = 0
    private(set) var studentTokensInGroups = 0
    private(set) var teacherTokensInGroups = 0
    /// Runs of two digits and more, and those that the two cut at different places. Counted only where the text is known.
    private(set) var numerals = 0
    private(set) var numeralsSplitDifferently = 0
    private(set) var knowsTexts = false
    private(set) var worstTokens: WorstExamples
    private(set) var worstGroups: WorstExamples

    init(examples: Int) {
        worstTokens = WorstExamples(most: examples)
        worstGroups = WorstExamples(most: examples)
    }

    mutating func add(_ view: DocumentView) {
        addGroups(view)
        addTokens(view)
        if let text = view.text {
            knowsTexts = true
            addNumerals(view, text)
        }
    }

    private mutating func addGroups(_ view: DocumentView) {
        var found: [TokenGroup] = []
        view.forEachGroup { if !$0.student.isEmpty && !$0.teacher.isEmpty { found.append($0) } }
        for group in found {
            let mine = group.student.count(where: view.student.hasBytes)
            let its = group.teacher.count(where: view.teacher.hasBytes)
            groups += 1
            studentTokensInGroups += mine
            teacherTokensInGroups += its
            // Where one side has a single token there is nothing to look at.
            guard mine > 1, its > 1 else { continue }
            worstGroups.offer(-Double(mine + its)) { Example(view, student: group.student, teacher: group.teacher) }
        }
    }

    /// Tokens that no single token of the teacher covers.
    private mutating func addTokens(_ view: DocumentView) {
        for token in 0..<view.student.count {
            let range = view.range(of: token)
            guard range.count > 1 else { continue }
            let span = view.student.offsets[2 * token]..<view.student.offsets[2 * token + 1]
            let first = view.teacher.offsets[2 * range.lowerBound]
            let cover = first..<max(first, view.teacher.offsets[2 * range.upperBound - 1])
            let overlap = intersectionOverUnion(span, cover)
            // Exactly several of the teacher's: nothing to look at either.
            if overlap == 1 { continue }
            worstTokens.offer(overlap) { Example(view, student: token..<token + 1, teacher: range, intersectionOverUnion: overlap) }
        }
    }

    private mutating func addNumerals(_ view: DocumentView, _ text: [UInt8]) {
        var mine = Cuts(view.student)
        var its = Cuts(view.teacher)
        var at = 0
        while at < text.count {
            guard isDigit(text[at]) else {
                at += 1
                continue
            }
            var end = at + 1
            while end < text.count, isDigit(text[end]) { end += 1 }
            if end - at > 1 {
                numerals += 1
                if mine.inside(at..<end) != its.inside(at..<end) { numeralsSplitDifferently += 1 }
            }
            at = end
        }
    }

    private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}

/// The places where one side's tokens begin, walked in order.
private struct Cuts {
    private let side: DocumentView.Side
    private var token = 0

    init(_ side: DocumentView.Side) { self.side = side }

    /// Those inside some bytes, which lie behind those asked for before.
    mutating func inside(_ bytes: Range<Int>) -> [Int] {
        var cuts: [Int] = []
        while token < side.count, side.span(token).lowerBound < bytes.upperBound {
            let begin = side.span(token).lowerBound
            if begin > bytes.lowerBound, side.hasBytes(token) { cuts.append(begin) }
            token += 1
        }
        return cuts
    }
}
