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

  private struct State {
    var wanted: [UUID: ResourceLimits] = [:]
    /// What this process has applied to machines that run.
    var inForce: [UUID: ResourceLimits] = [:]
    var failures: [UUID: Failure] = [:]
  }

  private let driver: any ComputeDriver
  private let clock: any WallClock
  private let logger: Logger
  private let state = Mutex(State())
  let bell = Doorbell()

  init(_ driver: any ComputeDriver, clock: any WallClock, logger: Logger) {
    self.driver = driver
    self.clock = clock
    self.logger = logger
  }

  /// Takes over which machines an observation has seen running, and rings the bell where limits have to be applied.
  func note(_ catalogue: Catalogue, _ inventory: [InventoryItem], _ observed: MachineObservation) {
    var wanted: [UUID: ResourceLimits] = [:]
    for item in inventory where !item.isDeleted && observed.power(of: item.uuid) == .running {
      wanted[item.uuid] = catalogue.plan(item.planID)?.limits
    }
    let isAny = state.withLock { state in
      state.wanted = wanted
      // A machine that went off gets the limits of its plan by its next definition.
      state.inForce = state.inForce.filter { wanted[$0.key] != nil }
      state.failures = state.failures.filter { wanted[$0.key] != nil }
      return wanted.contains { state.inForce[$0.key] != $0.value }
    }
    if isAny { bell.ring() }
  }

  /// Applies the limits once to each machine that lacks them, unless it pauses after a failure.
  func keep() async {
    let now = clock.uptime
    let due = state.withLock { state in
      state.wanted.filter {
        state.inForce[$0.key] != $0.value && (state.failures[$0.key].map { $0.retryAt <= now } ?? true)
      }
    }
    for (machine, limits) in due where !Task.isCancelled {
      do {
        try await driver.applyLimits(limits, to: machine)
        state.withLock { state in
          state.failures[machine] = nil
          if state.wanted[machine] != nil { state.inForce[machine] = limits }
        }
      } catch {
        putOff(machine, error)
      }
    }
  }

  private func putOff(_ machine: UUID, _ error: any Error) {
    let isFirst = state.withLock { state in
      let pause = state.failures[machine].map { min($0.pause * 2, Self.longestPause) } ?? Self.firstPause
      defer { state.failures[machine] = Failure(retryAt: clock.uptime + pause, pause: pause) }
      return state.failures[machine] == nil
    }
    guard isFirst else { return }
    logger.warning(
      "a machine is not held to its plan; it is tried again",
      metadata: ["machine": "\(machine)", "error": "\(String(reflecting: error))"])
  }
}
