import Core
import SimulatedDriver
import Synchronization

/// Takes the power of simulated hosts, or says that it did.
package final class PaperFence: HostFence {
  package enum Behaviour: Sendable {
    case works
    case fails
    /// Says that the host is off, which it is not.
    case lies
    /// Something happens before the host is off.
    case worksAfter(@Sendable () async -> Void)
  }

  private struct State {
    var drivers: [String: SimulatedDriver] = [:]
    var behaviour = Behaviour.works
    var calls: [String] = []
  }

  private let state = Mutex(State())

  package init() {}

  /// The hosts as they are called, whose drivers are in the same order.
  func note(_ names: [String], _ drivers: [SimulatedDriver]) {
    state.withLock { $0.drivers = Dictionary(zip(names, drivers)) { $1 } }
  }

  /// The hosts that were to be switched off, one for each call.
  package var calls: [String] { state.withLock { $0.calls } }

  package func behave(_ behaviour: Behaviour) { state.withLock { $0.behaviour = behaviour } }

  package func fence(_ host: String) async throws {
    let (driver, behaviour) = state.withLock { state in
      state.calls.append(host)
      return (state.drivers[host], state.behaviour)
    }
    switch behaviour {
    case .works: break
    case .fails: throw FenceFailure("the power switch does not answer")
    case .lies: return
    case .worksAfter(let hook):
      await hook()
      try Task.checkCancellation()
    }
    try driver?.hostRestarts()
  }
}
