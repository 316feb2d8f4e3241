/// Rows in columns. Cells are escaped, so that no text can begin a row or move the cursor.
struct TextTable {
  private static let statusColors = [
    "active": "32", "completed": "32", "succeeded": "32", "error": "31", "failed": "31", "stopped": "33",
    "suspended": "35",
  ]

  let columns: [Column]
  var rows: [[String]] = []

  func text(hasHeadings: Bool) -> String {
    let headings = columns.map(\.heading)
    let all = hasHeadings ? [headings] + rows : rows
    let widths = columns.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    return all.enumerated().map { index, cells in
      let isHeading = hasHeadings && index == 0
      var line = ""
      for (column, cell) in cells.enumerated() {
        let isLast = column == cells.count - 1
        let padding = isLast ? "" : String(repeating: " ", count: widths[column] - cell.count + 2)
        line += (isHeading ? cell : colored(cell, columns[column])) + padding
      }
      return line + "\n"
    }.joined()
  }

  private func colored(_ cell: String, _ column: Column) -> String {
    guard Terminal.hasColors, column.form == .status, let color = Self.statusColors[cell] else { return cell }
    return "\u{1B}[\(color)m\(cell)\u{1B}[0m"
  }
}
