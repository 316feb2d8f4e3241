import API
import Core
import Engine
import Foundation
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Panel
import SQLStore
import ServiceLifecycle
import UnixSignals

/// The assembled service: the only place where ports meet their implementations.
struct Daemon {
  let configuration: Configuration
  let logger: Logger
  private let spare = SpareDescriptors()

  func run() async throws {
    let clock: any WallClock = configuration.sharesDatabase ? InstallationClock(SystemClock()) : SystemClock()
    let receiver = try configuration.notify.receiver()
    let reverseNamings = try configuration.reverseNamings()
    try configuration.requireFencePrograms()
    let directory = DataDirectory(configuration.dataDirectory)
    try directory.ensureExists()
    let lock = try ProcessLock(path: directory.lock)
    // A killed service may have left this file, although another program may listen there by now. The file is valid while the
    // lock is held.
    unlink(directory.url)
    defer {
      unlink(directory.url)
      withExtendedLifetime(lock) {}
    }
    if case .file = configuration.databaseLocation { try directory.requireDatabaseNotMoved() }
    try await keepBeforeUpgrade()
    var store = try await SQLStore.open(
      configuration.databaseLocation, as: configuration.sharesDatabase ? .besideOthers : .alone,
      tariff: configuration.tariff)
    defer { letGo(of: store) }
    let replica = Replica(name: "\(ProcessInfo.processInfo.hostName):\(getpid())")
    if let clock = clock as? InstallationClock {
      store = store.of(replica)
      let asked = clock.uptime
      clock.note(try await store.time(), asked: asked, answered: clock.uptime)
    }
    // Before anything is written: to a database that does not know this directory's servers they are strangers.
    try directory.requireServers(of: try await store.isBootstrapped() ? store.installationID() : nil)
    if configuration.database != nil, FileManager.default.fileExists(atPath: directory.database) {
      logger.warning("the database in \(directory.database) is not used: the key database names another one")
    }
    let key =
      try await configuration.sharesDatabase
      ? directory.sharedKey(for: store) : directory.installationKey(for: store)
    if let fault = try await directory.keyFault(for: store) {
      logger.warning("\(fault). What has booted with its user data goes on without it; put the right key back")
    }
    let token = try await FirstStart(store: store, directory: directory, clock: clock).run()
    if !configuration.sharesDatabase {
      // The lock proves that no other process executes steps, so the holders of these leases are dead.
      try await store.releaseAllLeases()
      try await store.releaseNotices()
    } else {
      try await store.requireAgreement(
        areNoticesWritten: receiver != nil, areReverseNamesSaid: !reverseNamings.isEmpty,
        areHostsOwn: configuration.hostName != nil, seenWithin: Tenures.lifetime)
    }
    try await store.setNotices(areWritten: receiver != nil)
    try await store.setReverseNames(areSaid: !reverseNamings.isEmpty, at: clock.now)
    let hosted = try await HostedFleet.register(configuration, store, clock: clock, logger: logger)
    hosted.fleet.note(try await store.hosts())
    if hosted.haveDisks { try directory.noteServers(of: try await store.installationID()) }
    let metrics = try await metricsListener(store, reverseNamings, clock)
    let stateBackups = configuration.stateBackups(
      StateCopy(store: store, directory: directory), of: try await store.installationID(), clock: clock, logger: logger)
    warnOfListening()
    if hosted.haveDisks || FileManager.default.fileExists(atPath: configuration.imageDirectory.path) {
      do {
        try await configuration.markImages()
      } catch {
        logger.warning(
          "others who use the folder of images are not told that servers here need them: let only one installation remove any",
          metadata: ["error": "\(error)"])
      }
    }
    let group = ServiceGroup(
      configuration: .init(
        services: try await services(
          store: store, replica: replica, key: key, hosted: hosted, receiver: receiver,
          reverseNamings: reverseNamings, clock: clock, firstToken: token, metrics: metrics, stateBackups: stateBackups
        )
        .map {
          .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup)
        },
        gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
    do {
      try await group.run()
    } catch let error as IOError {
      throw CannotListen(
        address: configuration.listen, key: "listen", reason: String(cString: strerror(error.errnoCode)))
    } catch let error as SocketAddressError.UnknownHost {
      throw CannotListen(address: configuration.listen, key: "listen", reason: error.errorDescription)
    }
    for member in hosted.members {
      do {
        try await member.driver.endWork()
      } catch {
        logger.warning(
          "work on disks was left to the next start", metadata: ["host": "\(member.host.name)", "error": "\(error)"])
      }
    }
  }

  /// Tokens and passwords that are sent over a network without TLS can be read on the way.
  private func warnOfListening() {
    guard !configuration.listen.isLoopback, configuration.trustedProxies.isEmpty else { return }
    logger.warning(
      """
      it listens at \(configuration.listen) beyond this machine, and HTTP has no TLS: let a proxy have the network, and name it in \
      trusted_proxies (docs/operating.md, Behind a proxy)
      """)
  }

  /// A PostgreSQL server is backed up by its own operator.
  private func keepBeforeUpgrade() async throws {
    guard case .file(let path) = configuration.databaseLocation,
      let copy = try await SQLStore.keepBeforeUpgrade(path, to: ProgramVersion.number)
    else { return }
    logger.notice(
      "the database is an earlier version's and is brought up to date; what it was is kept",
      metadata: ["copy": "\(copy)", "version": "\(ProgramVersion.number)"])
  }

  /// Lets go of the database, so that its log is merged into the one file, which can then be copied. If that fails nothing is
  /// lost: the next start reads the log.
  private func letGo(of store: SQLStore) {
    do {
      try store.release()
    } catch {
      logger.warning("the database's log stays beside it until the next start", metadata: ["error": "\(error)"])
    }
  }

  private func services(
    store: SQLStore, replica: Replica, key: InstallationKey, hosted: HostedFleet, receiver: (any NoticeReceiver)?,
    reverseNamings: ReverseNamings, clock: any WallClock, firstToken: TokenText?, metrics: MetricsListener?,
    stateBackups: StateBackups?
  ) async throws -> [any Service] {
    let fleet = hosted.fleet
    let changes = Broadcast()
    let catalogue = CatalogueReader(store: store, clock: clock)
    let authenticator = Authenticator(store: store, clock: clock)
    let workshop = Workshop(
      configuration: configuration, fleet: fleet, catalogue: catalogue, changes: changes, clock: clock, key: key,
      receiver: receiver, reverseNamings: reverseNamings, figures: metrics?.page.engine, logger: logger)
    let servers = Servers(
      store: store, catalogueReader: catalogue, fleet: fleet, addressPools: configuration.addressPools,
      changes: changes, clock: clock, key: key,
      quota: configuration.serverQuota > 0 ? configuration.serverQuota : nil)
    func copies(_ family: DiskCopy.Family) -> DiskCopies {
      DiskCopies(
        family, store: store, fleet: fleet, changes: changes, clock: clock,
        quota: configuration.copyQuota > 0 ? configuration.copyQuota : nil)
    }
    let useCases = UseCases(
      servers: servers, metrics: Metrics(store: store, clock: clock),
      firewalls: Firewalls(store: store, fleet: fleet, changes: changes, clock: clock),
      reverseNames: ReverseNames(store: store, namings: reverseNamings, clock: clock),
      backups: copies(.backup), snapshots: copies(.snapshot),
      sshKeys: SSHKeys(
        store: store, clock: clock, quota: configuration.sshKeyQuota > 0 ? configuration.sshKeyQuota : nil),
      tokens: Tokens(
        store: store, authenticator: authenticator, clock: clock,
        quota: configuration.tokenQuota > 0 ? configuration.tokenQuota : nil),
      profiles: Profiles(store: store, currency: configuration.tariff.currency),
      statements: Statements(store: store, clock: clock, currency: configuration.tariff.currency),
      requests: Idempotency(store: store, clock: clock, limits: configuration.idempotency),
      events: Events(store: store, changes: changes, clock: clock),
      consoles: Consoles(store: store, fleet: fleet, changes: changes, clock: clock, limits: configuration.consoles),
      catalogue: catalogue,
      sessions: Sessions(
        store: store, authenticator: authenticator, clock: clock, mailsLinks: configuration.mailsLinks),
      operators: Operators(store: store, fleet: fleet, clock: clock))
    let sharedAttempts = configuration.sharesDatabase ? store : nil
    let panel =
      configuration.showsPanel
      ? Panel(
        useCases, publicURL: configuration.publicURL, limits: configuration.limits, sharedAttempts: sharedAttempts,
        clock: clock) : nil
    if configuration.hasPanel, panel == nil { logger.warning("\(Configuration.noPanel)") }
    let readiness = Readiness(drainSeconds: configuration.drainSeconds, clock: clock)
    let api = try APIService(
      useCases, authenticator: authenticator,
      document: OpenAPIDocument.root(of: configuration),
      translations: [.bulgarian: OpenAPIDocument.root(of: configuration, in: .bulgarian)],
      noVNC: configuration.noVNCDirectory,
      publicURL: configuration.publicURL, pages: panel, trustedProxies: TrustedProxies(configuration.trustedProxies),
      clock: clock,
      logger: logger, limits: configuration.limits, figures: metrics?.page.requests, sharedAttempts: sharedAttempts,
      changeMark: store.changeMark,
      isReady: { [store] in readiness.isOver ? false : try await store.isBootstrapped() })
    let firstLink = try await firstLink(store, isFirstStart: firstToken != nil, clock)
    let web = web(api, banner(hosted, firstToken: firstToken, firstLink: firstLink))
    let drivers = EndlessService { await Self.together(hosted.members) { await $0.driver.run() } }
    let wishes =
      configuration.keepsTemplates
      ? [EndlessService { [logger] in await hosted.wantTemplates(store, clock, logger) }] : []
    let uses = EndlessService { await authenticator.run() }
    // Services are shut down from last to first: no more requests are sent here, then waiting requests are answered, then no
    // more requests are accepted, then backups and checks end, then steps. Metrics are available until the end.
    let stateCopies = stateBackups.map { copies in [EndlessService { await copies.run() }] } ?? []
    let first: [any Service] = (metrics.map { [$0] } ?? []) + [drivers] + wishes + stateCopies
    let last: [any Service] = [EndOfWaits(changes: changes), readiness]
    if let clock = clock as? InstallationClock {
      let duties = SharedDuties(workshop, of: replica, store, hosted, clock: clock, logger: logger)
      return first + [duties, uses, Later(service: web) { await duties.greet() }] + last
    }
    return first + (await loneServices(workshop, store)) + [uses, web] + last
  }

  /// The background work where there is only one service.
  private func loneServices(_ workshop: Workshop, _ store: SQLStore) async -> [any Service] {
    let hosts = workshop.fleet.hosts.map { workshop.work(of: $0, store) }
    await greet(hosts.map(\.monitor), workshop.clock)
    let (schedule, billing) = (workshop.schedule(store), workshop.billing(store))
    return [
      RunnerService(runners: hosts.map(\.runner)), EndlessService { await Self.together(hosts) { await $0.watch() } },
      EndlessService { await schedule.run() }, EndlessService { await billing.run() },
      EndlessService { await workshop.notify(store) }, EndlessService { await workshop.keepReverseNames(store) },
    ]
  }

  /// Nil where no metrics are configured; then nothing is counted.
  private func metricsListener(
    _ store: SQLStore, _ reverseNamings: ReverseNamings, _ clock: any WallClock
  ) async throws -> MetricsListener? {
    guard let address = configuration.metricsListen else { return nil }
    let watch = StoreWatch(store: store, lastEntry: try await store.lastLedgerEntry(), clock: clock)
    let page = MetricsPage(
      store: watch, reverseNamings: reverseNamings, currency: configuration.tariff.currency, clock: clock,
      logger: logger)
    return MetricsListener(page: page, address: address, logger: logger)
  }

  /// A link to the panel, shown at the first start on a terminal.
  private func firstLink(
    _ store: any Store, isFirstStart: Bool, _ clock: any WallClock
  ) async throws -> LoginLinkText? {
    guard isFirstStart, configuration.showsPanel, isatty(STDOUT_FILENO) == 1 else { return nil }
    guard let account = try await store.account(email: FirstStart.email) else { return nil }
    return try await Sessions.makeLink(for: account.id, store, at: clock.now)
  }

  /// Lets the first order know the capacity of each host. Waits at most ten seconds for hosts that do not answer.
  private func greet(_ monitors: [Monitor], _ clock: any WallClock) async {
    let greeted = Doorbell()
    Task {
      await Self.together(monitors) { await $0.greet() }
      greeted.ring()
    }
    await greeted.wait(until: clock.uptime + .seconds(10), clock: clock)
  }

  private static func together<Part: Sendable>(
    _ parts: [Part], _ run: @escaping @Sendable (Part) async -> Void
  ) async {
    await withDiscardingTaskGroup { group in
      for part in parts { group.addTask { await run(part) } }
    }
  }

  private func banner(_ hosted: HostedFleet, firstToken: TokenText?, firstLink: LoginLinkText?) -> Banner {
    let drivers = Set(hosted.members.map(\.driverName)).sorted().joined(separator: ", ")
    return Banner(
      configuration: configuration, firstToken: firstToken, firstLink: firstLink,
      hosts: hosted.members.count == 1 ? "driver: \(drivers)" : "\(hosted.members.count) hosts: \(drivers)",
      logger: logger)
  }

  private func web(_ api: APIService, _ banner: Banner) -> some ApplicationProtocol {
    let limits = DescriptorLimit.raised().fitting(
      configuration.connections, consoles: configuration.consoles.inAll, logger: logger)
    return api.listener(
      on: .hostname(configuration.listen.host, port: configuration.listen.port), limits: limits, spare: spare,
      onServerRunning: { channel in banner.print(port: channel.localAddress?.port) })
  }
}

struct CannotListen: Error, CustomStringConvertible {
  let address: ListenAddress
  /// The key in the configuration.
  let key: String
  let reason: String

  var description: String {
    "Cannot listen on \(address) (the key \(key), or VPSD_\(key.uppercased())): \(reason)."
  }
}

private struct RunnerService: Service {
  let runners: [Runner]

  func run() async throws {
    await withGracefulShutdownHandler {
      await withDiscardingTaskGroup { group in
        for runner in runners { group.addTask { await runner.run() } }
      }
    } onGracefulShutdown: {
      for runner in runners { runner.stop() }
    }
  }
}

/// Ends waiting requests, event streams and consoles, which would delay the shutdown.
private struct EndOfWaits: Service {
  let changes: Broadcast

  func run() async throws {
    try await gracefulShutdown()
    changes.end()
  }
}

/// Runs its body until it is cancelled.
private struct EndlessService: Service {
  let body: @Sendable () async -> Void

  func run() async throws {
    await cancelWhenGracefulShutdown { await body() }
  }
}
