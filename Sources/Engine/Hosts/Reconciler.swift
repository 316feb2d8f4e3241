import Core
import Logging
import Synchronization

import struct Foundation.UUID

/// Resolves the differences between the rows and the machines of one host.
final class Reconciler: Sendable {
  /// A machine that keeps going off by itself is started again this often within the window, and then left alone.
  static let maximumRecoveries = 3
  static let recoveryWindow = Duration.seconds(600)
  /// How many servers in `error` are asked per observation whether they are ready: one that is not may take long to answer.
  static let returnsAtOnce = 8

  /// How many leftovers of moves are removed per observation: a disk may take long.
  private static let leftoversAtOnce = 8
  /// How many machines of a lost host are taken over per observation.
  private static let awaitedAtOnce = 32

  private let host: ID<Host>
  private let fleet: Fleet
  private let store: any InventoryStore & EventStore
  private let driver: any ComputeDriver
  private let changes: Broadcast
  private let clock: any WallClock
  private let logger: Logger
  private let paused = PausedMachines()
  /// The last server in error that was asked.
  private let lastAsked = Mutex<ID<Server>?>(nil)
  private let lastLeftover = Mutex<ID<Operation>?>(nil)
  private let lastAwaited = Mutex<ID<Operation>?>(nil)

  init(
    of host: FleetHost, in fleet: Fleet, store: any InventoryStore & EventStore, changes: Broadcast,
    clock: any WallClock, logger: Logger
  ) {
    self.host = host.id
    self.fleet = fleet
    self.store = store
    driver = host.driver
    self.changes = changes
    self.clock = clock
    self.logger = logger
  }

  /// - Parameter look: Its rows were read before the machines were observed. A difference may be outdated, so each machine is
  ///   looked at again before any action.
  /// - Returns: Whether there is new work for the runner.
  func reconcile(_ look: HostLook) async throws -> Bool {
    var isNewWork = false
    paused.retain(look.servers.lazy.filter { $0.power == .paused }.map(\.item.uuid))
    for item in inTurn(look.servers.filter { action(for: $0) != .none }).map(\.item) {
      do {
        let event = try await store.keptEvents().last
        // A move that was over before this moment has written its events: the machine is no business of this host any more.
        guard try await store.hosts(ofMachines: [item.uuid])[item.uuid] == host else { continue }
        let power = try await driver.power(of: item.uuid)
        let action = Reconciliation.action(wanted: item, observed: power)
        let changed = try await apply(action, to: item, power, seenAfter: event)
        isNewWork = isNewWork || changed
      } catch let error as DriverError {
        // One machine that cannot be looked at must not keep the others from being reconciled.
        logger.error("a machine does not answer", metadata: ["server": "\(item.id)", "detail": "\(error.detail)"])
      }
    }
    try await removeStrangers(look.strangers)
    return isNewWork
  }

  private func action(for server: HostLook.SeenServer) -> Reconciliation {
    Reconciliation.action(wanted: server.item, observed: server.power)
  }

  /// All servers, but of those in `error` only those whose turn it is to be asked whether they are ready.
  private func inTurn(_ servers: [HostLook.SeenServer]) -> [HostLook.SeenServer] {
    let asked = servers.filter { action(for: $0) == .recordReturn }
    guard asked.count > Self.returnsAtOnce else { return servers }
    let turn = lastAsked.withLock { last in
      let next = asked.filter { $0.id > last ?? ID(0) } + asked.filter { $0.id <= last ?? ID(0) }
      let turn = next.prefix(Self.returnsAtOnce)
      last = turn.last?.id
      return turn
    }
    return servers.filter { action(for: $0) != .recordReturn } + turn
  }

  private func apply(
    _ action: Reconciliation, to item: InventoryItem, _ power: MachinePower, seenAfter event: Int64
  ) async throws -> Bool {
    let now = clock.now
    let changed: Bool
    switch action {
    case .none: return false
    case .resume:
      await resume(item)
      return false
    case .recordShutdown: changed = try await store.recordShutdown(of: item.id, seenAfter: event, at: now)
    case .recordRunning: changed = try await store.recordRunning(of: item.id, seenAfter: event, at: now)
    case .recordReturn:
      let readiness = try await driver.readiness(of: item.uuid)
      guard readiness.hasSSHBanner || (!item.awaitsFirstBoot && readiness.hasAgent) else { return false }
      changed = try await store.recordReturn(of: item.id, seenAfter: event, at: now)
    case .keepOff: changed = try await store.keepOff(item.id, seenAfter: event, at: now)
    case .recover:
      changed = try await store.beginRecovery(
        of: item.id, limit: Self.maximumRecoveries, since: now - Self.recoveryWindow, seenAfter: event,
        at: now)
    }
    if changed {
      changes.tell(item.id)
      logger.notice(
        "server and machine differ",
        metadata: ["server": "\(item.id)", "machine": "\(power)", "action": "\(action)"])
    }
    return changed && (action == .recover || action == .keepOff)
  }

  /// Resumes a paused machine. Its server stays active, and each observation tries again until it succeeds.
  private func resume(_ item: InventoryItem) async {
    let isNew = paused.insert(item.uuid)
    do {
      try await driver.resume(item.uuid)
      if isNew { logger.notice("a paused machine goes on", metadata: ["server": "\(item.id)"]) }
    } catch {
      let detail = (error as? DriverError)?.detail ?? "\(error)"
      logger.log(
        level: isNew ? .error : .debug, "a machine is paused",
        metadata: ["server": "\(item.id)", "detail": "\(detail)"])
    }
  }

  /// Takes over the machines of servers that have come here because their host was lost. Returns whether there was any.
  func takeAwaited() async throws -> Bool {
    let last = lastAwaited.withLock { $0 }
    var isAnyTaken = false
    for awaited in try await store.awaitedMachines(on: host, after: last, limit: Self.awaitedAtOnce) {
      lastAwaited.withLock { $0 = awaited.move }
      do {
        guard let heir = driver as? any MachineHeir else {
          throw DriverError(.rejected, "This host takes no machines of others over.")
        }
        try await heir.ensureInherited(awaited.machine)
        try await store.recordArrival(of: awaited, on: host)
        logger.notice("a machine of a host that is lost is this one's now", metadata: ["server": "\(awaited.server)"])
        changes.tell(awaited.server)
        isAnyTaken = true
      } catch let error as DriverError {
        logger.log(
          level: error.isWorthRetrying ? .debug : .error, "a machine of a host that is lost is not taken over",
          metadata: ["server": "\(awaited.server)", "detail": "\(error.detail)"])
      }
    }
    return isAnyTaken
  }

  /// Removes what moves have left here: the machines that have gone to another host, and the parts of those that did not come.
  func removeLeftovers() async throws {
    let last = lastLeftover.withLock { $0 }
    for leftover in try await store.leftovers(on: host, after: last, limit: Self.leftoversAtOnce) {
      lastLeftover.withLock { $0 = leftover.move }
      do {
        try await leave(leftover.machine, to: leftover.home)
        try await store.recordRemoval(of: leftover, on: host)
      } catch let error as DriverError {
        logger.log(
          level: error.isWorthRetrying ? .debug : .error, "what a move has left here stays",
          metadata: ["machine": "\(leftover.machine)", "detail": "\(error.detail)"])
      }
    }
  }

  /// What came of a move that was undone may be all that there is of the machine, so it is the driver that tells the two apart.
  private func leave(_ machine: UUID, to home: ID<Host>?) async throws {
    guard let home, let receiver = driver as? any MachineReceiver else { return try await driver.ensureAbsent(machine) }
    guard let own = fleet[home] else {
      throw DriverError(.unreachable, "The server's own host is not of this service, or not configured any more.")
    }
    try await receiver.ensureLeft(machine, to: own.driver)
  }

  /// Removes machines without a row, and powers off those whose server is on another host. It reads the rows again, because a
  /// new machine's row is written before the machine is made. A machine whose server is elsewhere must not run beside it, but
  /// is kept, because it may hold all that is left of a customer's data, unless a move has brought the server there.
  private func removeStrangers(_ strangers: Set<UUID>) async throws {
    guard !strangers.isEmpty else { return }
    let homes = try await store.hosts(ofMachines: Array(strangers))
    let moved = try await store.movedMachines(
      among: strangers.filter { homes[$0] != nil && homes[$0] != host }, notOn: host)
    for machine in strangers where homes[machine] != host {
      do {
        if homes[machine] == nil || moved.contains(machine) {
          logger.notice("removing a machine that belongs to no server here", metadata: ["machine": "\(machine)"])
          try await leave(machine, to: homes[machine])
        } else if try await driver.power(of: machine).isOn {
          logger.error("stopping a machine whose server is on another host", metadata: ["machine": "\(machine)"])
          try await driver.powerOff(machine)
        }
      } catch let error as DriverError {
        logger.error(
          "a machine that should not be here stays", metadata: ["machine": "\(machine)", "detail": "\(error.detail)"])
      }
    }
  }
}

/// The paused machines that have been logged.
private final class PausedMachines: Sendable {
  private let known = Mutex<Set<UUID>>([])

  /// Returns whether the machine is new here.
  func insert(_ machine: UUID) -> Bool { known.withLock { $0.insert(machine).inserted } }

  func retain(_ paused: some Sequence<UUID>) { known.withLock { $0.formIntersection(paused) } }
}
