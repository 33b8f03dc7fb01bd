// --html: many documents on one page that needs nothing else: both segmentations, the teacher's losses as colours.

import Command
import Streams
import Text

/// Writes a page, document by document.
struct HTMLPage {
    private let output: ByteOutput
    /// Losses of so many nats have the strongest colour.
    private static let strongest = 10

    /// - title: what the page is of.
    init(_ output: ByteOutput, title: String) throws {
        self.output = output
        try output.write(Self.head.split(separator: "@TITLE@", omittingEmptySubsequences: false).joined(separator: Self.escaped(title)))
        try output.write("<p class=\"scale\">teacher\u{2019}s loss in nats:")
        for level in 0...Self.strongest {
            try output.write(" <span class=\"t l\(level)\">\(level)\(level == Self.strongest ? "+" : "")</span>")
        }
        try output.write(" <span class=\"t\">none</span></p>\n")
    }

    func add(_ view: DocumentView, _ text: [UInt8]) throws {
        try output.write(
            "<section><h2>\(Self.escaped(printable(view.id)))</h2><p class=\"counts\">\(text.count) bytes, \(view.student.count) tokens of "
                + "the student above, \(view.teacher.count) of the teacher below</p>\n<div class=\"text\">")
        var isCut = [Bool](repeating: false, count: text.count + 1)
        for side in [view.student, view.teacher] {
            for token in 0..<side.count where side.hasBytes(token) {
                isCut[side.span(token).lowerBound] = true
                isCut[side.span(token).upperBound] = true
            }
        }
        let cells = displayCells(text, isCut: isCut)
        var next = 0
        var groups: [TokenGroup] = []
        view.forEachGroup { groups.append($0) }
        for group in groups {
            // What no side has a token for stands between the groups.
            while next < cells.count, cells[next].byte < group.bytes.lowerBound {
                try output.write("<span class=\"gap\">\(Self.escaped(cells[next].text))</span>")
                next += 1
            }
            let first = next
            while next < cells.count, cells[next].byte < group.bytes.upperBound { next += 1 }
            try write(view, group, cells[first..<next])
        }
        try output.write("</div></section>\n")
    }

    func finish() throws {
        try output.write("</body></html>\n")
        try output.close()
    }

    /// One group: the student's tokens over the teacher's.
    private func write(_ view: DocumentView, _ group: TokenGroup, _ cells: ArraySlice<DisplayCell>) throws {
        var html = "<span class=\"g\">"
        for (side, tokens) in [(view.student, group.student), (view.teacher, group.teacher)] {
            html += "<span class=\"r\">"
            if !tokens.contains(where: side.hasBytes) { html += "<span class=\"gap\">\u{2205}</span>" }
            var shown = 0
            for token in tokens where side.hasBytes(token) {
                let span = side.span(token)
                let loss = token < side.losses.count ? side.losses[token] : .nan
                let level = loss.isNaN ? "" : " l\(Int(max(0, min(loss, Float(Self.strongest)))))"
                let says = loss.isNaN ? "no loss" : "\(decimals(Double(max(0, loss)), 3)) nats"
                // Of tokens that share their bytes the first shows them.
                let visible = cells.filter { span.contains($0.byte) && $0.byte >= shown }.map(\.text).joined()
                shown = max(shown, span.upperBound)
                html +=
                    "<span class=\"t\(level)\" title=\"\(says), id \(side.ids[token]), bytes \(span.lowerBound) to \(span.upperBound)\">"
                html += visible.isEmpty ? "\u{2026}" : Self.escaped(visible)
                html += "</span>"
            }
            html += "</span>"
        }
        html += "</span>"
        if cells.contains(where: \.endsLine) { html += "<br>" }
        try output.write(html)
    }

    /// Text that is nothing but text, in an element or in a quoted attribute.
    static func escaped(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result.append(contentsOf: "&amp;".unicodeScalars)
            case "<": result.append(contentsOf: "&lt;".unicodeScalars)
            case ">": result.append(contentsOf: "&gt;".unicodeScalars)
            case "\"": result.append(contentsOf: "&quot;".unicodeScalars)
            case "'": result.append(contentsOf: "&#39;".unicodeScalars)
            default: result.append(scalar)
            }
        }
        return String(result)
    }

    private static let head = """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><title>@TITLE@</title>
        <meta name="viewport" content="width=device-width">
        <style>
        :root { color-scheme: light dark; --hot: 214, 48, 49; }
        body { font: 15px/1.4 system-ui, sans-serif; margin: 2em auto; max-width: 70em; padding: 0 1em; }
        h1 { font-size: 1.4em; } h2 { font-size: 1.05em; margin: 2em 0 0; }
        .counts, .scale { color: GrayText; margin: .2em 0 .6em; }
        .text, .t { font-family: ui-monospace, monospace; font-size: 14px; }
        .g { display: inline-flex; flex-direction: column; vertical-align: top; margin: 0 1px 9px 0; }
        .r { display: flex; }
        .r + .r { margin-top: 1px; }
        .t { white-space: pre; border: 1px solid color-mix(in srgb, CanvasText 28%, transparent); border-radius: 3px; padding: 0 2px;
             flex: auto; text-align: center; color: CanvasText; direction: ltr; unicode-bidi: isolate; }
        .gap { color: GrayText; text-align: center; flex: auto; }
        @LEVELS@
        </style></head><body>
        <h1>@TITLE@</h1>

        """.split(separator: "@LEVELS@", omittingEmptySubsequences: false)
        .joined(
            separator: (0...strongest).map { ".l\($0) { background: rgba(var(--hot), \(Double($0 * 85 / strongest) / 100)); }" }.joined(
                separator: "\n"))
}
