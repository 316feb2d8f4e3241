import ArgumentParser
import Core

/// The format of a command's output.
struct OutputOptions: ParsableArguments {
  @Flag(name: .customLong("json"), help: "Print JSON, an object a line.") var isJSON = false

  /// - Parameter next: Returns at most `limit` rows after the given one; for nil, the first ones.
  func list<Row: Record>(_ next: (Row?, _ limit: Int) async throws -> [Row]) async throws {
    if isJSON {
      try await PrintedList<Row>.forEachPiece(next) { rows in
        for row in rows { print(row.json) }
      }
    } else {
      try await PrintedList<Row>.print(TextTable(Row.headings), next) { table, row in table.add(row.cells) }
    }
  }

  /// Prints a short list that is in memory.
  func list<Row: Record>(_ rows: [Row]) {
    if isJSON {
      for row in rows { print(row.json) }
    } else {
      var table = TextTable(Row.headings)
      for row in rows { table.add(row.cells) }
      print(table.text)
    }
  }

  func show(_ record: some DetailedRecord) {
    if isJSON { return print(record.json) }
    let details = record.details.compactMap { label, value in value.map { (label, $0) } }
    let width = details.map { $0.0.count }.max() ?? 0
    for (label, value) in details {
      print(label + String(repeating: " ", count: width - label.count) + "  " + value.escaped())
    }
  }

  /// Prints a sentence for people, or the resulting record for programs.
  func tell(_ sentence: String, _ record: some Record) {
    print(isJSON ? record.json : sentence)
  }
}
