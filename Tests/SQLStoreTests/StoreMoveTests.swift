import Core
import Engine
import Foundation
import GRDB
import TestSupport
import Testing

@testable import SQLStore

/// Between a file and a server, whichever database the other suites are on.
@Suite("A database moves to a server and back")
struct StoreMoveTests {
  /// A file of this version, and what it held before anybody moved it.
  private static func withFile(
    _ body: (_ path: String, _ server: TestPostgreSQL.Database) async throws -> Void
  ) async throws {
    let folder = try ScopedFolder(.memory)
    defer { withExtendedLifetime(folder) {} }
    let path = folder.url.path + "/vpsd.sqlite"
    try #require(ReleasedDatabase.all.last).restore(to: path)
    try SQLStore(path: path).release()
    try await body(path, try await TestPostgreSQL.Database(empty: ()))
  }

  private static func numbers(_ path: String) async throws -> [String] {
    try await RawDatabase(path: path).text("SELECT name || ' ' || seq FROM sqlite_sequence ORDER BY name")
  }

  @Test(
    "Every row and every number that was given is the same there, and after the way back; and nothing follows twice")
  func thereAndBack() async throws {
    try await Self.withFile { path, server in
      let raw = RawDatabase(path: path)
      // The newest rows are gone, and their numbers are not given again; and what is stored in no other way is there.
      try await raw.execute(
        """
        UPDATE sqlite_sequence SET seq = 4711 WHERE name = 'event';
        UPDATE plan SET name = 'Größe ' || char(10, 9, 92, 39, 0x1F4A7, 0xFFFF) WHERE id = 1;
        INSERT INTO server_user_data (server_id, sealed) SELECT id, x'00ff275c0a' FROM server WHERE deleted_at IS NULL LIMIT 1;
        """)
      let (before, numbers) = (try Contents(of: path), try await Self.numbers(path))
      let there = try await StoreMove.move(file: path, to: server.address)
      #expect(there.rowCount > 50 && there.tableCount > 30)
      #expect(try Contents(of: path) == before)
      let back = path + ".back"
      let returned = try await StoreMove.move(server.address, toFile: back)
      #expect(returned.rowCount == there.rowCount)
      #expect(try Contents(of: back) == before)
      #expect(try Contents.schema(of: back) == Contents.schema(of: path))
      #expect(try await Self.numbers(back) == numbers)
      await #expect(throws: DatabaseWasMoved.self) { try await SQLStore.open(.server(server.address), as: .alone) }
      try await SQLStore.open(.server(server.address), .asItIs).release()
      await #expect(throws: UnfitState.self) { try await StoreMove.move(server.address, toFile: path + ".again") }
      let mode = try FileManager.default.attributesOfItem(atPath: back)[.posixPermissions] as? NSNumber
      #expect(mode?.intValue == 0o600)
      #expect(!FileManager.default.fileExists(atPath: back + ".partial"))
      // Triggers are in force again, and the next number is the one after the last, on both.
      let event =
        "INSERT INTO event (account_id, server_id, what, at) SELECT account_id, id, 'test', 0 FROM server LIMIT 1"
      for database in [RawDatabase(.server(server.address)), RawDatabase(path: back)] {
        try await database.execute(event)
        #expect(try await database.number("SELECT MAX(id) FROM event") == 4712)
        await #expect(throws: (any Error).self) { try await database.execute("DELETE FROM ledger_entry") }
        try await database.execute(
          "UPDATE server SET status = CASE status WHEN 'error' THEN 'stopped' ELSE 'error' END WHERE deleted_at IS NULL"
        )
        #expect(try await database.number("SELECT MAX(id) FROM event") ?? 0 > 4712)
      }
    }
  }

  @Test("A row that is other, missing or too many is found")
  func differences() async throws {
    try await Self.withFile { path, server in
      _ = try await StoreMove.move(file: path, to: server.address)
      func compare() async throws -> Int {
        try SQLiteDatabase.exclusively(path) { file in
          let connection = try PostgreSQLConnection(server.address)
          try connection.execute("BEGIN")
          return try MovedTable.all(of: file).map { try StoreMove.compare($0, file: file, server: connection) }
            .reduce(0, +)
        }
      }
      let raw = RawDatabase(.server(server.address))
      let name = "UPDATE plan SET name = 'é' WHERE id = 1"
      for database in [raw, RawDatabase(path: path)] { try await database.execute(name) }
      #expect(try await compare() > 50)
      for (change, undo) in [
        // The same letter, written in another way.
        ("UPDATE plan SET name = 'e' || chr(769) WHERE id = 1", name),
        ("INSERT INTO setting VALUES ('z', '')", "DELETE FROM setting WHERE key = 'z'"),
        ("DELETE FROM audit WHERE id = (SELECT MAX(id) FROM audit)", ""),
      ] {
        try await raw.execute(change)
        await #expect(throws: DifferentRow.self, "\(change)") { try await compare() }
        if !undo.isEmpty { try await raw.execute(undo) }
      }
    }
  }

  @Test("A target in which there is anything, that is other, or that is served, is refused and stays as it is")
  func unfitTargets() async throws {
    try await Self.withFile { path, _ in
      for (script, complaint) in [
        ("CREATE TABLE shop (id BIGINT)", "tables of another program (shop)"),
        ("INSERT INTO setting VALUES ('a', 'b')", "there is something in the table setting"),
        ("UPDATE host SET server_count = 1", "there is something in the table host"),
        ("DELETE FROM schema_migration WHERE number > 24", "an earlier version"),
        ("ALTER TABLE account ADD COLUMN colour TEXT", "account.colour is other"),
        ("ALTER TABLE account ALTER COLUMN balance TYPE NUMERIC", "account.balance is other"),
        ("DROP TABLE metric", "metric."),
      ] {
        let server = try await (script.contains("shop") ? .init(empty: ()) : TestPostgreSQL.Database())
        try RawPostgreSQL(server.url).execute(script)
        let before = try server.content()
        let error = await #expect(throws: UnfitTarget.self, "\(script)") {
          try await StoreMove.move(file: path, to: server.address)
        }
        #expect(error?.description.contains(complaint) == true, "\(String(describing: error))")
        #expect(try server.content() == before)
      }
      let newer = try await TestPostgreSQL.Database()
      try RawPostgreSQL(newer.url).execute("INSERT INTO schema_migration (number) VALUES (1000)")
      await #expect(throws: DatabaseIsNewer.self) { try await StoreMove.move(file: path, to: newer.address) }
      let served = try await TestPostgreSQL.Database()
      let service = try await SQLStore.open(.server(served.address), as: .alone)
      await #expect(throws: DatabaseIsServed.self) { try await StoreMove.move(file: path, to: served.address) }
      try service.release()
      // With all tables and nothing in them it is as good as one without.
      #expect(try await StoreMove.move(file: path, to: served.address).rowCount > 50)
      let taken = path + ".taken"
      try "precious".write(toFile: taken, atomically: false, encoding: .utf8)
      await #expect(throws: UnfitTarget.self) { try await StoreMove.move(served.address, toFile: taken) }
      #expect(try String(contentsOfFile: taken, encoding: .utf8) == "precious")
    }
  }

  @Test(
    "What a server cannot hold, and what contradicts itself, is refused by its table, and nothing is kept",
    arguments: [
      ("UPDATE plan SET name = 'a' || char(0) || 'b' WHERE id = 1", "The table plan holds what is no TEXT in name"),
      ("UPDATE plan SET name = CAST(x'ff' AS TEXT) WHERE id = 1", "The table plan holds what is no TEXT in name"),
      ("UPDATE account SET balance = balance + 1", "It contradicts itself: "),
    ])
  func unfitRows(script: String, complaint: String) async throws {
    try await Self.withFile { path, server in
      try await RawDatabase(path: path).execute(script)
      let before = try Contents(of: path)
      let error = await #expect(throws: UnfitState.self) { try await StoreMove.move(file: path, to: server.address) }
      #expect(error?.description.contains(complaint) == true, "\(String(describing: error))")
      #expect(try RawPostgreSQL(server.url).rows("SELECT relname FROM pg_class WHERE relname = 'plan'") == [])
      #expect(try Contents(of: path) == before)
    }
  }
}
