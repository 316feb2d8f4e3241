import GRDB

/// The file behind the store's back, for what no method of the port shows.
struct RawDatabase {
  let path: String

  func number(_ sql: String) async throws -> Int64? {
    try await DatabaseQueue(path: path).read { database in try Int64.fetchOne(database, sql: sql) }
  }

  func text(_ sql: String) async throws -> [String] {
    try await DatabaseQueue(path: path).read { database in try String.fetchAll(database, sql: sql) }
  }

  func execute(_ sql: String) async throws {
    try await DatabaseQueue(path: path).write { database in try database.execute(sql: sql) }
  }
}
