package import Core
package import Foundation
package import SQLStore

/// The database of one test, with all tables and no rows: a SQLite file, or with `VPSD_TEST_DATABASE=postgresql` a database on
/// the server of this process (`TestPostgreSQL`), which is dropped with this object.
package final class TestDatabase: Sendable {
  package enum Kind: String, Sendable {
    case sqlite, postgresql
  }

  /// The kind of database for this test run.
  package static let kind: Kind = {
    let said = ProcessInfo.processInfo.environment["VPSD_TEST_DATABASE"] ?? Kind.sqlite.rawValue
    let kind = Kind(rawValue: said)
    precondition(kind != nil, "VPSD_TEST_DATABASE is neither sqlite nor postgresql")
    return kind ?? .sqlite
  }()

  /// For suites that test the file, or read it.
  package static var isSQLite: Bool { kind == .sqlite }

  package let location: DatabaseLocation
  /// The PostgreSQL database; nil for a file.
  package let onServer: TestPostgreSQL.Database?

  /// - Parameter folder: The folder for a file.
  package init(in folder: URL, _ kind: Kind = TestDatabase.kind) async throws {
    switch kind {
    case .sqlite:
      let file = Self.file(in: folder)
      try NewDatabase.write(to: file)
      location = .file(file.path)
      onServer = nil
    case .postgresql:
      let database = try await TestPostgreSQL.Database()
      location = .server(database.address)
      onServer = database
    }
  }

  /// A copy of another database, to which nobody may be connected.
  package init(copying other: TestDatabase, in folder: URL) async throws {
    switch other.onServer {
    case nil:
      let file = Self.file(in: folder)
      try FileManager.default.copyItem(atPath: other.path, toPath: file.path)
      location = .file(file.path)
      onServer = nil
    case let server?:
      let database = try await TestPostgreSQL.Database(copying: server)
      location = .server(database.address)
      onServer = database
    }
  }

  /// The file that another service left in the folder.
  package init(inheriting folder: URL) {
    location = .file(Self.file(in: folder).path)
    onServer = nil
  }

  package func open(_ opening: SQLStore.Opening = .upgrading, tariff: Tariff = Tariff()) async throws -> SQLStore {
    try await SQLStore.open(location, opening, tariff: tariff)
  }

  /// The whole content as bytes, which are the same until something changes and contain every stored text.
  package func content(by store: SQLStore) async throws -> Data {
    if let onServer { return try onServer.content() }
    let copy = path + ".copy-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: copy) }
    try await store.backUp(to: copy)
    return try Data(contentsOf: URL(fileURLWithPath: copy))
  }

  /// The path of the file; empty for PostgreSQL.
  package var path: String {
    if case .file(let path) = location { path } else { "" }
  }

  private static func file(in folder: URL) -> URL { folder.appendingPathComponent("vpsd.sqlite") }
}
