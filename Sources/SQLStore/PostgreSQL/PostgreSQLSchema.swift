/// The tables on a PostgreSQL server. The first migration makes them, and later ones change them, numbered like those of
/// SQLite. A released migration is never changed again.
enum PostgreSQLSchema {
  /// The first one makes all that the migrations of SQLite up to its number have made.
  static let migrations: [(number: Int64, script: String)] = [
    (24, [functions, accounts, servers, records, shares, events].joined(separator: "\n")),
    (25, replicas), (26, reverseNames), (27, Schema.backupsByHost), (28, networkNames), (29, ownHosts),
    (30, instantServers), (31, moves), (32, fences), (33, longLists),
    (34, Schema.claimableOperations),
  ]

  private static let oldestVersion = 140_000

  /// Brings the database to this version; with `asItIs`, throws where it has another one.
  static func prepare(
    _ connection: PostgreSQLConnection, _ opening: SQLStore.Opening, _ address: PostgreSQLAddress
  ) throws {
    let applied = try requireFit(connection, address)
    let path = address.description
    switch opening {
    case .asItIs:
      guard let applied else { throw DatabaseIsMissing(path: path) }
      if applied < (migrations.last?.number ?? 0) { throw DatabaseIsOlder(path: path) }
    case .upgrading:
      if applied != migrations.last?.number { try migrate(connection) }
    }
  }

  /// Returns the number of the last migration; nil where there was none. Throws where the server is too old, its encoding is
  /// not UTF-8, or the migration is newer than this version.
  static func requireFit(_ connection: PostgreSQLConnection, _ address: PostgreSQLAddress) throws -> Int64? {
    guard connection.serverVersion >= oldestVersion else {
      throw UnusableDatabase(address, "its server is older than PostgreSQL 14")
    }
    guard connection.serverEncoding == "UTF8" else {
      throw UnusableDatabase(address, "its encoding is not UTF8")
    }
    let applied = try applied(connection)
    if let applied, applied > (migrations.last?.number ?? 0) { throw DatabaseIsNewer(path: address.description) }
    return applied
  }

  /// The number of the last migration; nil where there was none.
  private static func applied(_ connection: PostgreSQLConnection) throws -> Int64? {
    let exists = try connection.value(Bool.self, "SELECT to_regclass('schema_migration') IS NOT NULL")
    guard exists == true else { return nil }
    return try connection.value(Int64?.self, "SELECT MAX(number) FROM schema_migration") ?? nil
  }

  /// Applies all missing migrations in one transaction. Locks keep processes from doing so at the same time, and services of
  /// the version before from writing meanwhile.
  private static func migrate(_ connection: PostgreSQLConnection) throws {
    try connection.execute(
      """
      BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '60s';
      SELECT pg_advisory_xact_lock(\(AdvisoryLock.schema.arguments));
      SELECT pg_advisory_xact_lock(\(AdvisoryLock.write.arguments))
      """, within: .seconds(70))
    do {
      try makeTables(connection)
      try connection.execute("COMMIT", within: PostgreSQLConnection.scriptLimit)
    } catch {
      if connection.isInsideTransaction { try connection.execute("ROLLBACK") }
      throw error
    }
  }

  /// Applies all missing migrations in the current transaction.
  static func makeTables(_ connection: PostgreSQLConnection) throws {
    // A connection that has seen no such table does not notice a new one before it locks a table.
    try connection.execute("CREATE TABLE IF NOT EXISTS schema_migration (number BIGINT PRIMARY KEY)")
    let last = try connection.value(Int64?.self, "SELECT MAX(number) FROM schema_migration") ?? nil
    for migration in migrations where migration.number > last ?? 0 {
      try connection.runScript(migration.script)
      try connection.run("INSERT INTO schema_migration (number) VALUES (?)", [migration.number])
    }
  }
}
