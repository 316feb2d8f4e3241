import Core
import Foundation
import SQLStore
import TestSupport
import Testing

@Suite("A host that is gone for good, with servers on it")
struct LostHostTests {
  private static func name(_ fixture: Fixture) async throws -> String {
    try #require(try await fixture.store.hosts().first { $0.host.id == Fixture.host }).host.name
  }

  @Test(
    "Its servers are given up with it, whatever they are in the middle of: nothing of them is left, and nobody pays")
  func giveUp() async throws {
    try await withStore { fixture in
      let (store, host) = (fixture.store, try await Self.name(fixture))
      _ = try await fixture.activeServer(fixture.newServer("active"))
      let deleted = try await fixture.activeServer(fixture.newServer("deleted"))
      _ = try await store.requestDeletion(of: deleted.id, by: fixture.caller, at: Fixture.now)
      _ = try await fixture.create(fixture.newServer("waiting"))
      let made = try await fixture.create(fixture.newServer("half-made"))
      var lease = try await fixture.claim()
      while lease.operation.serverID != made.id { lease = try await fixture.claim() }
      try await store.recordAway(Fixture.host, since: Fixture.now)

      let later = Fixture.now + .seconds(3600)
      #expect(try await store.deleteServers(ofLostHost: host, atMost: 3, by: .host, at: later) == 3)
      #expect(try await fixture.contradictions() == [])
      await #expect(throws: HostRefused.self) { try await store.removeHost(host, by: .host, at: later) }
      #expect(try await store.deleteServers(ofLostHost: host, atMost: 3, by: .host, at: later) == 1)
      #expect(try await store.deleteServers(ofLostHost: host, atMost: 3, by: .host, at: later) == 0)
      _ = try await store.removeHost(host, by: .host, at: later)

      #expect(try await store.commit(StepOutcome(.succeed, effect: .becameActive), of: lease, at: later) == .fenced)
      #expect(try await fixture.raw.number("SELECT COUNT(*) FROM operation WHERE finished_at IS NULL") == 0)
      #expect(try await fixture.raw.number("SELECT COUNT(*) FROM address WHERE server_id IS NOT NULL") == 0)
      #expect(try await fixture.raw.number("SELECT SUM(credit_hold) FROM server") == 0)
      #expect(
        try await fixture.raw.number("SELECT COUNT(*) FROM audit WHERE detail = 'the host \(host) is lost'") == 4)
      let balance = try await fixture.balance()
      _ = try await store.chargeHours(
        begunBy: later + .seconds(7200), after: nil, limit: 100, at: later + .seconds(7200))
      #expect(try await fixture.balance() == balance)
      #expect(try await fixture.contradictions() == [])
    }
  }

  @Test("Nothing is given up of a host that answers, or that a service has")
  func refused() async throws {
    try await withStore { fixture in
      let store = fixture.store
      let host = try await Self.name(fixture)
      let server = try await fixture.activeServer()
      await #expect(throws: HostRefused.self) {
        try await store.deleteServers(ofLostHost: host, atMost: 3, by: .host, at: Fixture.now)
      }
      try await store.recordAway(Fixture.host, since: Fixture.now)
      let open = try await fixture.database.open()
      let service = Replica(name: "one")
      _ = try await open.beat(
        service, holding: [], wanting: [.host(Fixture.host)], own: [], for: .seconds(3600))
      await #expect(throws: HostRefused.self) {
        try await store.deleteServers(ofLostHost: host, atMost: 3, by: .host, at: Fixture.now)
      }
      await #expect(throws: HostRefused.self) {
        try await store.deleteServers(ofLostHost: "none", atMost: 3, by: .host, at: Fixture.now)
      }
      #expect(try await fixture.reread(server) == server)
    }
  }
}
