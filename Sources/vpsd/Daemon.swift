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

/// The service put together: the only place where ports meet what implements them.
struct Daemon {
  let configuration: Configuration
  let logger: Logger

  func run() async throws {
    let clock = SystemClock()
    let receiver = try configuration.notify.receiver()
    let directory = DataDirectory(configuration.dataDirectory)
    try directory.ensureExists()
    let lock = try ProcessLock(path: directory.lock)
    // Where one that was killed listened, somebody else may by now. What it says is true while the lock is held.
    unlink(directory.url)
    defer {
      unlink(directory.url)
      withExtendedLifetime(lock) {}
    }
    try await keepBeforeUpgrade()
    let store = try await SQLStore.open(
      configuration.databaseLocation, serves: true, tariff: configuration.tariff)
    defer { letGo(of: store) }
    if configuration.database != nil, FileManager.default.fileExists(atPath: directory.database) {
      logger.warning("the database in \(directory.database) is not used: the key database names another one")
    }
    let key = try await directory.installationKey(for: store)
    if let fault = try await directory.keyFault(for: store) {
      logger.warning("\(fault). What has booted with its user data goes on without it; put the right key back")
    }
    let token = try await FirstStart(store: store, directory: directory, clock: clock).run()
    // The lock says that no other process runs steps, so whoever held these leases is dead.
    try await store.releaseAllLeases()
    try await store.setNotices(areWritten: receiver != nil)
    try await store.releaseNotices()
    let hosted = try await HostedFleet.register(configuration, store, clock: clock, logger: logger)
    let metrics = try await metricsListener(store, clock)
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
          store: store, key: key, hosted: hosted, receiver: receiver, clock: clock, firstToken: token,
          metrics: metrics, stateBackups: stateBackups
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

  /// What goes over a network without TLS, tokens and passwords too, whoever stands in between can read.
  private func warnOfListening() {
    guard !configuration.listen.isLoopback, configuration.trustedProxies.isEmpty else { return }
    logger.warning(
      """
      it listens at \(configuration.listen) beyond this machine, and HTTP has no TLS: let a proxy have the network, and name it in \
      trusted_proxies (docs/operating.md, Behind a proxy)
      """)
  }

  /// Of a server of PostgreSQL whoever runs it makes copies.
  private func keepBeforeUpgrade() async throws {
    guard case .file(let path) = configuration.databaseLocation,
      let copy = try await SQLStore.keepBeforeUpgrade(path, to: ProgramVersion.number)
    else { return }
    logger.notice(
      "the database is an earlier version's and is brought up to date; what it was is kept",
      metadata: ["copy": "\(copy)", "version": "\(ProgramVersion.number)"])
  }

  /// What has ended leaves one file, which can be copied, and no log of the database beside it. Nothing is lost where it stays:
  /// the next start reads it.
  private func letGo(of store: SQLStore) {
    do {
      try store.release()
    } catch {
      logger.warning("the database's log stays beside it until the next start", metadata: ["error": "\(error)"])
    }
  }

  private func services(
    store: any Store, key: InstallationKey, hosted: HostedFleet, receiver: (any NoticeReceiver)?, clock: any WallClock,
    firstToken: TokenText?, metrics: MetricsListener?, stateBackups: StateBackups?
  ) async throws -> [any Service] {
    let fleet = hosted.fleet
    let changes = Broadcast()
    let catalogue = CatalogueReader(store: store, clock: clock)
    let authenticator = Authenticator(store: store, clock: clock)
    let monitors = fleet.hosts.map { host in
      Monitor(
        of: host, store: store, catalogueReader: catalogue, changes: changes, clock: clock, logger: logger)
    }
    let firewallKeepers = fleet.hosts.map { host in
      FirewallKeeper(of: host, store: store, changes: changes, clock: clock, logger: logger)
    }
    await greet(monitors, clock)
    let runners = zip(fleet.hosts, monitors).map { host, monitor in
      Runner(
        on: host, store: store, catalogueReader: catalogue, addressPools: configuration.addressPools, changes: changes,
        clock: clock, logger: logger, key: key, figures: metrics?.page.engine, becameActive: { monitor.pollSoon() })
    }
    let userDataWatches = fleet.hosts.map { host in
      UserDataWatch(of: host, store: store, changes: changes, clock: clock, logger: logger)
    }
    let servers = Servers(
      store: store, catalogueReader: catalogue, fleet: fleet, addressPools: configuration.addressPools,
      changes: changes, clock: clock, key: key,
      quota: configuration.serverQuota > 0 ? configuration.serverQuota : nil)
    func copies(_ family: DiskCopy.Family) -> DiskCopies {
      DiskCopies(
        family, store: store, fleet: fleet, changes: changes, clock: clock,
        quota: configuration.copyQuota > 0 ? configuration.copyQuota : nil)
    }
    let schedule = BackupSchedule(store: store, fleet: fleet, changes: changes, clock: clock, logger: logger)
    let billing = BillingMeter(
      store: store, fleet: fleet, changes: changes, clock: clock, logger: logger, figures: metrics?.page.engine)
    let useCases = UseCases(
      servers: servers, metrics: Metrics(store: store, clock: clock),
      firewalls: Firewalls(store: store, fleet: fleet, changes: changes, clock: clock),
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
    let panel =
      configuration.showsPanel
      ? Panel(useCases, publicURL: configuration.publicURL, limits: configuration.limits, clock: clock) : nil
    if configuration.hasPanel, panel == nil { logger.warning("\(Configuration.noPanel)") }
    let api = try APIService(
      useCases, authenticator: authenticator,
      document: OpenAPIDocument.root(of: configuration),
      translations: [.bulgarian: OpenAPIDocument.root(of: configuration, in: .bulgarian)],
      noVNC: configuration.noVNCDirectory,
      publicURL: configuration.publicURL, pages: panel, trustedProxies: TrustedProxies(configuration.trustedProxies),
      clock: clock,
      logger: logger, limits: configuration.limits, figures: metrics?.page.requests,
      isHealthy: { try await store.isBootstrapped() })
    let firstLink = try await firstLink(store, isFirstStart: firstToken != nil, clock)
    // Services are shut down from the last to the first: whoever waits is answered, then no more requests, then no more
    // backups and looks, then no more steps; figures are there as long as anything is done.
    return (metrics.map { [$0] } ?? []) + [
      EndlessService { await Self.together(hosted.members) { await $0.driver.run() } },
      RunnerService(runners: runners), EndlessService { await Self.together(firewallKeepers) { await $0.run() } },
      EndlessService { await Self.together(monitors) { await $0.run() } },
      EndlessService { await Self.together(userDataWatches) { await $0.run() } },
      EndlessService { if let stateBackups { await stateBackups.run() } else { await Self.untilCancelled() } },
      EndlessService { await schedule.run() }, EndlessService { await billing.run() },
      EndlessService { await authenticator.run() },
      EndlessService { await notify(store, receiver, clock) },
      web(api, banner(hosted, firstToken: firstToken, firstLink: firstLink)), EndOfWaits(changes: changes),
    ]
  }

  /// Nil where nobody is to see figures, and nothing is counted.
  private func metricsListener(_ store: SQLStore, _ clock: any WallClock) async throws -> MetricsListener? {
    guard let address = configuration.metricsListen else { return nil }
    let watch = StoreWatch(store: store, lastEntry: try await store.lastLedgerEntry(), clock: clock)
    let page = MetricsPage(store: watch, currency: configuration.tariff.currency, clock: clock, logger: logger)
    return MetricsListener(page: page, address: address, logger: logger)
  }

  /// Whoever starts the service for the first time, and looks on, is shown a link to the panel.
  private func firstLink(
    _ store: any Store, isFirstStart: Bool, _ clock: any WallClock
  ) async throws -> LoginLinkText? {
    guard isFirstStart, configuration.showsPanel, isatty(STDOUT_FILENO) == 1 else { return nil }
    guard let account = try await store.account(email: FirstStart.email) else { return nil }
    return try await Sessions.makeLink(for: account.id, store, at: clock.now)
  }

  /// Tells owners of accounts what happens, where anything is configured that can.
  private func notify(_ store: any Store, _ receiver: (any NoticeReceiver)?, _ clock: any WallClock) async {
    guard let receiver else { return await Self.untilCancelled() }
    let sender = NoticeSender(
      store: store, receiver: receiver, currency: configuration.tariff.currency,
      panel: configuration.mailsLinks ? configuration.publicURL?.description : nil, clock: clock, logger: logger)
    let watch = NoticeWatch(store: store, clock: clock, logger: logger)
    await withDiscardingTaskGroup { group in
      group.addTask { await sender.run() }
      group.addTask { await watch.run() }
    }
  }

  private static func untilCancelled() async {
    while !Task.isCancelled { try? await Task.sleep(for: .seconds(86_400)) }
  }

  /// Who orders as soon as the service listens finds out what each host can carry. One that does not answer holds nothing up.
  private func greet(_ monitors: [Monitor], _ clock: any WallClock) async {
    let greeted = Doorbell()
    Task {
      await Self.together(monitors) { await $0.pollOnce() }
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
      on: .hostname(configuration.listen.host, port: configuration.listen.port), limits: limits,
      onServerRunning: { channel in banner.print(port: channel.localAddress?.port) })
  }
}

struct CannotListen: Error, CustomStringConvertible {
  let address: ListenAddress
  /// Of the configuration.
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

/// Requests that wait, streams of events and consoles would hold up the end of the service.
private struct EndOfWaits: Service {
  let changes: Broadcast

  func run() async throws {
    try await gracefulShutdown()
    changes.end()
  }
}

/// What runs until it is cancelled.
private struct EndlessService: Service {
  let body: @Sendable () async -> Void

  func run() async throws {
    await cancelWhenGracefulShutdown { await body() }
  }
}
