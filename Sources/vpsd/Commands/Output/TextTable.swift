import Core

/// Rows in columns, for a terminal. Cells may contain text from customers and guests, so they are escaped: no text can begin a
/// row or move the cursor.
struct TextTable {
  private var rows: [[String]]

  init(_ headings: String...) {
    self.init(headings)
  }

  init(_ headings: [String]) {
    rows = [headings]
  }

  mutating func add(_ cells: String...) {
    add(cells)
  }

  mutating func add(_ cells: [String]) {
    rows.append(cells.map { $0.escaped() })
  }

  var text: String {
    // The width in characters as displayed. Cells have a limited length.
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    let lines = rows.map { row in
      let cells = zip(row, widths).map { cell, width in cell + String(repeating: " ", count: width - cell.count) }
      var line = cells.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line
    }
    return lines.joined(separator: "\n")
  }
}

extension Timestamp {
  /// UTC in whole minutes, `2025-01-10 14:30`.
  var displayed: String {
    let time = calendar
    func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
    return "\(time.year)-\(padded(time.month))-\(padded(time.day)) \(padded(time.hour)):\(padded(time.minute))"
  }
}
