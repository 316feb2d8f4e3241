import Core
import GRDB
import TestSupport
import Testing

@testable import SQLStore

@Suite("Firewalls in the store")
struct FirewallTests {
  private static let open = Firewall(isEnabled: true, rules: [])

  @Test(
    "What waits for its host is found by an index, whatever there is of servers", .enabled(if: TestDatabase.isSQLite))
  func index() async throws {
    try await withStore { fixture in
      let plan = try await DatabaseQueue(path: fixture.path).read { database in
        try Row.fetchAll(
          database,
          sql: """
            EXPLAIN QUERY PLAN SELECT firewall.server_id FROM server_firewall AS firewall
            JOIN server ON server.id = firewall.server_id
            WHERE firewall.applied_revision < firewall.revision AND firewall.server_id > 0 AND server.host_id = 1
              AND server.deleted_at IS NULL
            ORDER BY firewall.server_id LIMIT 500
            """
        ).map { $0["detail"] as String }
      }
      #expect(plan.contains { $0.contains("server_firewall_awaiting") }, "\(plan)")
      #expect(!plan.contains { $0.contains("SCAN server") && !$0.contains("USING") }, "\(plan)")
    }
  }

  @Test("An older revision is never written down as the newest that the host has")
  func revisions() async throws {
    try await withStore { fixture in
      let server = try await fixture.create()
      let store = fixture.store
      for enabled in [true, false, true] {
        _ = try await store.setFirewall(
          Firewall(isEnabled: enabled, rules: []), of: server.id, expecting: nil, by: fixture.caller, at: Fixture.now)
      }
      for (revision, applied) in [(2, 2), (1, 2), (4, 2), (3, 3)] as [(Int64, Int64)] {
        try await store.recordFirewall(revision, appliedTo: server.id)
        #expect(try await store.firewall(of: server.id)?.appliedRevision == applied)
        let waiting = try await store.serversAwaitingFirewall(on: Fixture.host, after: nil, limit: 10)
        #expect(waiting == (applied == 3 ? [] : [server.id]))
      }
      #expect(try await store.serversAwaitingFirewall(on: ID(99), after: nil, limit: 10).isEmpty)
      #expect(try await store.serversAwaitingNewestFirewall(on: ID(99), limit: 10).isEmpty)
    }
  }

  @Test("Whose customers have changed them last are told first, by an index", .enabled(if: TestDatabase.isSQLite))
  func newest() async throws {
    try await withStore { fixture in
      let servers = try await [fixture.create(), fixture.create(), fixture.create()].map(\.id)
      for (server, seconds) in [(servers[1], 2), (servers[0], 3), (servers[2], 1)] {
        _ = try await fixture.store.setFirewall(
          Self.open, of: server, expecting: nil, by: fixture.caller, at: Fixture.now + .seconds(seconds))
      }
      let newest = try await fixture.store.serversAwaitingNewestFirewall(on: Fixture.host, limit: 2)
      #expect(newest == [servers[0], servers[1]])
      let plan = try await DatabaseQueue(path: fixture.path).read { database in
        try Row.fetchAll(
          database,
          sql: """
            EXPLAIN QUERY PLAN SELECT firewall.server_id FROM server_firewall AS firewall
            JOIN server ON server.id = firewall.server_id
            WHERE firewall.applied_revision < firewall.revision AND server.host_id = 1 AND server.deleted_at IS NULL
            ORDER BY firewall.updated_at DESC, firewall.server_id DESC LIMIT 16
            """
        ).map { $0["detail"] as String }
      }
      #expect(plan.contains { $0.contains("server_firewall_awaiting_newest") }, "\(plan)")
      #expect(!plan.contains { $0.contains("TEMP B-TREE") }, "\(plan)")
    }
  }

  @Test("A row that other hands have changed into no firewall lets nobody in: it is an error")
  func changedByOthers() async throws {
    try await withStore { fixture in
      let server = try await fixture.create()
      _ = try await fixture.store.setFirewall(
        Self.open, of: server.id, expecting: nil, by: fixture.caller, at: Fixture.now)
      try await fixture.raw.execute(#"UPDATE server_firewall SET rules = '[{"direction":"in"}]'"#)
      await #expect(throws: (any Error).self) { try await fixture.store.firewall(of: server.id) }
    }
  }
}
