import Core
import Engine
import Foundation
import SimulatedDriver
import TestSupport
import Testing

@testable import SQLStore

@Suite("What contradicts itself in the database is found")
struct IntegrityTests {
  @Test("A database that was only ever written by the store has no contradictions")
  func none() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    #expect(try await service.database.contradictions() == [])
    #expect(try await service.database.requestDeletion(of: id, by: service.owner, at: service.clock.now))
    #expect(try await service.database.contradictions() == [])
    try await service.settle()
    #expect(try await service.database.contradictions() == [])
  }

  @Test(
    "Each broken promise is named",
    arguments: [
      ("UPDATE account SET balance = balance + 1", "balance is the sum"),
      ("UPDATE server SET credit_hold = 7", "not given back"),
      ("UPDATE server SET was_ever_ready = 0", "never ready costs nothing"),
      ("DELETE FROM address", "has an address"),
      ("UPDATE server SET deleted_at = 1, erased_at = 1", "has an address"),
      ("UPDATE server SET deleted_at = 1", "has a delete"),
      ("UPDATE server SET status = 'starting'", "an operation that leads there"),
      ("UPDATE server SET status = 'error'", "in error has a reason"),
      ("UPDATE server SET root_password_hash = 'x'", "is forgotten"),
      ("UPDATE server SET storage_gib = 4", "has reserved"),
      ("UPDATE server SET storage_gib = 0", "takes nothing of the host"),
      ("UPDATE server SET awaits_new_disk = 1", "first boot still to come"),
      (
        "INSERT INTO operation (server_id, kind, subject_id, state, not_before, created_at) "
          + "VALUES (1, 'rebuild', 3, 'queued', 0, 0), (1, 'rebuild', 3, 'queued', 0, 0)", "one rebuild"
      ),
      (
        "INSERT INTO operation (server_id, kind, subject_id, state, not_before, created_at) "
          + "VALUES (1, 'rebuild', 3, 'queued', 0, 0)", "its keys or its password"
      ),
      (
        "UPDATE operation SET state = 'cancelled', finished_at = 1 WHERE kind = 'snapshot'",
        "as long as an operation makes it"
      ),
      ("UPDATE operation SET subject_id = 77 WHERE kind = 'backup'", "on its own server"),
      ("UPDATE disk_copy SET deleted_at = NULL, erased_at = NULL", "seen by nobody"),
      ("UPDATE server SET deleted_at = 1", "hidden with their server"),
      ("UPDATE token SET revoked_at = 1 WHERE id = 1", "made by one that may be"),
      ("UPDATE token SET expires_at = 1 WHERE id = 1", "does not outlast it"),
      ("UPDATE repeatable_request_total SET request_count = 2", "is what there is"),
      ("UPDATE server_block SET server_count = 2", "counted by blocks"),
      ("DELETE FROM server_block", "counted by blocks"),
      ("INSERT INTO server_block (account_id, block, server_count) VALUES (1, 7, 1)", "counted by blocks"),
      ("UPDATE audit SET server_id = NULL WHERE operation_id IS NOT NULL", "of its own server"),
    ])
  func found(statement: String, promise: String) async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let (store, now) = (service.database, service.clock.now)
    _ = try await store.requestDiscard(of: try await service.backup(of: id), .backup, by: service.owner, at: now)
    let snapshot = NewDiskCopy(uuid: UUID(), serverID: id, name: CopyName("a"), description: "")
    _ = try await store.createDiskCopy(snapshot, by: service.owner, at: now)
    let token = NewToken(
      accountID: service.owner.accountID, name: "child", hash: TokenHash(hexadecimal: "c"), permissions: [],
      expiresAt: nil)
    _ = try await store.createToken(token, by: service.owner, at: now)
    _ = try await Idempotency(store: store, clock: service.clock).begin(
      key: "k", method: "POST", path: "/", body: [], service.owner)
    #expect(try await service.database.contradictions() == [])
    _ = try await service.database.write { database in try database.run(statement) }
    let found = try await service.database.contradictions()
    #expect(found.contains { $0.contains(promise) }, "\(found)")
  }

  @Test("A server that was started for nothing is found")
  func unpaid() async throws {
    var options = SimulatedDriver.Options()
    options.quirks = [.sshNeverAnswers]
    let service = try await TestService(options: options)
    _ = try await service.activeServer()
    _ = try await service.database.write { database in try database.run("UPDATE server SET was_ever_ready = 1") }
    #expect(try await service.database.contradictions().contains { $0.contains("was paid for") })
  }
}
