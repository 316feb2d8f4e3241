import Core
import Foundation
import Logging
import Synchronization

/// Brings the rows and the machines together.
final class Reconciler: Sendable {
  /// A machine that keeps going away is started again this often in this time, and then left alone.
  static let maximumRecoveries = 3
  static let recoveryWindow = Duration.seconds(600)
  /// Of the servers in error so many are asked in one look whether they are ready: one that is not may take its time to say so.
  static let returnsAtOnce = 8

  private let store: any InventoryStore & EventStore
  private let driver: any ComputeDriver
  private let changes: Broadcast
  private let clock: any WallClock
  private let logger: Logger
  private let paused = PausedMachines()
  /// The last server in error that was asked.
  private let lastAsked = Mutex<ID<Server>?>(nil)

  init(
    store: any InventoryStore & EventStore, driver: any ComputeDriver, changes: Broadcast, clock: any WallClock,
    logger: Logger
  ) {
    self.store = store
    self.driver = driver
    self.changes = changes
    self.clock = clock
    self.logger = logger
  }

  /// - Parameter inventory: Read before the machines were observed, so that a difference can only be out of date, and every
  ///   action is guarded by another look.
  /// - Returns: Whether there is new work for the runner.
  func reconcile(_ inventory: [InventoryItem], _ observed: [UUID: MachineObservation]) async throws -> Bool {
    var isNewWork = false
    paused.retain(observed.filter { $0.value.power == .paused }.keys)
    for item in inTurn(inventory.filter { action(for: $0, observed) != .none }, observed) {
      do {
        let event = try await store.keptEvents().last
        let power = try await driver.power(of: item.uuid)
        let action = Reconciliation.action(wanted: item, observed: power)
        let changed = try await apply(action, to: item, power, seenAfter: event)
        isNewWork = isNewWork || changed
      } catch let error as DriverError {
        // One machine that cannot be looked at is no reason to leave the others alone.
        logger.error("a machine does not answer", metadata: ["server": "\(item.id)", "detail": "\(error.detail)"])
      }
    }
    try await reap(Set(observed.keys).subtracting(inventory.map(\.uuid)))
    return isNewWork
  }

  private func action(for item: InventoryItem, _ observed: [UUID: MachineObservation]) -> Reconciliation {
    Reconciliation.action(wanted: item, observed: observed[item.uuid]?.power ?? .absent)
  }

  /// Without those that are asked in another look whether they are ready.
  private func inTurn(_ items: [InventoryItem], _ observed: [UUID: MachineObservation]) -> [InventoryItem] {
    let asked = items.filter { action(for: $0, observed) == .recordReturn }
    guard asked.count > Self.returnsAtOnce else { return items }
    let turn = lastAsked.withLock { last in
      let next = asked.filter { $0.id > last ?? ID(0) } + asked.filter { $0.id <= last ?? ID(0) }
      let turn = next.prefix(Self.returnsAtOnce)
      last = turn.last?.id
      return turn
    }
    return items.filter { action(for: $0, observed) != .recordReturn } + turn
  }

  private func apply(
    _ action: Reconciliation, to item: InventoryItem, _ power: MachinePower, seenAfter event: Int64
  ) async throws -> Bool {
    let now = clock.now
    let changed: Bool
    switch action {
    case .none, .reap: return false
    case .resume:
      await resume(item)
      return false
    case .recordShutdown: changed = try await store.recordShutdown(of: item.id, seenAfter: event, at: now)
    case .recordRunning: changed = try await store.recordRunning(of: item.id, seenAfter: event, at: now)
    case .recordReturn:
      let readiness = try await driver.readiness(of: item.uuid)
      guard readiness.hasSSHBanner || (!item.awaitsFirstBoot && readiness.hasAgent) else { return false }
      changed = try await store.recordReturn(of: item.id, seenAfter: event, at: now)
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
    return changed && action == .recover
  }

  /// A server whose machine is paused is as active as before, and tried for as long as it takes.
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

  /// A machine may be new: its row was written before it, so a second look at the rows tells.
  private func reap(_ strangers: Set<UUID>) async throws {
    guard !strangers.isEmpty else { return }
    let known = Set(try await store.inventory().map(\.uuid))
    for machine in strangers.subtracting(known) {
      logger.notice("removing a machine that belongs to no server", metadata: ["machine": "\(machine)"])
      do {
        try await driver.ensureAbsent(machine)
      } catch let error as DriverError {
        logger.error("it could not be removed", metadata: ["machine": "\(machine)", "detail": "\(error.detail)"])
      }
    }
  }
}

/// Those of which the log has it already.
private final class PausedMachines: Sendable {
  private let known = Mutex<Set<UUID>>([])

  /// Whether it was not there.
  func insert(_ machine: UUID) -> Bool { known.withLock { $0.insert(machine).inserted } }

  func retain(_ paused: some Sequence<UUID>) { known.withLock { $0.formIntersection(paused) } }
}
