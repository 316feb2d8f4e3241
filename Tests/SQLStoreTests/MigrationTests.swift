import Core
import Engine
import Foundation
import GRDB
import Synchronization
import TestSupport
import Testing

@testable import SQLStore

@Suite("An installation of any released version goes on with this one", .enabled(if: TestDatabase.isSQLite))
struct MigrationTests {
  @Test("Every row and every value is kept, and nothing contradicts anything", arguments: ReleasedDatabase.all)
  func keepsEverything(released: ReleasedDatabase) async throws {
    try await withTemporaryFolder { folder in
      let path = folder.appendingPathComponent("vpsd.sqlite").path
      try released.restore(to: path)
      let before = try Contents(of: path)
      let empty = before.rows.filter { $0.value.isEmpty }.keys
      #expect(empty.isEmpty, "The fixture has no row in \(empty).")
      let store = try SQLStore(path: path)
      #expect(try Contents(of: path, columns: before.columns) == before)
      #expect(try await store.contradictions() == [])
    }
  }

  @Test(
    "Nobody is made an operator by it, and every account is found by its address",
    arguments: ReleasedDatabase.beforeOperators)
  func operators(released: ReleasedDatabase) async throws {
    try await withTemporaryFolder { folder in
      let path = folder.path + "/vpsd.sqlite"
      try released.restore(to: path)
      let email = "ÜNAL@Example.com"
      try await RawDatabase(path: path).execute(
        "UPDATE account SET email = '\(email)' WHERE id = (SELECT MIN(id) FROM account)")
      let store = try SQLStore(path: path)
      let accounts = try await store.accounts(after: nil, limit: 100)
      #expect(accounts.first?.email == email)
      #expect(!accounts.isEmpty && accounts.allSatisfy { !$0.isOperator })
      for account in accounts {
        let found = try await store.accounts(beginning: account.email.uppercased(), after: nil, limit: 100)
        #expect(found.contains(account), "\(account.email)")
      }
    }
  }

  @Test("Work goes on: what was under way comes to an end, and new servers are made", arguments: ReleasedDatabase.all)
  func goesOn(released: ReleasedDatabase) async throws {
    let folder = try ScopedFolder()
    try released.restore(to: folder.url.appendingPathComponent("vpsd.sqlite").path)
    let service = try await TestService(inheriting: folder, token: ReleasedDatabase.token)
    let unfinished = try await service.store.inventory().filter(\.hasOperation)
    #expect(unfinished.count >= 5)
    try await service.settle()
    // Their machines and copies were on another host: those that should run are missed, and end in error with a reason.
    for copies in [service.backups, service.snapshots] {
      for copy in try await copies.list(.init(), service.owner).elements {
        try await copies.delete(copy.id, service.owner)
      }
    }
    await service.monitor.pollOnce()
    try await service.settle()
    #expect(try await service.contradictionsAtRest() == [])
    let id = try await service.activeServer()
    #expect(try await service.status(of: id) == .active)
    for server in try await service.store.allServers() where server.accountID == service.owner.accountID {
      try await service.servers.delete(server.id, service.owner)
    }
    try await service.settle()
    #expect(try await service.contradictions() == [])
  }

  @Test("A migration that was released is never changed", arguments: ReleasedDatabase.all)
  func isUnchanged(released: ReleasedDatabase) async throws {
    try await withTemporaryFolder { folder in
      let (then, now) = (folder.path + "/then.sqlite", folder.path + "/now.sqlite")
      try released.restore(to: then)
      try Schema.migrator.migrate(DatabaseQueue(path: now), upTo: released.migration)
      #expect(try Contents.schema(of: now) == Contents.schema(of: then))
    }
  }

  @Test(
    "A process that dies anywhere in a migration leaves the old schema or a newer one, whole",
    arguments: ReleasedDatabase.all)
  func diesInside(released: ReleasedDatabase) async throws {
    try await withTemporaryFolder { folder in
      let path = folder.path + "/vpsd.sqlite"
      try released.restore(to: path)
      let before = try Contents(of: path)
      let snapshots = Mutex((count: 0, lastLogBytes: -1))
      var configuration = Configuration()
      configuration.prepareDatabase { database in
        // So that half of a transaction is in the log before its end.
        try database.execute(sql: "PRAGMA cache_size = 1")
        // What a power cut would leave of the files at the end of each statement.
        database.trace(options: .profile) { _ in
          let log = try? FileManager.default.attributesOfItem(atPath: path + "-wal")[.size] as? NSNumber
          snapshots.withLock { snapshots in
            guard log?.intValue != snapshots.lastLogBytes else { return }
            snapshots = (snapshots.count + 1, log?.intValue ?? 0)
            let count = snapshots.count
            for suffix in ["", "-wal"] {
              try? FileManager.default.copyItem(
                atPath: path + suffix, toPath: folder.path + "/\(count).sqlite\(suffix)")
            }
          }
        }
      }
      let pool = try DatabasePool(path: path, configuration: configuration)
      try Schema.migrator.migrate(pool)
      try pool.close()
      let count = snapshots.withLock { $0.count }
      #expect(count > 5 || released.migration == Schema.migrator.migrations.last)
      for number in 1...count {
        let snapshot = folder.path + "/\(number).sqlite"
        let store = try SQLStore(path: snapshot)
        #expect(try await store.contradictions() == [], "dead after statement \(number)")
        #expect(try Contents(of: snapshot, columns: before.columns) == before, "dead after statement \(number)")
      }
    }
  }

  @Test(
    "Whoever works beside the service leaves an older database as it is, and says what to do",
    arguments: ReleasedDatabase.all)
  func olderStaysAsItIs(released: ReleasedDatabase) async throws {
    try await withTemporaryFolder { folder in
      let path = folder.path + "/vpsd.sqlite"
      #expect(throws: DatabaseIsMissing.self) { try SQLStore(path: path, .asItIs) }
      #expect(throws: DatabaseIsMissing.self) { try SQLStore.installationID(at: path) }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
      try released.restore(to: path)
      let before = try Data(contentsOf: URL(fileURLWithPath: path))
      let installation = try SQLStore.installationID(at: path)
      if released.migration != Schema.migrator.migrations.last {
        let error = #expect(throws: DatabaseIsOlder.self) { try SQLStore(path: path, .asItIs) }
        #expect(error?.description.contains("Start the service of this version") == true)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
      }
      let store = try SQLStore(path: path)
      #expect(try await store.installationID() == installation)
      #expect(try await SQLStore(path: path, .asItIs).contradictions() == [])
    }
  }

  @Test("A state of any released version can be put back, and nothing that is none", arguments: ReleasedDatabase.all)
  func servable(released: ReleasedDatabase) async throws {
    try await withTemporaryFolder { folder in
      let path = folder.path + "/state.sqlite"
      try released.restore(to: path)
      for change in [
        "ALTER TABLE account ADD COLUMN extra TEXT",
        "DROP INDEX IF EXISTS sqlite_none; CREATE TABLE stranger (id INTEGER)",
        "DELETE FROM grdb_migrations", "INSERT INTO grdb_migrations (identifier) VALUES ('99 from the future')",
        "PRAGMA foreign_keys = OFF; DELETE FROM address",
      ] {
        let changed = folder.path + "/changed.sqlite"
        try? FileManager.default.removeItem(atPath: changed)
        try released.restore(to: changed)
        let queue = try DatabaseQueue(path: changed)
        try await queue.writeWithoutTransaction { try $0.execute(sql: change) }
        try queue.close()
        await #expect(throws: UnfitState.self, "\(change)") { try await SQLStore.requireServable(changed) }
      }
      try await SQLStore.requireServable(path)
      #expect(!FileManager.default.fileExists(atPath: path + "-wal"))
    }
  }

  @Test("Plans and rescue systems of before there were bounds are kept, and what breaks one is refused from then on")
  func bounds() async throws {
    try await withTemporaryFolder { folder in
      let path = folder.path + "/vpsd.sqlite"
      try ReleasedDatabase.all[0].restore(to: path)
      let queue = try DatabaseQueue(path: path)
      try Schema.migrator.migrate(queue, upTo: "20 metrics")
      let raw = RawDatabase(path: path)
      try await raw.execute(
        """
        UPDATE plan SET cpu_weight = 250, disk_iops = 4000, disk_mib_per_second = 200, port_speed_mbit = 100 WHERE id = 1;
        UPDATE plan SET cpu_weight = 10000 WHERE id = 3;
        UPDATE sqlite_sequence SET seq = 41 WHERE name = 'plan';
        INSERT INTO rescue (server_id) SELECT id FROM server WHERE deleted_at IS NULL ORDER BY id LIMIT 1;
        INSERT INTO operation (server_id, kind, state, not_before, created_at)
          SELECT server_id, 'rescue', 'queued', 0, 0 FROM rescue;
        """)
      let before = try Contents(of: path)
      // What nobody can be held to becomes what is nearest, as it was before this.
      let unbound = "UPDATE plan SET cpu_weight = 20000, disk_iops = -5, disk_mib_per_second = -7 WHERE id = 3"
      try await raw.execute(unbound)
      #expect(try await raw.number("SELECT MAX(cpu_weight) FROM plan") == 20_000)
      let reserved = try #require(try await raw.number("SELECT SUM(reserved_storage_gib) FROM host"))
      let store = try SQLStore(path: path)
      var columns = before.columns
      columns["host"] = nil
      #expect(try Contents(of: path, columns: columns).rows == before.rows.filter { $0.key != "host" })
      #expect(try await raw.number("SELECT SUM(reserved_storage_gib) FROM host") == reserved + 4)
      await #expect(throws: DatabaseError.self) { try await raw.execute(unbound) }
      #expect(try await store.contradictions() == [])
      for change in [
        "cpu_weight = 10001", "cpu_weight = -1", "disk_iops = -1", "disk_mib_per_second = -1", "port_speed_mbit = -1",
      ] {
        await #expect(throws: DatabaseError.self, "\(change)") { try await raw.execute("UPDATE plan SET \(change)") }
      }
      try await raw.execute(
        """
        INSERT INTO plan (name, slug, description, vcpus, memory_mib, storage_gib, bandwidth_gb, price_per_hour,
          is_available, uuid)
        VALUES ('New', 'new', '', 1, 1, 1, 1, 1, 0, 'x')
        """)
      #expect(try await raw.number("SELECT MAX(id) FROM plan") == 42)
      try queue.close()
    }
  }

  @Test("A database of a newer version is refused, and not a byte of it is changed")
  func newer() async throws {
    try await withTemporaryFolder { folder in
      let path = folder.appendingPathComponent("vpsd.sqlite").path
      try ReleasedDatabase.all[0].restore(to: path)
      try SQLStore(path: path).release()
      let future = try DatabaseQueue(path: path)
      try await future.write { database in
        try database.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('99 from the future')")
      }
      try future.close()
      let before = try Data(contentsOf: URL(fileURLWithPath: path))
      #expect(throws: DatabaseIsNewer.self) { try SQLStore(path: path) }
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
      let log = try? FileManager.default.attributesOfItem(atPath: path + "-wal")[.size] as? NSNumber
      #expect((log ?? 0).intValue == 0, "something was written")
    }
  }
}
