package import Core
package import Engine
package import Foundation
import Logging
package import SQLStore
package import SimulatedDriver

/// The whole service above the driver, in one process and with a clock that tests move, so that waiting takes no real time.
package final class TestService: Sendable {
  package let clock: ManualClock
  private let wallClock: any WallClock
  package let store: any Store
  /// `store` with its concrete type.
  package let database: SQLStore
  /// One for each host.
  package let drivers: [SimulatedDriver]
  package let fleet: Fleet
  package let servers: Servers
  package let firewalls: Firewalls
  /// The DNS server of `us-west`; no other location has one.
  package let zones: PaperZones
  package let reverseNames: ReverseNames
  package let nameKeeper: ReverseNameKeeper
  /// One for each host.
  package let firewallKeepers: [FirewallKeeper]
  /// One for each host.
  package let userDataWatches: [UserDataWatch]
  package let backups: DiskCopies
  package let snapshots: DiskCopies
  package let schedule: BackupSchedule
  package let billing: BillingMeter
  package let sshKeys: SSHKeys
  package let consoles: Consoles
  package let catalogue: CatalogueReader
  package let authenticator: Authenticator
  /// One for each host; none where hosts have disks of their own.
  package let fenceKeepers: [FenceKeeper]
  /// Switches simulated hosts off.
  package let fence: PaperFence
  package let runner: Crew
  package let monitor: Lookout
  package let changes = Broadcast()
  package let token: TokenText
  /// The first account, which has all permissions and a credit of 100.00.
  package let owner: Caller
  package let pools: AddressPools.Pair
  private let folder: ScopedFolder
  private let testDatabase: TestDatabase
  private let declaredHosts: [HostDeclaration]
  private let sharesStorage: Bool

  /// The key of all test installations.
  package static let key = InstallationKey(Array(repeating: 7, count: InstallationKey.length))!
  package static let start = Timestamp(millisecondsSinceEpoch: 1_737_041_400_000)

  /// Three hosts at two locations; the first server at `us-west` is placed on the first host.
  package static let threeHosts = [
    HostDeclaration(name: "us-west/1", location: "us-west", driver: "simulated"),
    HostDeclaration(name: "us-west/2", location: "us-west", driver: "simulated"),
    HostDeclaration(name: "us-east/1", location: "us-east", driver: "simulated"),
  ]
  package static let oneHost = [HostDeclaration(name: HostDeclaration.localName, location: nil, driver: "simulated")]

  package var directory: URL { folder.url }

  /// The whole content of the database as bytes: `TestDatabase.content`.
  package func content() async throws -> Data { try await testDatabase.content(by: database) }

  /// Opens the same database again, with another tariff.
  package func reopened(tariff: Tariff) async throws -> SQLStore {
    try await testDatabase.open(.asItIs, tariff: tariff)
  }

  /// The driver of the first host.
  package var driver: SimulatedDriver { drivers[0] }

  package func driver(of id: ID<Server>) async throws -> SimulatedDriver? {
    guard let server = try await store.server(id) else { return nil }
    return zip(fleet.hosts, drivers).first { $0.0.id == server.hostID }?.1
  }

  /// - Parameters:
  ///   - wallClock: The real clock, for tests of what runs by itself; nil for the clock that tests move.
  ///   - sharesStorage: Whether the hosts of a location reach the same disks.
  package convenience init(
    hosts: [HostDeclaration] = oneHost, options: SimulatedDriver.Options = .init(),
    addressPool: AddressPool = AddressPool("127.80.0.0/16")!, addressPool6: IPv6Pool? = nil,
    openingCredit: Money = Money(microunits: 100_000_000), wallClock: (any WallClock)? = nil,
    limits: Runner.Limits = .init(), quota: Int? = nil, copyQuota: Int? = nil, tariff: Tariff = Tariff(),
    sharesStorage: Bool = false
  ) async throws {
    let clock = ManualClock(now: Self.start)
    let folder = try ScopedFolder(.memory)
    try await self.init(
      in: folder, try await TestDatabase(in: folder.url), hosts: hosts, options: options,
      pools: .init(addressPool, ipv6: addressPool6),
      clock: clock,
      wallClock: wallClock ?? clock,
      token: .random(), openingCredit: openingCredit, limits: limits, quota: quota, copyQuota: copyQuota,
      tariff: tariff, sharesStorage: sharesStorage)
  }

  /// The process that follows another one that died, with the same files. The machines keep running.
  package convenience init(after dead: TestService) async throws {
    dead.clock.advance(to: max(dead.clock.now, dead.wallClock.now))
    try await self.init(
      in: dead.folder, dead.testDatabase, hosts: dead.declaredHosts, options: dead.driver.options, pools: dead.pools,
      clock: dead.clock,
      wallClock: dead.clock, token: dead.token, openingCredit: .zero, limits: .init(), quota: nil, copyQuota: nil,
      tariff: dead.database.tariff, zones: dead.zones, sharesStorage: dead.sharesStorage, fence: dead.fence)
    try await store.releaseAllLeases()
  }

  /// A service with copies of everything that another one had when its database was released, at the same time.
  package convenience init(copying left: TestService) async throws {
    let folder = try ScopedFolder(.memory)
    let database = try await TestDatabase(copying: left.testDatabase, in: folder.url)
    for name in try FileManager.default.contentsOfDirectory(atPath: left.directory.path)
    where !FileManager.default.fileExists(atPath: folder.url.appendingPathComponent(name).path) {
      try FileManager.default.copyItem(
        at: left.directory.appendingPathComponent(name), to: folder.url.appendingPathComponent(name))
    }
    let clock = ManualClock(now: left.clock.now)
    try await self.init(
      in: folder, database, hosts: left.declaredHosts, options: left.driver.options, pools: left.pools, clock: clock,
      wallClock: clock, token: left.token, openingCredit: .zero, limits: .init(), quota: nil, copyQuota: nil)
    try await store.releaseAllLeases()
  }

  /// Uses the files that another service left in the folder, as the owner with this token.
  package convenience init(
    inheriting folder: ScopedFolder, token: TokenText, hosts: [HostDeclaration] = oneHost,
    options: SimulatedDriver.Options = .init(), now: Timestamp = TestService.start
  ) async throws {
    let clock = ManualClock(now: now)
    try await self.init(
      in: folder, TestDatabase(inheriting: folder.url), hosts: hosts, options: options,
      pools: .init(AddressPool("127.80.0.0/16")!), clock: clock,
      wallClock: clock,
      token: token, openingCredit: .zero, limits: .init(), quota: nil, copyQuota: nil)
    try await store.releaseAllLeases()
  }

  private init(
    in folder: ScopedFolder, _ testDatabase: TestDatabase, hosts declaredHosts: [HostDeclaration],
    options: SimulatedDriver.Options,
    pools: AddressPools.Pair, clock: ManualClock,
    wallClock: any WallClock, token: TokenText, openingCredit: Money, limits: Runner.Limits, quota: Int?,
    copyQuota: Int?, tariff: Tariff = Tariff(), zones: PaperZones = PaperZones(), sharesStorage: Bool = false,
    fence: PaperFence = PaperFence()
  ) async throws {
    self.sharesStorage = sharesStorage
    self.fence = fence
    self.folder = folder
    self.zones = zones
    self.declaredHosts = declaredHosts
    self.clock = clock
    self.wallClock = wallClock
    self.token = token
    self.pools = pools
    self.testDatabase = testDatabase
    database = try await testDatabase.open(tariff: tariff)
    store = database
    _ = try await store.bootstrap(
      NewInstallation(
        catalogue: .initial, email: "owner@example.com", openingCredit: openingCredit, tokenName: "test",
        tokenHash: token.hash), at: wallClock.now)
    let installation = try await store.installationID()
    let hosts = try await store.registerHosts(declaredHosts, at: wallClock.now)
    drivers = try hosts.map { host in
      try SimulatedDriver(
        installation: installation, dataDirectory: Self.directory(of: host.name, in: folder.url),
        storage: sharesStorage ? Self.storage(of: host, in: folder.url) : nil, clock: wallClock, options: options)
    }
    fleet = Fleet(zip(hosts, drivers).map { FleetHost($0, driver: $1) })
    let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    catalogue = CatalogueReader(store: store, clock: wallClock)
    authenticator = Authenticator(store: store, clock: wallClock)
    servers = Servers(
      store: store, catalogueReader: catalogue, fleet: fleet, addressPools: AddressPools(pools),
      changes: changes, clock: wallClock, key: Self.key, quota: quota)
    userDataWatches = fleet.hosts.map { [store, changes] host in
      UserDataWatch(
        of: host, store: store, changes: changes, clock: wallClock,
        logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }
    firewalls = Firewalls(store: store, fleet: fleet, changes: changes, clock: wallClock)
    let namings = Self.namings(zones)
    reverseNames = ReverseNames(store: store, namings: namings, clock: wallClock)
    nameKeeper = ReverseNameKeeper(
      store: store, namings: namings, pools: AddressPools(pools), clock: wallClock, logger: logger)
    try await store.setReverseNames(areSaid: true, at: wallClock.now)
    backups = DiskCopies(
      .backup, store: store, fleet: fleet, changes: changes, clock: wallClock, quota: copyQuota)
    snapshots = DiskCopies(
      .snapshot, store: store, fleet: fleet, changes: changes, clock: wallClock, quota: copyQuota)
    schedule = BackupSchedule(store: store, fleet: fleet, changes: changes, clock: wallClock, logger: logger)
    billing = BillingMeter(store: store, fleet: fleet, changes: changes, clock: wallClock, logger: logger)
    sshKeys = SSHKeys(store: store, clock: wallClock)
    consoles = Consoles(store: store, fleet: fleet, changes: changes, clock: wallClock)
    let (store, catalogue, changes, fleet) = (self.store, self.catalogue, self.changes, self.fleet)
    let monitors = fleet.hosts.map { host in
      Monitor(
        of: host, in: fleet, store: store, catalogueReader: catalogue, changes: changes, clock: wallClock,
        logger: logger, interval: .milliseconds(500))
    }
    monitor = Lookout(monitors: monitors)
    firewallKeepers = fleet.hosts.map { host in
      FirewallKeeper(of: host, store: store, changes: changes, clock: wallClock, logger: logger)
    }
    fenceKeepers =
      !sharesStorage
      ? []
      : fleet.hosts.map { host in
        FenceKeeper(
          of: host, in: fleet, by: fence, after: .seconds(60), store: store, changes: changes, clock: wallClock,
          logger: logger)
      }
    fence.note(hosts.map(\.name), drivers)
    runner = Crew(
      runners: zip(fleet.hosts, monitors).map { host, monitor in
        Runner(
          on: host, of: fleet, store: store, catalogueReader: catalogue, addressPools: AddressPools(pools),
          changes: changes,
          clock: wallClock, logger: logger, limits: limits, key: Self.key,
          becameActive: { await monitor.pollOnce() })
      })
    await monitor.pollOnce()
    owner = try await authenticator.caller(bearing: token.text)
  }

  package static func namings(_ zones: PaperZones, lookup: (any NameLookup)? = nil) -> ReverseNamings {
    ReverseNamings(
      nil,
      ofLocations: [
        "us-west": ReverseNaming(zones: zones, pattern: NamePattern("<address>.vps.example.com"), lookup: lookup)
      ])
  }

  /// As in the service: the files of the local host are where they were before there were several hosts.
  package static func directory(of host: String, in folder: URL) -> URL {
    host == HostDeclaration.localName ? folder : folder.appendingPathComponent("hosts/\(host)", isDirectory: true)
  }

  private static func storage(of host: Core.Host, in folder: URL) -> SharedStorage {
    SharedStorage(in: folder.appendingPathComponent("hosts/\(host.location ?? "all")/shared"), for: host.name)
  }

  /// A runner whose work does not make the monitor look at machines.
  package func lonelyRunner() -> Crew {
    Crew(
      runners: fleet.hosts.map { host in
        Runner(
          on: host, of: fleet, store: store, catalogueReader: catalogue, addressPools: AddressPools(pools),
          changes: changes,
          clock: wallClock, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), key: Self.key,
          becameActive: {})
      })
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

  /// Carries out all operations to their end, moving the clock to each time at which something is due.
  package func settle(steps limit: Int = 2_000, with runner: Crew? = nil) async throws {
    for _ in 0..<limit {
      guard try await step(with: runner) else { return }
    }
    throw NeverSettled()
  }

  /// Carries out the next step, or moves the clock to the time at which one is due. Returns false where nothing is left to do.
  @discardableResult
  package func step(with runner: Crew? = nil) async throws -> Bool {
    if try await (runner ?? self.runner).runNextStep() { return true }
    guard let due = try await nextOperationDue() else { return false }
    clock.advance(to: max(due, clock.now + .milliseconds(1)))
    return true
  }

  /// The next time at which an operation is due on any host.
  package func nextOperationDue() async throws -> Timestamp? {
    var due: [Timestamp] = []
    for host in fleet.hosts where !host.isAway {
      if let next = try await store.nextOperationDue(on: host.id) { due.append(next) }
    }
    return due.min()
  }

  /// Makes all hosts apply their new firewalls.
  package func applyFirewalls() async {
    for keeper in firewallKeepers { await keeper.pollOnce() }
  }

  /// Carries out steps until the condition holds.
  package func run(until condition: () async throws -> Bool) async throws {
    while try await !condition() {
      guard try await step() else { throw NeverSettled() }
    }
  }

  package struct NeverSettled: Error {}

  /// A draft whose fields are all valid.
  package func draft(
    name: String = "web-1", plan: Int64 = 3, operatingSystem: Int64 = 3, location: String = "us-west"
  ) -> ServerDraft {
    ServerDraft(name: name, planID: plan, operatingSystemID: operatingSystem, location: location)
  }

  /// Makes a backup, which is completed unless something fails.
  package func backup(of server: ID<Server>, by caller: Caller? = nil) async throws -> ID<DiskCopy> {
    let copy = try await backups.create(DiskCopies.Draft(server: .id(server)), caller ?? owner)
    try await settle()
    return copy.id
  }

  /// Runs the schedule and the runner until this moment, like a service that runs all the time.
  package func work(until moment: Timestamp) async throws {
    while true {
      let next = await schedule.pollOnce()
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
