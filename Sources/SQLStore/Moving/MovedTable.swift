/// A table of both databases, whose rows are copied from one to the other.
struct MovedTable: Sendable {
  struct Column: Sendable {
    enum Kind: String, Sendable {
      case integer = "INTEGER"
      case text = "TEXT"
      case bytes = "BLOB"
    }

    let name: String
    let kind: Kind
  }

  let name: String
  let columns: [Column]
  /// The columns of the primary key, by which both databases order the rows.
  let key: [String]
  /// Whether the database numbers its rows, and uses no number twice.
  let isNumbered: Bool

  private var names: String { columns.map(\.name).joined(separator: ", ") }

  // Texts are copied as bytes: they are compared byte by byte, and invalid UTF-8 is not repaired on the way.

  /// All rows in the order of their key.
  func selection(from server: Bool) -> String {
    let values = columns.map { !server && $0.kind == .text ? "CAST(\($0.name) AS BLOB)" : $0.name }
    return "SELECT \(values.joined(separator: ", ")) FROM \(name) ORDER BY \(key.joined(separator: ", "))"
  }

  /// Inserts one row into a file.
  var insertion: String {
    let values = columns.map { $0.kind == .text ? "CAST(? AS TEXT)" : "?" }
    return "INSERT INTO \(name) (\(names)) VALUES (\(values.joined(separator: ", ")))"
  }

  /// Copies all rows to a server.
  var copying: String { "COPY \(name) (\(names)) FROM STDIN (FORMAT binary)" }

  /// The values of a row, texts as bytes. Throws where a value is not of its column's type.
  func row(_ reader: inout RowReader) throws -> [SQLValue] {
    try columns.map { column in
      switch (column.kind, try reader.next(SQLValue.self)) {
      case (_, .null): .null
      case (.integer, .integer(let number)): .integer(number)
      case (.text, .text(let text)): .blob(Array(text.utf8))
      case (.text, .blob(let bytes)) where Self.isText(bytes): .blob(bytes)
      case (.bytes, .blob(let bytes)): .blob(bytes)
      default: throw UnfitState("The table \(name) holds what is no \(column.kind.rawValue) in \(column.name).")
      }
    }
  }

  /// Whether PostgreSQL takes the bytes as text.
  private static func isText(_ bytes: [UInt8]) -> Bool {
    !bytes.contains(0) && String(validating: bytes, as: UTF8.self) != nil
  }
}

extension MovedTable {
  /// All tables of a file that this program has made, each behind those that it refers to.
  static func all(of file: any SQLConnection) throws -> [MovedTable] {
    let own = """
      sqlite_master.type = 'table' AND sqlite_master.name NOT LIKE 'sqlite%' AND sqlite_master.name <> 'grdb_migrations'
      """
    let numbered = Set(
      try file.rows("SELECT name FROM sqlite_master WHERE \(own) AND sql LIKE '%AUTOINCREMENT%'") { row in
        try row.next(String.self)
      })
    let rows = try file.rows(
      """
      SELECT sqlite_master.name, info.name, info.type, info.pk FROM sqlite_master
      JOIN pragma_table_info(sqlite_master.name) AS info WHERE \(own)
      ORDER BY sqlite_master.name, info.cid
      """
    ) { row in
      (
        table: try row.next(String.self), name: try row.next(String.self), kind: try row.next(String.self),
        key: try row.next(Int.self)
      )
    }
    let tables = try Dictionary(grouping: rows, by: \.table).map { name, rows in
      MovedTable(
        name: name,
        columns: try rows.map { row in
          Column(name: row.name, kind: try Column.Kind(rawValue: row.kind).orFail("\(name).\(row.name) is \(row.kind)"))
        },
        key: rows.filter { $0.key > 0 }.sorted { $0.key < $1.key }.map(\.name), isNumbered: numbered.contains(name))
    }
    return try ordered(tables, by: references(file))
  }

  private static func references(_ file: any SQLConnection) throws -> [String: Set<String>] {
    let pairs = try file.rows(
      """
      SELECT sqlite_master.name, reference."table" FROM sqlite_master
      JOIN pragma_foreign_key_list(sqlite_master.name) AS reference WHERE sqlite_master.type = 'table'
      """
    ) { row in (try row.next(String.self), try row.next(String.self)) }
    return Dictionary(pairs.filter { $0 != $1 }.map { ($0, [$1]) }) { $0.union($1) }
  }

  private static func ordered(
    _ tables: [MovedTable], by references: [String: Set<String>]
  ) throws -> [MovedTable] {
    var ordered: [MovedTable] = []
    var rest = tables.sorted { $0.name < $1.name }
    while !rest.isEmpty {
      let waiting = Set(rest.map(\.name))
      let next = rest.filter { waiting.isDisjoint(with: references[$0.name] ?? []) }
      guard !next.isEmpty else { throw UnfitState("Its tables refer to each other in a circle.") }
      ordered += next
      rest.removeAll { table in next.contains { $0.name == table.name } }
    }
    return ordered
  }
}
