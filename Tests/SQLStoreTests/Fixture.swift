import Core
import Foundation
import SQLStore
import TestSupport

/// A store that was just installed, with one account and its token, at a time that stands still.
struct Fixture: Sendable {
  static let now = Timestamp(millisecondsSinceEpoch: 1_768_478_400_000)  // 2026-01-15 12:00
  /// The one that is there without anything configured.
  static let host = ID<Core.Host>(1)
  static let openingCredit = Money(microunits: 100_000_000)

  let store: any Store
  let database: TestDatabase
  let caller: Caller

  /// Of the file, where it is one.
  var path: String { database.path }

  var pool: AddressPool { AddressPool("127.80.0.0/16")! }

  func reopened() async throws -> any Store { try await database.open() }

  var raw: RawDatabase { RawDatabase(database.location) }

  func contradictions() async throws -> [String] { try await database.open().contradictions() }
}

/// Runs the body with a fresh, empty store, and removes its files afterwards.
func withEmptyStore(_ body: (SQLStore, TestDatabase) async throws -> Void) async throws {
  let folder = try ScopedFolder(.memory)
  defer { withExtendedLifetime(folder) {} }
  let database = try await TestDatabase(in: folder.url)
  defer { withExtendedLifetime(database) {} }
  try await body(try await database.open(), database)
}

func withStore(
  openingCredit: Money = Fixture.openingCredit, _ body: (Fixture) async throws -> Void
) async throws {
  try await withEmptyStore { store, database in
    let installation = NewInstallation(
      catalogue: .initial, email: "first@example.com", openingCredit: openingCredit, tokenName: "initial",
      tokenHash: TokenHash(hexadecimal: "hash of the first token"))
    guard try await store.bootstrap(installation, at: Fixture.now),
      let token = try await store.token(hash: installation.tokenHash)
    else { throw FixtureError.notBootstrapped }
    try await body(Fixture(store: store, database: database, caller: Caller(token)))
  }
}

enum FixtureError: Error {
  case notBootstrapped
  case nothingToClaim
  case wrongOperation(Core.Operation.Kind)
}

extension Fixture {
  /// Another customer, who has nothing to do with the first.
  func stranger(_ name: String = "second") async throws -> Caller {
    let account = try await store.createAccount(
      email: "\(name)@example.com", openingCredit: Self.openingCredit, at: Self.now)
    let token = NewToken(
      accountID: account.id, name: name, hash: TokenHash(hexadecimal: "hash of the token of \(name)"),
      permissions: [.everything], expiresAt: nil)
    return Caller(try await store.createToken(token, at: Self.now))
  }

  func balance(of caller: Caller? = nil) async throws -> Money? {
    try await store.account((caller ?? self.caller).accountID)?.balance
  }

  func key(_ fingerprint: String, of caller: Caller? = nil) -> NewSSHKey {
    NewSSHKey(
      uuid: UUID(), accountID: (caller ?? self.caller).accountID, name: "laptop", fingerprint: fingerprint,
      publicKey: "ssh-ed25519 \(fingerprint) me@host")
  }

  /// Plan 3, the smallest: 0.005 an hour.
  func newServer(
    _ name: String = "web", plan: Int = 2, location: String = "us-west", key: ID<SSHKey>? = nil,
    rootPasswordHash: String? = nil, for caller: Caller? = nil
  ) -> NewServer {
    NewServer(
      uuid: UUID(), accountID: (caller ?? self.caller).accountID, name: ServerName(name)!,
      hostname: Hostname("\(name).example.com")!, plan: Catalogue.initial.plans[plan], operatingSystemID: ID(3),
      location: location, isBackupEnabled: false, sshKeyID: key, rootPasswordHash: rootPasswordHash)
  }

  func create(
    _ server: NewServer? = nil, pool: AddressPool? = nil, pool6: IPv6Pool? = nil, capacity: HostCapacity? = nil,
    by caller: Caller? = nil,
    at now: Timestamp = now
  ) async throws -> Server {
    try await store.recordAnswer(of: Self.host, capacity: capacity)
    return try await store.createServer(
      server ?? newServer(for: caller), pools: .init(pool ?? self.pool, ipv6: pool6), by: caller ?? self.caller, at: now
    )
  }

  func claim(_ kind: Core.Operation.Kind? = nil, at now: Timestamp = now) async throws -> Lease {
    guard let lease = try await store.claimOperation(on: Self.host, at: now) else {
      throw FixtureError.nothingToClaim
    }
    if let kind, lease.operation.kind != kind { throw FixtureError.wrongOperation(lease.operation.kind) }
    return lease
  }

  /// Carries out the next operation, which must be of this kind, in one step.
  func finish(
    _ kind: Core.Operation.Kind, _ next: StepOutcome.Next = .succeed, effect: StepOutcome.Effect? = nil,
    at now: Timestamp = now
  ) async throws {
    let lease = try await claim(kind, at: now)
    _ = try await store.commit(StepOutcome(next, effect: effect), of: lease, at: now)
  }

  /// A server that was made and became ready.
  func activeServer(
    _ server: NewServer? = nil, pool6: IPv6Pool? = nil, by effect: StepOutcome.Effect = .becameActive
  ) async throws -> Server {
    let created = try await create(server, pool6: pool6)
    try await define()
    try await finish(.create, effect: effect)
    return try await reread(created)
  }

  func define() async throws {
    try await finish(.create, .advance(to: "start"), effect: .machineDefined)
  }

  func stoppedServer() async throws -> Server {
    let server = try await activeServer()
    _ = try await store.requestAction(.stop, on: server.id, by: caller, at: Self.now)
    try await finish(.stop, effect: .becameStopped)
    return try await reread(server)
  }

  /// Deletes the server, and carries the delete out.
  func erase(_ server: Server, at now: Timestamp = now) async throws {
    _ = try await store.requestDeletion(of: server.id, by: caller, at: now)
    try await finish(.delete, effect: .erased, at: now)
  }

  func reread(_ server: Server) async throws -> Server {
    guard let found = try await store.server(server.id) else { throw Failure.notFound }
    return found
  }
}

/// The failure that the body throws; nil where it throws none.
func failure(of body: () async throws -> Void) async -> Failure? {
  do {
    try await body()
    return nil
  } catch {
    return error as? Failure
  }
}

extension Store {
  /// Deletes it whatever it is like.
  func requestDeletion(of id: ID<Server>, by caller: Caller, at now: Timestamp) async throws -> Bool {
    try await requestDeletion(of: id, expecting: nil, by: caller, at: now) != nil
  }
}
