import API
import Core
import Engine
import Logging
import SQLStore

/// Everything that watches and acts for one host.
struct HostWork: Sendable {
  let runner: Runner
  let monitor: Monitor
  let firewallKeeper: FirewallKeeper
  let userDataWatch: UserDataWatch
  /// Nil where the host's servers wait for it, however long it is away.
  let fenceKeeper: FenceKeeper?
  /// Nil where there is only one service, which sets passwords itself.
  let passwordKeeper: PasswordKeeper?

  /// Runs everything but the operations, until cancellation.
  func watch() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await monitor.run() }
      group.addTask { await firewallKeeper.run() }
      group.addTask { await userDataWatch.run() }
      if let fenceKeeper { group.addTask { await fenceKeeper.run() } }
      if let passwordKeeper { group.addTask { await passwordKeeper.run() } }
    }
  }
}

/// Creates the parts that work in the background.
struct Workshop: Sendable {
  let configuration: Configuration
  let fleet: Fleet
  let catalogue: CatalogueReader
  let changes: Broadcast
  let clock: any WallClock
  let key: InstallationKey
  let receiver: (any NoticeReceiver)?
  let reverseNamings: ReverseNamings
  let figures: EngineFigures?
  let logger: Logger

  /// - Parameter store: The store through which all of the host's parts write.
  func work(of host: FleetHost, _ store: SQLStore) -> HostWork {
    let monitor = Monitor(
      of: host, in: fleet, store: store, catalogueReader: catalogue, changes: changes, clock: clock, logger: logger)
    return HostWork(
      runner: Runner(
        on: host, of: fleet, store: store, catalogueReader: catalogue, addressPools: configuration.addressPools,
        changes: changes,
        clock: clock, logger: logger, key: key, figures: figures, becameActive: { monitor.pollSoon() }),
      monitor: monitor,
      firewallKeeper: FirewallKeeper(of: host, store: store, changes: changes, clock: clock, logger: logger),
      userDataWatch: UserDataWatch(of: host, store: store, changes: changes, clock: clock, logger: logger),
      fenceKeeper: configuration.fencing(at: host.location).map { fence, patience in
        FenceKeeper(
          of: host, in: fleet, by: fence, after: patience, store: store, changes: changes, clock: clock, logger: logger)
      },
      passwordKeeper: configuration.sharesDatabase
        ? PasswordKeeper(of: host, store: store, clock: clock, logger: logger) : nil)
  }

  func schedule(_ store: SQLStore) -> BackupSchedule {
    BackupSchedule(store: store, fleet: fleet, changes: changes, clock: clock, logger: logger)
  }

  func billing(_ store: SQLStore) -> BillingMeter {
    BillingMeter(store: store, fleet: fleet, changes: changes, clock: clock, logger: logger, figures: figures)
  }

  /// Sends notices to the owners of accounts, if that is configured. Runs until cancellation.
  func notify(_ store: SQLStore) async {
    guard let receiver else {
      while !Task.isCancelled { try? await Task.sleep(for: .seconds(86_400)) }
      return
    }
    let sender = NoticeSender(
      store: store, receiver: receiver, currency: configuration.tariff.currency,
      panel: configuration.mailsLinks ? configuration.publicURL?.description : nil, clock: clock, logger: logger)
    let watch = NoticeWatch(store: store, clock: clock, logger: logger)
    await withDiscardingTaskGroup { group in
      group.addTask { await sender.run() }
      group.addTask { await watch.run() }
    }
  }

  /// Sends reverse names to the DNS servers, if any are configured. Runs until cancellation.
  func keepReverseNames(_ store: SQLStore) async {
    guard !reverseNamings.isEmpty else {
      while !Task.isCancelled { try? await Task.sleep(for: .seconds(86_400)) }
      return
    }
    await ReverseNameKeeper(
      store: store, namings: reverseNamings, pools: configuration.addressPools, clock: clock, logger: logger
    ).run()
  }
}
