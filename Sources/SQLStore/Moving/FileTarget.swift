import Foundation

/// A new file that is to take the rows of a database on a server.
struct FileTarget {
  private let path: String
  /// The file until it is complete.
  private var partial: String { path + ".partial" }

  init(_ path: String) {
    self.path = path
  }

  func take(from server: PostgreSQLConnection) throws -> StoreMove {
    for suffix in ["", "-wal", "-shm"] where Self.exists(path + suffix) {
      throw UnfitTarget("\(path + suffix) is there already.")
    }
    if let other = try MoveMark.read(server) {
      throw UnfitState(
        "It was moved to \(other) already. To move it once more, delete the row moved_to of its table setting.")
    }
    removePartial()
    defer { removePartial() }
    try SQLStore(path: partial).release()
    let move = try reading(server) {
      try SQLiteDatabase.exclusively(partial) { file in try fill(file, from: server) }
    }
    try finish()
    do {
      try MoveMark.write(path, to: server)
    } catch {
      unlink(path)
      throw error
    }
    return move
  }

  /// Whether there is anything at the path, even a broken link.
  private static func exists(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0
  }

  private func removePartial() {
    for suffix in ["", "-wal", "-shm"] { unlink(partial + suffix) }
  }

  /// Runs the body in one snapshot, and keeps all others from writing meanwhile.
  private func reading<Value>(_ server: PostgreSQLConnection, _ body: () throws -> Value) throws -> Value {
    // Before the snapshot, which the transaction's first query takes.
    try server.execute("SELECT pg_advisory_lock(\(AdvisoryLock.write.arguments))")
    try server.execute(
      """
      BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0;
      SET LOCAL idle_in_transaction_session_timeout = '10min'
      """)
    defer { if server.isInsideTransaction { _ = try? server.execute("ROLLBACK") } }
    return try body()
  }

  private func fill(_ file: any SQLConnection, from server: PostgreSQLConnection) throws -> StoreMove {
    try file.runScript("PRAGMA defer_foreign_keys = ON")
    // The triggers are removed meanwhile: the rows that they have written are copied, too.
    let triggers = try file.rows(
      "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY rowid"
    ) { row in (name: try row.next(String.self), sql: try row.next(String.self)) }
    for trigger in triggers { try file.runScript("DROP TRIGGER \"\(trigger.name)\"") }
    let tables = try MovedTable.all(of: file)
    // The rows that the migrations have written.
    for table in tables.reversed() { try file.run("DELETE FROM \(table.name)") }
    for table in tables { try copy(table, to: file, from: server) }
    for trigger in triggers { try file.runScript(trigger.sql) }
    let counts = try tables.map { try StoreMove.compare($0, file: file, server: server) }
    return StoreMove(tableCount: tables.count, rowCount: counts.reduce(0, +))
  }

  private func copy(_ table: MovedTable, to file: any SQLConnection, from server: PostgreSQLConnection) throws {
    let cursor = try PostgreSQLCursor(server, table.selection(from: true))
    while case let rows = try cursor.next(table.row), !rows.isEmpty {
      for row in rows { try file.run(table.insertion, row) }
    }
    try cursor.close()
    guard table.isNumbered else { return }
    try file.run("DELETE FROM sqlite_sequence WHERE name = ?", [table.name])
    let last = try lastNumber(of: table, on: server)
    if last > 0 { try file.run("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", [table.name, last]) }
  }

  /// The last id that was given: it must not be given again, even where its row is gone.
  private func lastNumber(of table: MovedTable, on server: PostgreSQLConnection) throws -> Int64 {
    let numbers = try server.value(String?.self, "SELECT pg_get_serial_sequence(?, 'id')", [table.name])
    let name = try (numbers ?? nil).orFail("the rows of \(table.name) are not numbered")
    return try server.rows(
      "SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM \(name)", isKept: false
    ) { row in try row.next(Int64.self) }.first ?? 0
  }

  /// Gives the file its name durably, and never replaces another file.
  private func finish() throws {
    let file = open(partial, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw UnusableFile(path: partial, reason: String(cString: strerror(errno))) }
    defer { close(file) }
    guard fsync(file) == 0 else { throw UnusableFile(path: partial, reason: String(cString: strerror(errno))) }
    guard link(partial, path) == 0 else { throw UnusableFile(path: path, reason: String(cString: strerror(errno))) }
    let folder = open((path as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if folder >= 0 {
      fsync(folder)
      close(folder)
    }
  }
}
