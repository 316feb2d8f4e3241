import Core
package import Foundation
import Synchronization

/// How tests and demonstrations control a host, and what they see of it.
extension SimulatedDriver {
  package var options: Options { state.withLock { $0.options } }

  package func configure(_ change: (inout Options) -> Void) {
    state.withLock { state in
      change(&state.options)
      timings.withLock { $0 = state.options.timing }
    }
  }

  package var faults: Faults {
    get { state.withLock { $0.faults } }
    set { state.withLock { $0.faults = newValue } }
  }

  package func inject(_ fault: Fault) {
    state.withLock { $0.faults.add(fault) }
  }

  /// Lets every call that hangs at this moment go on.
  package func releaseHangingCalls() {
    hangingCalls.open()
  }

  /// Returns when so many calls hang at once.
  package func whenHanging(calls count: Int = 1) async {
    await hangingCalls.whenWaiting(count)
  }

  /// The calls so far, oldest first; of very many only the last ones.
  package var calls: [DriverCall] { state.withLock { $0.calls } }

  package func forgetCalls() {
    state.withLock { $0.calls = [] }
  }

  /// The machine's disk on shared storage, whichever host's it is.
  package func sharedDisk(_ machine: UUID) throws -> SharedDisk? {
    try state.withLock { try $0.folders?.disks?.record(of: machine) }
  }

  /// Whether the machine is on here, also while the host does not answer.
  package func isOn(_ machine: UUID) -> Bool {
    state.withLock { state in
      state.machines[machine]?.power(at: clock.now, state.options.durations).isOn ?? false
    }
  }

  /// The record of the machine.
  package func machine(_ uuid: UUID) -> SimulatedMachine? {
    state.withLock { state in
      try? state.readRecords()
      try? settleRestore(of: uuid, in: &state)
      return state.machines[uuid]
    }
  }
}
