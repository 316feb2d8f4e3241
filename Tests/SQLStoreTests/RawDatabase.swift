import GRDB
import SQLStore
import TestSupport

/// The database behind the store's back, for what no method of the port shows.
struct RawDatabase {
  private let location: DatabaseLocation

  init(_ location: DatabaseLocation) {
    self.location = location
  }

  init(path: String) {
    self.init(.file(path))
  }

  func number(_ sql: String) async throws -> Int64? {
    try await text(sql).first.flatMap { Int64($0) }
  }

  func text(_ sql: String) async throws -> [String] {
    switch location {
    case .file(let path): try await DatabaseQueue(path: path).read { try String.fetchAll($0, sql: sql) }
    case .server(let address): try RawPostgreSQL(address.url).rows(sql).map { $0[0] ?? "" }
    }
  }

  func execute(_ sql: String) async throws {
    switch location {
    case .file(let path): try await DatabaseQueue(path: path).write { try $0.execute(sql: sql) }
    case .server(let address): try RawPostgreSQL(address.url).execute(sql)
    }
  }
}
