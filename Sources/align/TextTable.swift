// A table for people: columns of words and numbers.

/// Rows of cells; the first column is flush left, the others flush right.
struct TextTable {
    private var rows: [[String]] = []

    mutating func add(_ cells: [String]) { rows.append(cells) }

    /// An empty line.
    mutating func addGap() { rows.append([]) }

    var text: String {
        var widths: [Int] = []
        for row in rows {
            for (column, cell) in row.enumerated() {
                let width = cell.unicodeScalars.count
                if column < widths.count { widths[column] = max(widths[column], width) } else { widths.append(width) }
            }
        }
        return rows.map { row in
            row.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.unicodeScalars.count)
                if column == 0 { return row.count == 1 ? cell : cell + padding }
                return "  " + padding + cell
            }.joined() + "\n"
        }.joined()
    }
}
