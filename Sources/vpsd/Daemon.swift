import API
import Core
import Engine
import Foundation
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import SQLStore
import ServiceLifecycle
import UnixSignals

/// The service put together: the only place where ports meet what implements them.
struct Daemon {
  let configuration: Configuration
  let logger: Logger

  func run() async throws {
    let clock = SystemClock()
    let directory = DataDirectory(configuration.dataDirectory)
    try directory.ensureExists()
    let lock = try ProcessLock(path: directory.lock)
    let store = try SQLStore(path: directory.database)
    let token = try await FirstStart(store: store, directory: directory, clock: clock).run()
    // The lock says that no other process runs steps, so whoever held these leases is dead.
    try await store.releaseAllLeases()
    let driver = try await configuration.makeDriver(installation: store.installationID(), clock: clock, logger: logger)
    let group = ServiceGroup(
      configuration: .init(
        services: try services(store: store, driver: driver, clock: clock, firstToken: token).map {
          .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup)
        },
        gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
    do {
      try await group.run()
    } catch let error as IOError {
      throw CannotListen(address: configuration.listen, reason: String(cString: strerror(error.errnoCode)))
    } catch let error as SocketAddressError.UnknownHost {
      throw CannotListen(address: configuration.listen, reason: error.errorDescription)
    }
    do {
      try await driver.endWork()
    } catch {
      logger.warning("work on disks was left to the next start", metadata: ["error": "\(error)"])
    }
    withExtendedLifetime(lock) {}
  }

  private func services(
    store: any Store, driver: any HostedDriver, clock: any WallClock, firstToken: TokenText?
  ) throws -> [any Service] {
    let doorbell = Doorbell()
    let changes = Broadcast()
    let catalogue = CatalogueReader(store: store, clock: clock)
    let authenticator = Authenticator(store: store, clock: clock)
    let monitor = Monitor(
      store: store, driver: driver, catalogueReader: catalogue, authenticator: authenticator, doorbell: doorbell,
      changes: changes, clock: clock, logger: logger)
    let runner = Runner(
      store: store, driver: driver, catalogueReader: catalogue, addressPool: configuration.addressPool,
      doorbell: doorbell, changes: changes, clock: clock, logger: logger, becameActive: { monitor.lookSoon() })
    let servers = Servers(
      store: store, catalogueReader: catalogue, driver: driver, addressPool: configuration.addressPool,
      doorbell: doorbell, changes: changes, clock: clock,
      quota: configuration.serverQuota > 0 ? configuration.serverQuota : nil)
    let copies = DiskCopy.Family.allCases.map { family in
      DiskCopies(
        family, store: store, doorbell: doorbell, changes: changes, clock: clock,
        quota: configuration.copyQuota > 0 ? configuration.copyQuota : nil)
    }
    let schedule = BackupSchedule(store: store, doorbell: doorbell, changes: changes, clock: clock, logger: logger)
    let api = try APIService(
      servers: servers, copies: copies,
      sshKeys: SSHKeys(
        store: store, clock: clock, quota: configuration.sshKeyQuota > 0 ? configuration.sshKeyQuota : nil),
      tokens: Tokens(
        store: store, authenticator: authenticator, clock: clock,
        quota: configuration.tokenQuota > 0 ? configuration.tokenQuota : nil),
      profiles: Profiles(store: store),
      requests: RepeatableRequests(store: store, clock: clock, limits: configuration.repeatableRequests),
      events: Events(store: store, changes: changes, clock: clock),
      consoles: Consoles(store: store, driver: driver, changes: changes, clock: clock, limits: configuration.consoles),
      catalogue: catalogue, authenticator: authenticator,
      document: OpenAPIDocument.root(of: configuration),
      noVNC: configuration.noVNCDirectory,
      publicURL: configuration.publicURL, trustedProxies: TrustedProxies(configuration.trustedProxies), clock: clock,
      logger: logger, limits: configuration.limits,
      isHealthy: { try await store.isBootstrapped() })
    // Services are shut down from the last to the first: whoever waits is answered, then no more requests, then no more
    // backups and looks, then no more steps.
    return [
      EndlessService { await driver.run() }, RunnerService(runner: runner), EndlessService { await monitor.run() },
      EndlessService { await schedule.run() },
      web(api, Banner(configuration: configuration, firstToken: firstToken, sshPort: driver.sshPort)),
      EndOfWaits(changes: changes),
    ]
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
  let reason: String

  var description: String { "Cannot listen on \(address) (the key listen, or VPSD_LISTEN): \(reason)." }
}

private struct RunnerService: Service {
  let runner: Runner

  func run() async throws {
    await withGracefulShutdownHandler {
      await runner.run()
    } onGracefulShutdown: {
      runner.stop()
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
