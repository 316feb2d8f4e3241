package import Core
package import Engine
package import Foundation
import Logging
package import SQLStore
package import SimulatedDriver

/// The whole service above the driver, in one process and on a clock that a test moves: what a second takes here takes no
/// time.
package final class TestService: Sendable {
  package let clock: ManualClock
  private let wallClock: any WallClock
  package let store: any Store
  /// The same store, as what it is.
  package let database: SQLStore
  package let driver: SimulatedDriver
  package let servers: Servers
  package let backups: DiskCopies
  package let snapshots: DiskCopies
  package let schedule: BackupSchedule
  package let sshKeys: SSHKeys
  package let consoles: Consoles
  package let catalogue: CatalogueReader
  package let authenticator: Authenticator
  package let runner: Runner
  package let monitor: Monitor
  package let changes = Broadcast()
  package let token: TokenText
  /// The first account, which may do everything and has 100.00 of credit.
  package let owner: Caller
  package let addressPool: AddressPool
  package let doorbell: Doorbell
  private let folder: ScopedFolder

  package static let start = Timestamp(millisecondsSinceEpoch: 1_737_041_400_000)

  package var directory: URL { folder.url }

  /// - Parameter wallClock: Another clock than the one that tests move: the real one, for what truly runs by itself.
  package convenience init(
    options: SimulatedDriver.Options = .init(), addressPool: AddressPool = AddressPool("127.80.0.0/16")!,
    openingCredit: Money = Money(microunits: 100_000_000), wallClock: (any WallClock)? = nil,
    limits: Runner.Limits = .init(), quota: Int? = nil, copyQuota: Int? = nil
  ) async throws {
    let clock = ManualClock(now: Self.start)
    try await self.init(
      in: try ScopedFolder(.memory), options: options, addressPool: addressPool, clock: clock,
      wallClock: wallClock ?? clock,
      token: .random(), openingCredit: openingCredit, limits: limits, quota: quota, copyQuota: copyQuota)
  }

  /// The process that comes after another one has died, on the same files. The machines go on.
  package convenience init(after dead: TestService) async throws {
    dead.clock.advance(to: max(dead.clock.now, dead.wallClock.now))
    try await self.init(
      in: dead.folder, options: dead.driver.options, addressPool: dead.addressPool, clock: dead.clock,
      wallClock: dead.clock, token: dead.token, openingCredit: .zero, limits: .init(), quota: nil, copyQuota: nil)
    try await store.releaseAllLeases()
  }

  /// On files that another service left in the folder, as their owner, whose token is given.
  package convenience init(
    inheriting folder: ScopedFolder, token: TokenText, options: SimulatedDriver.Options = .init(),
    now: Timestamp = TestService.start
  ) async throws {
    let clock = ManualClock(now: now)
    try await self.init(
      in: folder, options: options, addressPool: AddressPool("127.80.0.0/16")!, clock: clock, wallClock: clock,
      token: token, openingCredit: .zero, limits: .init(), quota: nil, copyQuota: nil)
    try await store.releaseAllLeases()
  }

  private init(
    in folder: ScopedFolder, options: SimulatedDriver.Options, addressPool: AddressPool, clock: ManualClock,
    wallClock: any WallClock, token: TokenText, openingCredit: Money, limits: Runner.Limits, quota: Int?,
    copyQuota: Int?
  ) async throws {
    self.folder = folder
    self.clock = clock
    self.wallClock = wallClock
    self.token = token
    self.addressPool = addressPool
    database = try SQLStore(path: folder.url.appendingPathComponent("vpsd.sqlite").path)
    store = database
    _ = try await store.bootstrap(
      NewInstallation(
        catalogue: .initial, email: "owner@example.com", openingCredit: openingCredit, tokenName: "test",
        tokenHash: token.hash), at: wallClock.now)
    driver = try SimulatedDriver(
      installation: try await store.installationID(), dataDirectory: folder.url, clock: wallClock, options: options)
    let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    let doorbell = Doorbell()
    self.doorbell = doorbell
    catalogue = CatalogueReader(store: store, clock: wallClock)
    authenticator = Authenticator(store: store, clock: wallClock)
    servers = Servers(
      store: store, catalogueReader: catalogue, driver: driver, addressPool: addressPool, doorbell: doorbell,
      changes: changes, clock: wallClock, quota: quota)
    backups = DiskCopies(
      .backup, store: store, doorbell: doorbell, changes: changes, clock: wallClock, quota: copyQuota)
    snapshots = DiskCopies(
      .snapshot, store: store, doorbell: doorbell, changes: changes, clock: wallClock, quota: copyQuota)
    schedule = BackupSchedule(store: store, doorbell: doorbell, changes: changes, clock: wallClock, logger: logger)
    sshKeys = SSHKeys(store: store, clock: wallClock)
    consoles = Consoles(store: store, driver: driver, changes: changes, clock: wallClock)
    let monitor = Monitor(
      store: store, driver: driver, catalogueReader: catalogue, authenticator: authenticator, doorbell: doorbell,
      changes: changes, clock: wallClock, logger: logger, interval: .milliseconds(500))
    self.monitor = monitor
    runner = Runner(
      store: store, driver: driver, catalogueReader: catalogue, addressPool: addressPool, doorbell: doorbell,
      changes: changes, clock: wallClock, logger: logger, limits: limits, becameActive: { await monitor.look() })
    owner = try await authenticator.caller(bearing: token.text)
  }

  /// Another account, with its own token.
  package func newCaller(
    permissions: [Permission] = [.everything], credit: Money = Money(microunits: 100_000_000),
    expiresAt: Timestamp? = nil
  ) async throws -> (caller: Caller, token: TokenText) {
    let account = try await store.createAccount(
      email: "\(UUID().uuidString)@example.com", openingCredit: credit, at: wallClock.now)
    return try await newToken(of: account.id, permissions: permissions, expiresAt: expiresAt)
  }

  package func newToken(
    of account: ID<Account>, permissions: [Permission], expiresAt: Timestamp? = nil, name: String = "test"
  ) async throws -> (caller: Caller, token: TokenText) {
    let text = TokenText.random()
    let token = try await store.createToken(
      NewToken(
        accountID: account, name: name, hash: text.hash, permissions: permissions, expiresAt: expiresAt),
      at: wallClock.now)
    return (Caller(token), text)
  }

  /// Carries out all operations to their end, moving the clock to whatever is due next.
  package func settle(steps limit: Int = 2_000, with runner: Runner? = nil) async throws {
    for _ in 0..<limit {
      guard try await step(with: runner) else { return }
    }
    throw NeverSettled()
  }

  /// Carries out the next step, or moves the clock to where there is one. Returns false where nothing is left to do.
  @discardableResult
  package func step(with runner: Runner? = nil) async throws -> Bool {
    if try await (runner ?? self.runner).runNextStep() { return true }
    guard let due = try await store.nextOperationDue() else { return false }
    clock.advance(to: max(due, clock.now + .milliseconds(1)))
    return true
  }

  /// Goes on until the condition holds.
  package func run(until condition: () async throws -> Bool) async throws {
    while try await !condition() {
      guard try await step() else { throw NeverSettled() }
    }
  }

  package struct NeverSettled: Error {}

  /// A draft that is right in every field.
  package func draft(
    name: String = "web-1", plan: Int64 = 3, operatingSystem: Int64 = 3, location: String = "us-west"
  ) -> ServerDraft {
    ServerDraft(name: name, planID: plan, operatingSystemID: operatingSystem, location: location)
  }

  /// A backup that is completed, unless something goes wrong.
  package func backup(of server: ID<Server>, by caller: Caller? = nil) async throws -> ID<DiskCopy> {
    let copy = try await backups.create(DiskCopies.Draft(server: .id(server)), caller ?? owner)
    try await settle()
    return copy.id
  }

  /// Lets the schedule and the runner work until this moment, as a service does that runs all the time.
  package func work(until moment: Timestamp) async throws {
    while true {
      let next = await schedule.look()
      try await settle()
      if clock.now >= moment { return }
      clock.advance(to: max(clock.now, min(next, moment)))
    }
  }

  /// A server that has become active.
  package func activeServer(of caller: Caller? = nil) async throws -> ID<Server> {
    let created = try await servers.create(draft(), caller ?? owner)
    try await settle()
    return created.view.server.id
  }

  @discardableResult
  package func resize(
    _ id: ID<Server>, to plan: Int64 = 1, _ caller: Caller? = nil
  ) async throws -> RequestedOperation {
    try await servers.resize(id, Servers.ResizeDraft(plan: .id(ID(plan))), caller ?? owner)
  }

  package func status(of id: ID<Server>) async throws -> ServerStatus? {
    try await store.server(id)?.status
  }

  package func balance(of caller: Caller) async throws -> Money? {
    try await store.account(caller.accountID)?.balance
  }
}

/// The failure that the body throws; nil where it throws none.
package func failure(of body: () async throws -> Void) async -> Failure? {
  do {
    try await body()
    return nil
  } catch {
    return error as? Failure
  }
}
