// --show: one document's two segmentations above each other, with the teacher's losses as colours or digits.

import Streams

/// Draws a document for a terminal or a file of text.
struct TerminalDrawing {
    /// Columns of a line.
    let width: Int
    let colour: Bool

    /// Backgrounds of the xterm palette for losses of 0, 1, … nats, the last for all from there on.
    private static let palette = [231, 230, 229, 222, 216, 209, 203, 196, 160]
    private static let labelWidth = 9

    /// What stands at a byte: whether tokens begin there, and what is drawn behind that.
    private struct Column {
        let cell: DisplayCell
        let cutsStudent: Bool
        let cutsTeacher: Bool

        var width: Int { cell.width + (cutsStudent || cutsTeacher ? 1 : 0) }
    }

    func draw(_ view: DocumentView, _ text: [UInt8]) -> String {
        let (student, teacher) = (Row(view.student, bytes: text.count), Row(view.teacher, bytes: text.count))
        let cuts = zip(student.isCut, teacher.isCut).map { $0 || $1 }
        let columns = displayCells(text, isCut: cuts).map { cell in
            Column(cell: cell, cutsStudent: student.isCut[cell.byte], cutsTeacher: teacher.isCut[cell.byte])
        }
        var result =
            "\(printable(view.id)): \(text.count) bytes, \(view.student.count) tokens of the student, \(view.teacher.count) of the teacher\n"
        let hasLosses = !view.teacher.losses.isEmpty
        if hasLosses && colour {
            result += "losses in nats: "
            for level in Self.palette.indices { result += painted(" \(level)\(level + 1 == Self.palette.count ? "+" : "") ", level) }
            result += "\n"
        } else if hasLosses {
            result += "losses in nats under each token of the teacher, 9 for all from there on\n"
        }
        for line in lines(columns) {
            result += "\nstudent  " + drawn(columns[line], student, \.cutsStudent)
            result += "\nteacher  " + drawn(columns[line], teacher, \.cutsTeacher)
            if hasLosses && !colour { result += "\nnats     " + digits(columns[line], teacher) }
            result += "\n"
        }
        return result
    }

    /// Cuts the columns into lines: behind newlines, and where one is full at the last place that both sides cut, if there is one.
    private func lines(_ columns: [Column]) -> [Range<Int>] {
        var lines: [Range<Int>] = []
        let room = max(8, width - Self.labelWidth)
        var (first, used) = (0, 0)
        var common: Int?
        var at = 0
        while at < columns.count {
            if columns[at].cutsStudent && columns[at].cutsTeacher && at > first { common = at }
            if used + columns[at].width > room, at > first {
                let end = common ?? at
                lines.append(first..<end)
                (first, at, used, common) = (end, end, 0, nil)
                continue
            }
            used += columns[at].width
            at += 1
            if columns[at - 1].cell.endsLine {
                lines.append(first..<at)
                (first, used, common) = (at, 0, nil)
            }
        }
        if first < columns.count { lines.append(first..<columns.count) }
        return lines
    }

    private func drawn(_ columns: ArraySlice<Column>, _ row: Row, _ cuts: KeyPath<Column, Bool>) -> String {
        var result = ""
        // What has one colour is painted at once.
        var run = ""
        var runLevel: Int?
        func put(_ text: String, _ level: Int?) {
            if level != runLevel {
                result += painted(run, runLevel)
                (run, runLevel) = ("", level)
            }
            run += text
        }
        for (place, column) in columns.enumerated() {
            let token = row.token[column.cell.byte]
            let level = colour ? token.flatMap { row.level($0, Self.palette.count) } : nil
            if hasBar(column, place) {
                if column[keyPath: cuts] { put("|", nil) } else { put(" ", level) }
            }
            // Bytes that no token stands for are underscores.
            put(token == nil ? String(repeating: "_", count: column.cell.width) : column.cell.text, level)
        }
        return trimmed(result + painted(run, runLevel))
    }

    /// A line that begins with a token on both sides needs no bar there.
    private func hasBar(_ column: Column, _ place: Int) -> Bool {
        place == 0 ? column.cutsStudent != column.cutsTeacher : column.cutsStudent || column.cutsTeacher
    }

    private func digits(_ columns: ArraySlice<Column>, _ row: Row) -> String {
        var result = ""
        for (place, column) in columns.enumerated() {
            if hasBar(column, place) { result += " " }
            let token = row.token[column.cell.byte]
            let begins = column.cutsTeacher || column.cell.byte == 0
            let digit = begins ? token.flatMap { row.level($0, 10) }.map(String.init) ?? (token == nil ? " " : "-") : " "
            result += digit + String(repeating: " ", count: column.cell.width - 1)
        }
        return trimmed(result)
    }

    private func trimmed(_ line: String) -> String {
        var line = line
        while line.utf8.last == UInt8(ascii: " ") { line.removeLast() }
        return line
    }

    private func painted(_ text: String, _ level: Int?) -> String {
        guard let level, !text.isEmpty else { return text }
        return "\u{1b}[38;5;16;48;5;\(Self.palette[level])m\(text)\u{1b}[0m"
    }

    /// One side's tokens by bytes.
    private struct Row {
        /// The token that stands for each byte.
        private(set) var token: [Int?]
        /// Whether a token begins or ends at a byte: (bytes + 1).
        private(set) var isCut: [Bool]
        private let losses: [Float]

        init(_ side: DocumentView.Side, bytes: Int) {
            token = [Int?](repeating: nil, count: bytes)
            isCut = [Bool](repeating: false, count: bytes + 1)
            losses = side.losses
            for index in 0..<side.count where side.hasBytes(index) {
                isCut[side.span(index).lowerBound] = true
                isCut[side.span(index).upperBound] = true
                for byte in side.span(index) { token[byte] = token[byte] ?? index }
            }
            // The text's own beginning needs no bar.
            isCut[0] = false
        }

        /// A token's loss in whole nats, below `count`; nil where it has none.
        func level(_ index: Int, _ count: Int) -> Int? {
            guard index < losses.count, !losses[index].isNaN else { return nil }
            return Int(max(0, min(losses[index], Float(count - 1))))
        }
    }
}
