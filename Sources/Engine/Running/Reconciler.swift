import Core
import Foundation
import Logging

/// Brings the rows and the machines together.
struct Reconciler: Sendable {
  /// A machine that keeps going away is started again this often in this time, and then left alone.
  static let maximumRecoveries = 3
  static let recoveryWindow = Duration.seconds(600)

  let store: any Store
  let driver: any ComputeDriver
  let changes: Broadcast
  let clock: any WallClock
  let logger: Logger

  /// - Parameter inventory: Read before the machines were observed, so that a difference can only be out of date, and every
  ///   action is guarded by another look.
  /// - Returns: Whether there is new work for the runner.
  func reconcile(_ inventory: [InventoryItem], _ observed: [UUID: MachineObservation]) async throws -> Bool {
    var isNewWork = false
    for item in inventory {
      let seen = observed[item.uuid]?.power ?? .absent
      guard Reconciliation.action(wanted: item, observed: seen) != .none else { continue }
      do {
        let lookedAt = clock.now
        let power = try await driver.power(of: item.uuid)
        let action = Reconciliation.action(wanted: item, observed: power)
        let changed = try await apply(action, to: item, power, seenAt: lookedAt)
        isNewWork = isNewWork || changed
      } catch let error as DriverError {
        // One machine that cannot be looked at is no reason to leave the others alone.
        logger.error("a machine does not answer", metadata: ["server": "\(item.id)", "detail": "\(error.detail)"])
      }
    }
    try await reap(Set(observed.keys).subtracting(inventory.map(\.uuid)))
    return isNewWork
  }

  private func apply(
    _ action: Reconciliation, to item: InventoryItem, _ power: MachinePower, seenAt now: Timestamp
  ) async throws -> Bool {
    let changed: Bool
    switch action {
    case .none, .reap: return false
    case .recordShutdown: changed = try await store.recordShutdown(of: item.id, at: now)
    case .recordRunning: changed = try await store.recordRunning(of: item.id, at: now)
    case .recover:
      changed = try await store.beginRecovery(
        of: item.id, limit: Self.maximumRecoveries, since: now - Self.recoveryWindow, at: now)
    }
    if changed {
      changes.tell(item.id)
      logger.notice(
        "server and machine differ",
        metadata: ["server": "\(item.id)", "machine": "\(power)", "action": "\(action)"])
    }
    return changed && action == .recover
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
