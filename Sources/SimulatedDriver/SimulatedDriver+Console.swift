package import Core
package import Foundation
import Synchronization

extension SimulatedDriver {
  package func openConsole(of machine: UUID) async throws -> ConsoleConnection {
    try await perform(.openConsole, machine) { try consoles.open(of: try screen(of: machine)) }
  }

  private func screen(of machine: UUID) throws -> SimulatedScreen {
    let label = try state.withLock { state in
      guard try require(machine, in: state).power(at: clock.now, state.options.durations) == .running else {
        throw DriverError(
          .rejected, "Machine \(machine) does not run.", customerReason: "Server is not running.")
      }
      return state.machines[machine]?.definition?.label ?? ""
    }
    return SimulatedScreen(name: "Simulated \(label)") { [weak self] in
      // If another service has the host, only what it has written is known.
      try? self?.look(at: machine)
      return self?.state.withLock { state in
        guard let self, let machine = state.machines[machine] else { return false }
        return machine.power(at: self.clock.now, state.options.durations) == .running
      } ?? false
    }
  }
}
