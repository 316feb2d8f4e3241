import Engine
import Foundation
import GRDB
import TestSupport
import Testing

@testable import SQLStore

/// A database as an earlier version of this program left it: in the middle of its work, with rows in every table. The
/// fixtures are dumps, made once when that schema was the newest one, and are never made again.
struct ReleasedDatabase: CustomTestStringConvertible, Sendable {
  /// The last migration that it has seen.
  let migration: String

  /// Every migration that was the newest one of a release has one; a new one gets its own with its release.
  static let all = ["1 first release", "2 whole contract", "4 whole audit", "24 mailed links"].map(
    ReleasedDatabase.init)

  /// Those in which an address is written once, as its owner wrote it.
  static let beforeOperators = all.filter { $0.migration != "24 mailed links" }

  /// The token of the account that owns most of it.
  static let token = TokenText("vps_" + String(repeating: "A", count: 43))!

  var testDescription: String { migration }

  private var dump: String {
    get throws {
      let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures")
      return try String(contentsOf: folder.appendingPathComponent("\(migration).sql"), encoding: .utf8)
    }
  }

  /// Writes it as that version did: with a write-ahead log.
  func restore(to path: String) throws {
    let queue = try DatabaseQueue(path: path)
    try queue.writeWithoutTransaction { database in
      try database.execute(sql: dump)
      _ = try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL")
    }
    try queue.close()
  }
}

/// All that a database holds, for comparison; which kinds of operations there are is the program's to say.
struct Contents: Equatable {
  /// By table: its columns.
  var columns: [String: [String]] = [:]
  /// By table: its rows, in text, in the order of their keys.
  var rows: [String: [String]] = [:]

  /// - Parameter columns: Only these, by table; all there are where it is nil.
  init(of path: String, columns wanted: [String: [String]]? = nil) throws {
    try DatabaseQueue(path: path).read { database in
      let tables = try String.fetchAll(
        database,
        sql: """
          SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT IN ('grdb_migrations', 'operation_kind')
          """)
      for table in wanted.map({ Array($0.keys) }) ?? tables {
        let names = try wanted?[table] ?? database.columns(in: table).map(\.name)
        let list = names.map { "quote(\($0))" }.joined(separator: " || ' ' || ")
        columns[table] = names
        rows[table] = try String.fetchAll(database, sql: "SELECT \(list) FROM \(table) ORDER BY 1")
      }
    }
  }

  /// The statements that make tables, indices and triggers; spacing and quotes say nothing.
  static func schema(of path: String) throws -> Set<String> {
    try DatabaseQueue(path: path).read { database in
      let statements = try String.fetchAll(
        database, sql: "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'")
      return Set(statements.map { $0.filter { !$0.isWhitespace && $0 != "\"" } })
    }
  }
}
