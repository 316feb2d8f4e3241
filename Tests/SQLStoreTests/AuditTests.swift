import Core
import Engine
import Foundation
import GRDB
import SimulatedDriver
import TestSupport
import Testing

@testable import SQLStore

@Suite("Who did what is written down, with what became of it")
struct AuditTests {
  @Test("Each change has its row: who, what, which server, and its outcome as it is now")
  func trail() async throws {
    let service = try await TestService()
    let (store, caller) = (service.database, service.owner)
    let id = try await service.activeServer()
    service.clock.advance(by: .seconds(1))
    _ = try await store.requestAction(.stop, on: id, by: caller, at: service.clock.now)
    let waiting = try await store.auditTrail(newest: 10)
    #expect(waiting.map(\.action) == ["server.create", "server.stop"])
    #expect(waiting.map(\.outcome) == [.succeeded, .queued])
    #expect(waiting.allSatisfy { $0.email == "owner@example.com" && $0.tokenName == "test" && $0.serverID == id })
    try await service.settle()
    service.clock.advance(by: .seconds(1))
    _ = try await store.updateServer(id, ServerChange(name: ServerName("other")), by: caller, at: service.clock.now)
    _ = try await store.requestDeletion(of: id, by: caller, at: service.clock.now)
    try await service.settle()
    let trail = try await store.auditTrail(newest: 3, of: id)
    #expect(trail.map(\.action) == ["server.stop", "server.update", "server.delete"])
    #expect(trail.map(\.outcome) == [.succeeded, nil, .succeeded])
    #expect(trail[1].detail == "name")
    #expect(try await store.auditTrail(newest: 10, of: ID(999)).isEmpty)
  }

  @Test("What the operator does on the host has its row too, and a request its address")
  func operators() async throws {
    let service = try await TestService()
    let (store, now) = (service.database, service.clock.now)
    let account = try await store.createAccount(email: "new@example.com", openingCredit: .zero, at: now)
    let token = try await service.newToken(of: account.id, permissions: [.everything]).caller.tokenID
    #expect(try await store.updateProfile(of: account.id, ProfileChange(firstName: "Ada"), at: now))
    #expect(try await store.revokeToken(token, at: now))
    #expect(try await store.revokeToken(token, at: now))
    try await store.recordOperator("service.shutdown", at: now)
    let trail = try await store.auditTrail(newest: 10)
    #expect(
      trail.map(\.action)
        == ["account.create", "token.create", "account.update", "token.revoke", "service.shutdown"])
    #expect(trail[2].detail == "first_name")
    #expect(trail.allSatisfy { $0.tokenID == nil && $0.origin == "host" })
    #expect(trail.map(\.email) == Array(repeating: "new@example.com", count: 4) + [nil])

    let draft = service.draft()
    _ = try await service.servers.create(draft, service.owner.from("192.0.2.7"))
    let created = try await store.auditTrail(newest: 1)
    #expect(created.map(\.origin) == ["192.0.2.7"])
    #expect(created.map(\.tokenID) == [service.owner.tokenID])
  }

  @Test("Two changes of the same kind, moment and token have each its own outcome")
  func sameMoment() async throws {
    let service = try await TestService()
    let (store, caller) = (service.database, service.owner)
    let id = try await service.activeServer()
    let now = service.clock.now
    for name in ["one", "two"] {
      let change = ServerChange(hostname: Hostname("\(name).example.com"))
      _ = try await store.updateServer(id, change, by: caller, at: now)
      if name == "one" { try await service.settle() }
    }
    #expect(try await store.operations(of: id).map(\.createdAt).suffix(2) == [now, now])
    let trail = try await store.auditTrail(newest: 2, of: id)
    #expect(trail.map(\.action) == ["server.update", "server.update"])
    #expect(trail.map(\.outcome) == [.succeeded, .queued])
  }

  @Test("A change that an operation under way will carry out has that one's outcome")
  func joined() async throws {
    let service = try await TestService()
    let (store, caller) = (service.database, service.owner)
    let id = try await service.servers.create(service.draft(), caller).view.server.id
    for name in ["one", "two"] {
      service.clock.advance(by: .seconds(1))
      let change = ServerChange(hostname: Hostname("\(name).example.com"))
      _ = try await store.updateServer(id, change, by: caller, at: service.clock.now)
    }
    try await service.settle()
    let trail = try await store.auditTrail(newest: 2, of: id)
    #expect(trail.map(\.detail) == ["hostname", "hostname"])
    #expect(trail.map(\.outcome) == [.succeeded, .succeeded])
  }

  @Test("Of changes from before their operations were written down, those are told that can be no other")
  func earlierVersion() async throws {
    try await withTemporaryFolder { folder in
      let path = folder.appendingPathComponent("vpsd.sqlite").path
      let released = try #require(ReleasedDatabase.all.first { $0.migration == "4 whole audit" })
      try released.restore(to: path)
      try await DatabaseQueue(path: path).write { database in
        try database.execute(
          sql: """
            INSERT INTO operation (server_id, kind, state, not_before, requested_by, created_at, finished_at)
            SELECT server.id, kind, state, 0, 1, at, at FROM (SELECT MIN(id) AS id FROM server) AS server
            JOIN (SELECT 'stop' AS kind, 'failed' AS state, 5000 AS at UNION ALL SELECT 'start', 'succeeded', 6000
              UNION ALL SELECT 'start', 'failed', 6000) AS wanted;
            INSERT INTO audit (at, account_id, token_id, server_id, action)
            SELECT at, 1, 1, server.id, action FROM (SELECT MIN(id) AS id FROM server) AS server
            JOIN (SELECT 'server.stop' AS action, 5000 AS at UNION ALL SELECT 'server.start', 6000) AS wanted;
            """)
      }
      let trail = try await SQLStore(path: path).auditTrail(newest: 2)
      #expect(trail.map(\.action) == ["server.stop", "server.start"])
      #expect(trail.map(\.outcome) == [.failed, nil])
    }
  }

  @Test("What failed, and what a delete came before, says so")
  func failures() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    service.clock.advance(by: .seconds(1))
    _ = try await service.database.requestAction(.stop, on: id, by: service.owner, at: service.clock.now)
    service.driver.inject(Fault(in: .requestShutdown, .fail(DriverError(.rejected, "no"))))
    try await service.settle()
    service.clock.advance(by: .seconds(1))
    _ = try await service.database.requestAction(.start, on: id, by: service.owner, at: service.clock.now)
    _ = try await service.database.requestDeletion(of: id, by: service.owner, at: service.clock.now)
    let outcomes = try await service.database.auditTrail(newest: 10).map(\.outcome)
    #expect(outcomes == [.succeeded, .failed, .cancelled, .queued])
  }

  @Test("What was done with copies has its rows, each with the copy and what became of it")
  func copies() async throws {
    let service = try await TestService()
    let (store, caller) = (service.database, service.owner)
    let id = try await service.activeServer()
    let backup = try await service.backup(of: id)
    let now = service.clock.now
    let new = NewDiskCopy(uuid: UUID(), serverID: id, name: CopyName("a"), description: "")
    let snapshot = try #require(try await store.createDiskCopy(new, by: caller, at: now)).id
    _ = try await store.requestRestore(of: backup, .backup, by: caller, at: now)
    _ = try await store.requestDiscard(of: backup, .backup, by: caller, at: now)
    let trail = try await service.database.auditTrail(newest: 4)
    #expect(trail.map(\.action) == ["backup.create", "snapshot.create", "backup.restore", "backup.delete"])
    #expect(trail.map(\.detail) == ["\(backup)", "\(snapshot)", "\(backup)", "\(backup)"])
    #expect(trail.map(\.outcome) == [.succeeded, .queued, .queued, .queued])
    #expect(trail.allSatisfy { $0.serverID == id })
  }
}
