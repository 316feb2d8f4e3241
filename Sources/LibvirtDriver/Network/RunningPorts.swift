import Foundation
import Synchronization

/// At which port the sshd of each running machine is reached, as its mark says: it may have been started before the service
/// chose others.
final class RunningPorts: Sendable {
  private struct Boot {
    let runID: Int
    let sshPort: UInt16
  }

  private let boots = Mutex<[UUID: Boot]>([:])

  func sshPort(of machine: UUID) -> UInt16? { boots.withLock { $0[machine]?.sshPort } }

  func isKnown(_ machine: UUID, runID: Int) -> Bool { boots.withLock { $0[machine]?.runID == runID } }

  func note(_ machine: UUID, runID: Int, sshPort: UInt16) {
    boots.withLock { $0[machine] = Boot(runID: runID, sshPort: sshPort) }
  }

  /// Forgets those that do not run.
  func retain(_ running: some Collection<UUID>) {
    let running = Set(running)
    boots.withLock { boots in boots = boots.filter { running.contains($0.key) } }
  }
}
