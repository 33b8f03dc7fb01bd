// The runs that write no records: the report, the drawing of one document, the page of many.

import ArgumentParser
import Command
import Glibc
import Streams
import Text

/// Looks at the alignment of streams.
struct Looking {
    private let alignment: StreamAlignment
    private let look: LookOptions
    private let texts: CorpusTexts?
    private let progress: Progress

    init(_ alignment: StreamAlignment, _ look: LookOptions, _ context: Context) throws {
        self.alignment = alignment
        self.look = look
        texts = try look.text.map { try CorpusTexts($0) }
        progress = context.progress(unit: "tokens")
    }

    /// Writes the report of every teacher.
    func report(to output: ByteOutput) throws {
        var alignment = alignment
        var reports = alignment.teachers.map { _ in AlignmentReport(examples: look.examples) }
        var text: [UInt8]?
        let texts = texts
        alignment.observe = { batch, document, index, teacher, columns in
            if index == 0 { text = try texts?.text(of: document, in: batch) }
            reports[index].add(DocumentView(batch, document, teacher, columns, text: text))
        }
        while let batch = try alignment.next() { progress.advance(batch.tokenCount) }
        progress.finish()
        for (index, teacher) in alignment.teachers.enumerated() {
            let text = ReportText(report: reports[index], teacher: teacher, documents: alignment.documents)
            if look.table {
                try output.write((index == 0 ? "" : "\n") + (reports.count > 1 ? "teacher \(index)\n" : "") + text.table)
            } else {
                try output.write(text.line)
            }
        }
        try output.close()
    }

    /// Draws one document. Throws 65 where there is none with the id.
    func show(_ id: String, to output: ByteOutput) throws {
        var drawing: String?
        try visit { view, text in
            guard view.id.elementsEqual(id.utf8) else { return true }
            let onTerminal = isatty(STDOUT_FILENO) == 1 && output.name == "<stdout>"
            drawing = TerminalDrawing(width: terminalWidth(), colour: onTerminal && wantsColour).draw(view, try text())
            return false
        }
        guard let drawing else { throw Failure(.badData, alignment.studentName, .whole, "holds no document \(quoted(Array(id.utf8)))") }
        try output.write(drawing)
        try output.close()
    }

    /// Draws the first documents.
    func writePage(to output: ByteOutput) throws {
        let page = try HTMLPage(output, title: "\(alignment.studentName) beside \(alignment.teacherName)")
        var left = look.documents
        try visit { view, text in
            try page.add(view, try text())
            left -= 1
            return left > 0
        }
        try page.finish()
    }

    /// Visits the documents until the body says no; of those that it wants it gets the text.
    private func visit(_ body: @escaping (DocumentView, () throws -> [UInt8]) throws -> Bool) throws {
        guard let texts else { preconditionFailure("bug: a drawing without texts") }
        var alignment = alignment
        var wants = true
        alignment.observe = { batch, document, _, teacher, columns in
            guard wants else { return }
            wants = try body(DocumentView(batch, document, teacher, columns, text: nil)) { try texts.text(of: document, in: batch) }
        }
        while wants, let batch = try alignment.next() { progress.advance(batch.tokenCount) }
        progress.finish()
    }

    /// NO_COLOR and TERM=dumb are honoured: https://no-color.org
    private var wantsColour: Bool {
        let without = getenv("NO_COLOR").map { $0[0] != 0 } ?? false
        let terminal = getenv("TERM").map { String(cString: $0) } ?? ""
        return !without && terminal != "dumb" && !terminal.isEmpty
    }

    /// COLUMNS, else the terminal's width, else 80.
    private func terminalWidth() -> Int {
        if let text = getenv("COLUMNS"), let columns = Int(String(cString: text)), (20...10_000).contains(columns) { return columns }
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col >= 20 else { return 80 }
        return Int(size.ws_col)
    }
}
