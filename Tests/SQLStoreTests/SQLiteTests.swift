import Core
import Foundation
import GRDB
import TestSupport
import Testing

@testable import SQLStore

/// What holds for the file itself.
@Suite(.enabled(if: TestDatabase.isSQLite)) struct SQLiteTests {
  @Test("Only its owner can read the database, its log and its index")
  func fileMode() async throws {
    try await withStore { fixture in
      for suffix in ["", "-wal", "-shm"] {
        let attributes = try FileManager.default.attributesOfItem(atPath: fixture.path + suffix)
        #expect(attributes[.posixPermissions] as? Int == 0o600, "\(suffix)")
      }
    }
  }

  @Test("A database whose mode was widened is closed to others again when it is opened")
  func widenedMode() async throws {
    try await withEmptyStore { _, database in
      let path = database.path
      try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
      _ = try await database.open()
      #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
    }
  }

  @Test("What is read at once is of one moment, others read meanwhile, and a read that fails leaves nothing behind")
  func reads() async throws {
    try await withStore { fixture in
      let readers = try SQLiteDatabase(path: fixture.path, .upgrading).readers
      @Sendable func count(_ database: any SQLConnection) throws -> Int64? {
        try database.value(Int64.self, "SELECT COUNT(*) FROM setting WHERE key LIKE 'test%'")
      }
      for number in 1...5 {
        #expect(throws: Failure.self) {
          try readers.read { database in
            _ = try count(database)
            throw Failure.notFound
          }
        }
        let counts = try readers.read { database in
          let before = try count(database)
          try DatabaseQueue(path: fixture.path).write { other in
            try other.execute(sql: "INSERT INTO setting (key, value) VALUES ('test \(number)', '')")
          }
          return [before, try readers.read(count), try count(database)]
        }
        #expect(counts == [Int64(number - 1), Int64(number), Int64(number - 1)])
      }
    }
  }

  @Test("A store that was let go refuses to be read and written, and the process lives on")
  func afterRelease() async throws {
    try await withStore { fixture in
      let store = try SQLStore(path: fixture.path)
      _ = try await store.installationID()
      try store.release()
      for _ in 1...20 {
        await #expect(throws: Failure.self) { try await store.installationID() }
        await #expect(throws: Failure.self) { try await store.setReverseNames(areSaid: true, at: Fixture.now) }
      }
    }
  }

  @Test("A folder that does not exist is told by its path")
  func noFolder() throws {
    #expect(throws: UnusableFile.self) { try SQLStore(path: "/nonexistent/vpsd.sqlite") }
  }

  @Test("A database of a newer version is refused, and left as it is")
  func newerSchema() async throws {
    try await withStore { fixture in
      try await fixture.raw.execute("INSERT INTO grdb_migrations (identifier) VALUES ('99 from the future')")
      await #expect(throws: DatabaseIsNewer.self) { try await fixture.reopened() }
      #expect(try await fixture.raw.number("SELECT COUNT(*) FROM account") == 1)
    }
  }

  @Test("Processes that make the same database at the same moment agree on one", arguments: 1...60)
  func concurrentOpening(round: Int) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("store-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("vpsd.sqlite").path
    let ids = try await withThrowingTaskGroup(of: UUID.self) { group in
      for _ in 0..<4 {
        group.addTask { try await SQLStore(path: path).installationID() }
      }
      return try await group.reduce(into: Set()) { ids, id in ids.insert(id) }
    }
    #expect(ids.count == 1)
  }

  @Test(
    "The ledger can be neither changed nor deleted from",
    arguments: ["UPDATE ledger_entry SET amount = 1", "DELETE FROM ledger_entry"])
  func ledger(sql: String) async throws {
    try await withStore { fixture in
      let error = await #expect(throws: DatabaseError.self) { try await fixture.raw.execute(sql) }
      #expect(error?.message == "the ledger is append-only")
    }
  }

  @Test("What the store tells of an error of the program shows neither the statement nor its arguments")
  func errors() async throws {
    try await withStore { fixture in
      let store = try SQLStore(path: fixture.path)
      for sql in ["SELECT nothing FROM account WHERE email = ?", "INSERT INTO account (email) VALUES (?)"] {
        let error = await #expect(throws: (any Error).self) {
          try await store.write { database in try database.run(sql, ["secret@example.com"]) }
        }
        let text = String(reflecting: error)
        #expect(!text.contains("WHERE") && !text.contains("VALUES"))
        #expect(!text.contains("secret"))
        #expect(text.contains("SQLite"))
      }
    }
  }

  @Test(
    "The schema itself refuses what must never be",
    arguments: [
      "UPDATE account SET balance = -1",
      "UPDATE server SET status = 'melting'",
      "UPDATE operation SET state = 'running'",
      "UPDATE operation SET kind = 'dance'",
      "UPDATE operation SET finished_at = 1",
      "INSERT INTO address (family, number, bytes, prefix_length, location, server_id, assigned_at) SELECT 4, 7, X'00000007', 32, location, server_id, 0 FROM address LIMIT 1",
      "INSERT INTO address (family, number, bytes, prefix_length, location, server_id, assigned_at) VALUES (4, 7, X'00000007', 32, 'us-west', 99, 0)",
      "DELETE FROM server",
    ])
  func constraints(sql: String) async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer()
      for name in ["a", "b"] {
        _ = try await fixture.store.updateServer(
          server.id, ServerChange(hostname: Hostname(name)), by: fixture.caller, at: Fixture.now)
        _ = try await fixture.store.claimOperation(on: Fixture.host, at: Fixture.now)
      }
      let error = await #expect(throws: DatabaseError.self) { try await fixture.raw.execute(sql) }
      #expect(error?.resultCode == .SQLITE_CONSTRAINT)
    }
  }
}
