/// Says in a server's database that it was moved to a file. To a service that began on it again, all servers that were made since
/// would be strangers on the host, which it removes with their disks.
enum MoveMark {
  private static let key = "moved_to"

  /// The path of the file; nil where the database was not moved.
  static func read(_ connection: any SQLConnection) throws -> String? {
    try connection.value(String.self, "SELECT value FROM setting WHERE key = ?", [key])
  }

  static func write(_ path: String, to connection: any SQLConnection) throws {
    try connection.run(
      "INSERT INTO setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
      [key, path])
  }
}

extension SQLStore {
  /// Throws `DatabaseWasMoved` where a service must not begin.
  func requireUnmoved(_ address: PostgreSQLAddress) async throws {
    if let path = try await read({ connection in try MoveMark.read(connection) }) {
      throw DatabaseWasMoved(address: address, path: path)
    }
  }
}

package struct DatabaseWasMoved: Error, CustomStringConvertible {
  package let address: PostgreSQLAddress
  package let path: String

  package var description: String {
    "The database \(address) was moved to the file \(path): take `database` out of the configuration. A service on "
      + "the old database would remove the servers that were made since, with their disks. To go back to it for all "
      + "that, delete the row moved_to of its table setting."
  }
}
