/// Columns of text, aligned. Cells are padded by what is seen of them, so that colours do not count.
struct Table {
    /// One cell: its text and how it is painted.
    struct Cell {
        let text: String
        let paint: (String) -> String

        init(_ text: String, paint: @escaping (String) -> String = { $0 }) {
            self.text = text
            self.paint = paint
        }
    }
    private var rows: [[Cell]] = []

    /// Adds a row.
    mutating func add(_ row: [Cell]) { rows.append(row) }

    /// The lines, without trailing spaces.
    var lines: [String] {
        var widths: [Int] = []
        for row in rows {
            for (index, cell) in row.enumerated() {
                if index == widths.count { widths.append(0) }
                widths[index] = max(widths[index], cell.text.count)
            }
        }
        return rows.map { row in
            var line = ""
            for (index, cell) in row.enumerated() {
                line += cell.paint(cell.text)
                if index < row.count - 1 { line += String(repeating: " ", count: widths[index] - cell.text.count + 2) }
            }
            return line
        }
    }
}
