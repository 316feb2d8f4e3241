import Core
import Foundation
import Logging
import Synchronization

/// Holds the machines of a host that run to what their plans say, also where a plan was changed since they were started. It goes
/// beside the looks: a machine that does not answer holds up no look, and the others only once in a while.
final class LimitsKeeper: Sendable {
  private static let firstPause = Duration.seconds(60)
  private static let longestPause = Duration.seconds(3600)

  private struct Failure {
    let retryAt: Instant
    let pause: Duration
  }

  private struct State {
    var wanted: [UUID: ResourceLimits] = [:]
    /// Of those that were seen to run by this process.
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

  /// What a look has seen to run.
  func note(_ catalogue: Catalogue, _ inventory: [InventoryItem], _ observed: MachineObservation) {
    var wanted: [UUID: ResourceLimits] = [:]
    for item in inventory where !item.isDeleted && observed.power(of: item.uuid) == .running {
      wanted[item.uuid] = catalogue.plan(item.planID)?.limits
    }
    let isAny = state.withLock { state in
      state.wanted = wanted
      // One that was off was given what its plan says when it was defined.
      state.inForce = state.inForce.filter { wanted[$0.key] != nil }
      state.failures = state.failures.filter { wanted[$0.key] != nil }
      return wanted.contains { state.inForce[$0.key] != $0.value }
    }
    if isAny { bell.ring() }
  }

  /// Goes once over all that are not held to what they should be.
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
