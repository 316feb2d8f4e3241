import Core
import TestSupport
import Testing

@testable import SQLStore

/// PostgreSQL chooses its plans by statistics; SQLite has none, and may choose an index that holds every server.
@Suite("What the service asks again and again", .enabled(if: TestDatabase.isSQLite))
struct RepeatedWorkTests {
  private struct Work {
    let name: String
    let body: @Sendable (SQLStore) async throws -> Void

    init(_ name: String, _ body: @escaping @Sendable (SQLStore) async throws -> Void) {
      (self.name, self.body) = (name, body)
    }
  }

  private static let works = [
    Work("the next operation") { _ = try await $0.claimOperation(on: Fixture.host, at: Fixture.now) },
    Work("when the next one is due") { _ = try await $0.nextOperationDue(on: Fixture.host) },
    Work("firewalls that wait") {
      _ = try await $0.serversAwaitingFirewall(on: Fixture.host, after: nil, limit: 500)
      _ = try await $0.serversAwaitingNewestFirewall(on: Fixture.host, limit: 16)
    },
    Work("user data that waits") {
      _ = try await $0.serversAwaitingUserData(on: Fixture.host, after: nil, limit: 100)
    },
    Work("addresses that were missed") {
      _ = try await $0.readdressMissed(on: Fixture.host, triedBefore: Fixture.now, at: Fixture.now)
    },
    Work("hours that are due") {
      _ = try await $0.chargeHours(begunBy: Fixture.now, after: nil, limit: 30, at: Fixture.now)
    },
    Work("suspensions") {
      _ = try await $0.liftCreditSuspensions(at: Fixture.now)
      _ = try await $0.applySuspensions(limit: 50, at: Fixture.now)
      _ = try await $0.deleteUnpaidServers(limit: 50, at: Fixture.now)
    },
    Work("backups that are due") {
      _ = try await $0.beginDueBackups(of: BackupDay(of: Fixture.now), atOnce: 2, at: Fixture.now)
    },
    Work("copies to remove") { _ = try await $0.discardCopies(expired: true, limit: 100, at: Fixture.now) },
    Work("notices to deliver") { _ = try await $0.claimNotices(limit: 16, at: Fixture.now) },
    Work("names to set") { _ = try await $0.locationsAwaitingNames(at: Fixture.now) },
  ]

  @Test("Costs no more where there are ten times as many servers that need nothing")
  func costs() async throws {
    let few = try await Self.steps(withServers: 20)
    let many = try await Self.steps(withServers: 200)
    for work in Self.works {
      let (before, after) = (try #require(few[work.name]), try #require(many[work.name]))
      // 180 rows that are looked at take several steps each.
      #expect(after < before + 180, "\(work.name): \(before) steps with 20 servers, \(after) with 200")
    }
  }

  @Test("To claim an operation costs no more where ten times as many are being carried out")
  func claims() async throws {
    let (few, many) = (try await Self.steps(toClaimBeside: 20), try await Self.steps(toClaimBeside: 200))
    #expect(many < few + 180, "\(few) steps beside 20 operations, \(many) beside 200")
  }

  private static func steps(toClaimBeside count: Int) async throws -> Int {
    var steps = 0
    try await withStore { fixture in
      for number in 1...count {
        _ = try await fixture.create(fixture.newServer("web-\(number)"))
        _ = try await fixture.claim(.create)
      }
      _ = try await fixture.create(fixture.newServer("last"))
      let database = try CountingDatabase(path: fixture.path)
      let store = SQLStore(database: database, tariff: Tariff())
      let before = database.count
      #expect(try await store.claimOperation(on: Fixture.host, at: Fixture.now) != nil)
      steps = database.count - before
    }
    return steps
  }

  /// How many instructions of SQLite each work takes, beside so many active servers, each with a copy of its disk and a notice
  /// that was delivered.
  private static func steps(withServers count: Int) async throws -> [String: Int] {
    var steps: [String: Int] = [:]
    try await withStore { fixture in
      for number in 1...count { _ = try await fixture.activeServer(fixture.newServer("web-\(number)")) }
      try await fixture.raw.execute(
        """
        INSERT INTO disk_copy (uuid, server_id, kind, description, status, created_at, completed_at, size_bytes, checksum,
          operating_system_id, image_version, awaits_first_boot, expires_at)
        SELECT 'copy ' || id, id, 'automatic', '', 'completed', 1, 1, 1, 'c', operating_system_id, '1', 0, 4102444800000 FROM server;
        INSERT INTO notice (uuid, account_id, kind, at, entries, entry_count, due_at, not_before, scheduled_at, finished_at)
        SELECT 'notice ' || id, account_id, 'credit_low', 1, '', 0, 1, 1, 1, 1 FROM server;
        DELETE FROM reverse_change;
        """)
      let database = try CountingDatabase(path: fixture.path)
      let store = SQLStore(database: database, tariff: Tariff())
      for work in works {
        // What it does once, such as to plan the backups of a day, is done.
        try await work.body(store)
        let before = database.count
        try await work.body(store)
        steps[work.name] = database.count - before
      }
    }
    return steps
  }
}
