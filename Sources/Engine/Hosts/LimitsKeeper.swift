import Core
import Foundation
import Logging
import Synchronization

/// Applies the limits of plans to the running machines of a host, also where a plan has changed since they were started. It
/// runs beside the monitor's observations and pauses after failures, so a machine that does not answer delays no observation,
/// and delays other machines only once in a while.
final class LimitsKeeper: Sendable {
  private static let firstPause = Duration.seconds(60)
  private static let longestPause = Duration.seconds(3600)

  private struct Failure {
    let retryAt: Instant
    let pause: Duration
  }

  private struct Entry {
    /// Nil while the machine does not run.
    var wanted: ResourceLimits?
    /// What this process has applied since the machine runs.
    var inForce: ResourceLimits?
    var failure: Failure?
    var machine: UUID?
  }

  private let driver: any ComputeDriver
  private let clock: any WallClock
  private let logger: Logger
  private let entries = Mutex(ServerSeries<Entry>())
  let bell = Doorbell()

  init(_ driver: any ComputeDriver, clock: any WallClock, logger: Logger) {
    self.driver = driver
    self.clock = clock
    self.logger = logger
  }

  /// Takes over which machines a look has seen running, and rings the bell where limits have to be applied.
  func note(_ look: HostLook, _ plans: PlanSizes) {
    let isAny = entries.withLock { entries in
      var isAny = false
      entries.align(with: look.servers.lazy.map(\.id)) { _ in Entry() }
      for (index, server) in look.servers.enumerated() {
        let wanted = server.item.isDeleted || server.power != .running ? nil : plans[server.item.planID]?.limits
        if let wanted {
          entries[index].machine = server.item.uuid
          entries[index].wanted = wanted
          isAny = isAny || entries[index].inForce != wanted
        } else {
          // A machine that went off gets the limits of its plan by its next definition.
          entries[index] = Entry()
        }
      }
      return isAny
    }
    if isAny { bell.ring() }
  }

  /// Applies the limits once to each machine that lacks them, unless it pauses after a failure.
  func keep() async {
    let now = clock.uptime
    let due = entries.withLock { entries in
      var due: [(id: ID<Server>, machine: UUID, limits: ResourceLimits)] = []
      entries.updateAll { id, entry in
        guard let machine = entry.machine, let wanted = entry.wanted, entry.inForce != wanted,
          entry.failure.map({ $0.retryAt <= now }) ?? true
        else { return }
        due.append((id, machine, wanted))
      }
      return due
    }
    for (id, machine, limits) in due where !Task.isCancelled {
      do {
        try await driver.applyLimits(limits, to: machine)
        entries.withLock { entries in
          entries.update(id) { entry in
            entry.failure = nil
            if entry.wanted != nil { entry.inForce = limits }
          }
        }
      } catch {
        putOff(id, machine, error)
      }
    }
  }

  private func putOff(_ id: ID<Server>, _ machine: UUID, _ error: any Error) {
    let isFirst = entries.withLock { entries in
      var isFirst = false
      entries.update(id) { entry in
        isFirst = entry.failure == nil
        let pause = entry.failure.map { min($0.pause * 2, Self.longestPause) } ?? Self.firstPause
        entry.failure = Failure(retryAt: clock.uptime + pause, pause: pause)
      }
      return isFirst
    }
    guard isFirst else { return }
    logger.warning(
      "a machine is not held to its plan; it is tried again",
      metadata: ["machine": "\(machine)", "error": "\(String(reflecting: error))"])
  }
}
