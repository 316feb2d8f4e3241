import Core

/// Prints a list of any length in pieces, so that memory use does not grow with it.
enum PrintedList<Row> {
  static var pieceLength: Int { 500 }

  /// - Parameters:
  ///   - next: Returns at most `limit` rows after the given one; for nil, the first ones.
  ///   - add: Adds a row to the table.
  static func print(
    _ headings: TextTable, _ next: (Row?, _ limit: Int) async throws -> [Row],
    _ add: (inout TextTable, Row) async throws -> Void, to output: (String) -> Void = { Swift.print($0) }
  ) async throws {
    var isFirst = true
    try await forEachPiece(next) { rows in
      var table = headings
      for row in rows { try await add(&table, row) }
      let lines = table.text.split(separator: "\n", omittingEmptySubsequences: false)
      for line in lines.dropFirst(isFirst ? 0 : 1) { output(String(line)) }
      isFirst = false
    }
  }

  static func forEachPiece(
    _ next: (Row?, _ limit: Int) async throws -> [Row], _ body: ([Row]) async throws -> Void
  ) async throws {
    var last: Row?
    while true {
      let rows = try await next(last, pieceLength)
      try await body(rows)
      guard rows.count == pieceLength else { return }
      last = rows.last
    }
  }
}
