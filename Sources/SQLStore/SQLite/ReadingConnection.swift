import GRDB
import GRDBSQLite

/// A connection for reading, which GRDB opens and closes.
final class ReadingConnection {
  private let owner: DatabaseQueue
  private let connection: DirectConnection

  init(path: String, _ configuration: Configuration) throws {
    owner = try DatabaseQueue(path: path, configuration: configuration)
    connection = try owner.unsafeRead { database in try DirectConnection(of: database) }
  }

  func close() throws {
    connection.close()
    try owner.close()
  }

  /// Runs the body in one snapshot.
  func transaction<Value>(_ body: @Sendable (any SQLConnection) throws -> Value) throws -> Value {
    try connection.transaction(beginning: "BEGIN DEFERRED") { try body(connection) }
  }

  /// Nil where the database has none that can be read.
  func logIndex() throws -> LogIndex? {
    guard try connection.value(String.self, "PRAGMA journal_mode") == "wal" else { return nil }
    // The first read of a connection opens the log.
    _ = try dataVersion()
    return LogIndex(of: connection.handle)
  }

  /// A number that is another one once any other connection has committed.
  func dataVersion() throws -> Int64? {
    try connection.value(Int64.self, "PRAGMA data_version")
  }
}
