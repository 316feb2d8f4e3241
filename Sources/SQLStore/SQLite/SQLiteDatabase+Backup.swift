package import Foundation
import GRDB

extension SQLiteDatabase {
  func release() throws {
    try readers.close()
    try mark.close()
    // Moves everything from the log into the file.
    try pool.writeWithoutTransaction { database in
      writer.close()
      try database.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
    }
    try pool.close()
  }

  /// The copy has a connection of its own: to SQLite it is a reader, which sees one snapshot and keeps nobody from writing, but
  /// on the connection that writes every write would wait for its end.
  func backUp(to path: String) async throws {
    let connection = try Self.copyingConnection(pool.path)
    defer { try? connection.close() }
    try await connection.writeWithoutTransaction { database in try Self.writeCopy(of: database, to: path) }
  }

  static func copyingConnection(_ path: String) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.label = "copy"
    configuration.busyMode = .timeout(5)
    configuration.prepareDatabase { database in
      for function in [DatabaseFunction.lower, .clock, .silence] { database.add(function: function) }
    }
    return try DatabaseQueue(path: path, configuration: configuration)
  }

  /// Writes a copy into a new file, which only its owner can read, and reads all of it back, because a disk may not keep what it
  /// took. A copy that is not whole is deleted. Blocks.
  static func writeCopy(of database: Database, to path: String) throws {
    let file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw UnusableFile(path: path, reason: String(cString: strerror(errno))) }
    defer { close(file) }
    do {
      try database.execute(sql: "VACUUM INTO ?", arguments: [path])
      guard fsync(file) == 0 else { throw UnusableFile(path: path, reason: String(cString: strerror(errno))) }
      try requireWhole(path)
    } catch {
      unlink(path)
      throw error
    }
  }

  private static func requireWhole(_ path: String) throws {
    var configuration = Configuration()
    configuration.readonly = true
    configuration.prepareDatabase { database in database.add(function: .lower) }
    let copy = try DatabaseQueue(path: path, configuration: configuration)
    let fault = try copy.inDatabase { database in
      try Schema.migrator.appliedMigrations(database).isEmpty
        ? "it has no tables" : String.fetchOne(database, sql: "PRAGMA integrity_check(1)")
    }
    try copy.close()
    guard fault == "ok" else { throw UnusableFile(path: path, reason: "what was written is damaged: \(fault ?? "")") }
  }
}

extension SQLStore {
  /// The id of the installation that a database of any version belongs to; nil where it has none. The database stays as it is.
  package static func installationID(at path: String) throws -> UUID? {
    guard access(path, F_OK) == 0 else { throw DatabaseIsMissing(path: path) }
    do {
      var configuration = Configuration()
      configuration.busyMode = .timeout(5)
      let connection = try DatabaseQueue(path: path, configuration: configuration)
      defer { try? connection.close() }
      let text = try connection.inDatabase { database in
        try database.value(String.self, "SELECT value FROM setting WHERE key = 'installation_id'")
      }
      return text.flatMap(UUID.init(uuidString:))
    } catch let error as DatabaseError {
      throw UnusableFile(path: path, reason: error.message ?? "SQLite error \(error.extendedResultCode)")
    }
  }

  /// Throws `UnfitState` where the file is no database of this program, holds no account or contradicts itself. Nobody else may
  /// have it open. A database of an earlier version is brought up to date.
  package static func requireServable(_ path: String) async throws {
    do {
      let connection = try DatabaseQueue(path: path)
      defer { try? connection.close() }
      if try connection.inDatabase({ try Schema.migrator.hasBeenSuperseded($0) }) {
        throw UnfitState("A newer version of this program wrote it.")
      }
      let isOurs = try Schema.isOurs(connection)
      guard isOurs else { throw UnfitState("It is no database of vpsd, or somebody has changed its tables.") }
    } catch let error as DatabaseError {
      throw UnfitState("It is no database that can be read: \(error.message ?? "\(error.extendedResultCode)").")
    }
    let database = try SQLStore(path: path)
    guard try await database.isBootstrapped() else { throw UnfitState("It holds no account.") }
    let contradictions = try await database.contradictions()
    guard contradictions.isEmpty else {
      throw UnfitState("It contradicts itself: " + contradictions.joined(separator: "; "))
    }
    // Moves everything from the log into the file.
    try database.release()
  }
}

package struct UnfitState: Error, CustomStringConvertible {
  package let description: String

  init(_ reason: String) {
    description = reason
  }
}
