/// A database on a server that is to take the rows of a file.
struct ServerTarget {
  private let server: PostgreSQLConnection
  private let address: PostgreSQLAddress

  init(_ server: PostgreSQLConnection, _ address: PostgreSQLAddress) {
    self.server = server
    self.address = address
  }

  /// Copies and compares all rows in one transaction.
  func take(from file: any SQLConnection) throws -> StoreMove {
    try server.execute(
      """
      BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '60s';
      SET LOCAL idle_in_transaction_session_timeout = '10min';
      SELECT pg_advisory_xact_lock(\(AdvisoryLock.schema.arguments));
      SELECT pg_advisory_xact_lock(\(AdvisoryLock.write.arguments)); SET LOCAL lock_timeout = '10s'
      """, within: .seconds(70))
    do {
      let tables = try MovedTable.all(of: file)
      try makeEmpty(tables)
      for table in tables { try copy(table, from: file) }
      let counts = try tables.map { try StoreMove.compare($0, file: file, server: server) }
      // Without statistics, a service that began now would read whole tables for most queries.
      try server.execute(
        "ANALYZE \(tables.map(\.name).joined(separator: ", "))", within: PostgreSQLConnection.scriptLimit)
      try commit()
      return StoreMove(tableCount: tables.count, rowCount: counts.reduce(0, +))
    } catch {
      if server.isInsideTransaction { try server.execute("ROLLBACK") }
      throw error
    }
  }

  private func commit() throws {
    do {
      try server.execute("COMMIT", within: PostgreSQLConnection.scriptLimit)
    } catch let error as PostgreSQLError where server.isLost {
      throw UnusableDatabase(
        address,
        "the connection was lost at the very end, and whether all is there or nothing is not known: the same command once "
          + "more says that it is not empty, or does it (\(error.text))")
    }
  }

  /// Makes the tables in an empty database. Throws where there are tables of another kind, or rows in ours.
  private func makeEmpty(_ tables: [MovedTable]) throws {
    let applied = try PostgreSQLSchema.requireFit(server, address)
    let found = Set(try columns().map { $0.prefix { $0 != "." } })
    let current = PostgreSQLSchema.migrations.last?.number
    guard applied == nil ? found.isEmpty : applied == current else {
      let names = found.sorted().prefix(3).joined(separator: ", ")
      throw UnfitTarget(
        applied == nil
          ? "\(address) is not empty: it has tables of another program (\(names))."
          : "\(address) is not empty: it has the tables of an earlier version of this program.")
    }
    if applied == nil { try PostgreSQLSchema.makeTables(server) }
    try requireSameColumns(tables)
    for table in tables where !["host", "operation_kind"].contains(table.name) {
      try requireNone("SELECT 1 FROM \(table.name) LIMIT 1", table)
    }
    for table in tables.reversed() where ["host", "operation_kind"].contains(table.name) {
      // The migrations have written the first host and the kinds.
      if table.name == "host" { try requireNone("SELECT 1 FROM host WHERE id <> 1 OR server_count <> 0", table) }
      try server.run("DELETE FROM \(table.name)")
    }
  }

  private func requireNone(_ sql: String, _ table: MovedTable) throws {
    guard try server.rows(sql, isKept: false, { _ in true }).isEmpty else {
      throw UnfitTarget("\(address) is not empty: there is something in the table \(table.name).")
    }
  }

  private func requireSameColumns(_ tables: [MovedTable]) throws {
    let wanted = tables.flatMap { table in
      table.columns.map { "\(table.name).\($0.name) \(Self.types[$0.kind] ?? "")" }
    }
    let found = try columns().filter { !$0.hasPrefix("schema_migration.") }
    if let other = Set(wanted).symmetricDifference(found).min() {
      throw UnfitTarget("\(address) does not have the tables of this version: \(other.prefix { $0 != " " }) is other.")
    }
  }

  private static let types: [MovedTable.Column.Kind: String] = [.integer: "bigint", .text: "text", .bytes: "bytea"]

  /// The columns of all tables in our schema, such as `account.email text`.
  private func columns() throws -> [String] {
    try server.rows(
      """
      SELECT CAST(relname AS TEXT) || '.' || CAST(attname AS TEXT) || ' ' || format_type(atttypid, NULL)
      FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
      WHERE relkind IN ('r', 'p', 'f', 'v', 'm') AND relnamespace = to_regnamespace(CAST(current_schema() AS TEXT))
      """
    ) { row in try row.next(String.self) }
  }

  /// Copies the rows with the triggers off: the rows that they have written are copied, too.
  private func copy(_ table: MovedTable, from file: any SQLConnection) throws {
    try server.execute("ALTER TABLE \(table.name) DISABLE TRIGGER USER")
    do {
      try server.copy(table.copying) { take in
        try file.query(table.selection(from: false), [], isKept: false) { reader in try take(try table.row(&reader)) }
      }
    } catch let error as PostgreSQLError where error.state.hasPrefix("22") || error.state.hasPrefix("23") {
      throw UnfitState("A row of the table \(table.name) cannot be on a server of PostgreSQL: \(error.text).")
    }
    try server.execute("ALTER TABLE \(table.name) ENABLE TRIGGER USER")
    guard table.isNumbered else { return }
    let last = try lastNumber(of: table, in: file)
    try server.execute("ALTER TABLE \(table.name) ALTER COLUMN id RESTART WITH \(last + 1)")
  }

  /// The last id that was given: it must not be given again, even where its row is gone.
  private func lastNumber(of table: MovedTable, in file: any SQLConnection) throws -> Int64 {
    let given = try file.value(Int64.self, "SELECT seq FROM sqlite_sequence WHERE name = ?", [table.name]) ?? 0
    let greatest = try file.value(Int64?.self, "SELECT MAX(id) FROM \(table.name)") ?? nil
    return max(given, greatest ?? 0)
  }
}
