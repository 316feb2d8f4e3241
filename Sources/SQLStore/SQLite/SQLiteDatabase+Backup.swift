package import Foundation
import GRDB

extension SQLiteDatabase {
  func release() throws {
    try readers.close()
    // All of it in the one file.
    try pool.writeWithoutTransaction { database in try database.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
    try pool.close()
  }

  func backUp(to path: String) async throws {
    let file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw UnusableFile(path: path, reason: String(cString: strerror(errno))) }
    defer { close(file) }
    do {
      try await pool.writeWithoutTransaction { database in
        // A reader in SQLite's eyes: it sees one moment and keeps nobody from writing.
        try database.execute(sql: "VACUUM INTO ?", arguments: [path])
      }
      guard fsync(file) == 0 else { throw UnusableFile(path: path, reason: String(cString: strerror(errno))) }
    } catch {
      unlink(path)
      throw error
    }
  }
}

extension SQLStore {
  /// The name of the installation that a database of whatever version is of, which stays as it is; nil where it has none.
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

  /// Throws `UnfitState` where the file, which nobody else has open, is no database of this program that can be served, with
  /// nothing in it that contradicts anything else. One of an earlier version is brought up to date.
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
    // All of it in the one file.
    try database.release()
  }
}

package struct UnfitState: Error, CustomStringConvertible {
  package let description: String

  init(_ reason: String) {
    description = reason
  }
}
