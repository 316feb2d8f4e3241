package import Core
package import Foundation
import Synchronization

/// Rescue systems, user data and passwords.
extension SimulatedDriver {
  package func requireRescuable(_ machine: UUID, by rescue: RescueSpecification) async throws {
    try await perform(.requireRescuable, machine) {
      try state.withLock { state in
        guard try require(machine, in: state).disk != nil else { throw Self.missingDisk(machine) }
        try Self.requireImage(rescue.imageName, storageGiB: rescue.storageGiB, in: state.options)
        guard !state.options.isDiskFull else {
          throw DriverError(
            .exhausted, "The disk of the host is full.",
            customerReason: "The server's host has no room for the rescue system at the moment.")
        }
      }
    }
  }

  package func takesUserData(_ image: String) async throws -> Bool {
    try await perform(.takesUserData) {
      try state.withLock { state in
        try Self.requireImage(image, storageGiB: .max, in: state.options)
        return state.options.takesUserData
      }
    }
  }

  package func userDataOutcome(of machine: UUID) async throws -> UserDataOutcome {
    try await perform(.userDataOutcome, machine) {
      try state.withLock { state in
        let known = try require(machine, in: state)
        try requireAgent(of: known, state.options)
        if known.quirks.contains(.userDataNeverEnds) { return .underWay }
        return known.quirks.contains(.userDataFails) ? .failed : .succeeded
      }
    }
  }

  package func setPassword(hash: String, of account: String, in machine: UUID) async throws {
    try await perform(.setPassword, machine) {
      let options = state.withLock { $0.options }
      try change(machine) { machine, _ in
        try requireAgent(of: machine, options)
        if machine.runsRescue {
          machine.rescueDisk?.passwordHashes = [account: hash]
        } else {
          machine.disk?.passwordHashes = [account: hash]
        }
      }
    }
  }

  private func requireAgent(of machine: SimulatedMachine, _ options: Options) throws(DriverError) {
    guard machine.readiness(at: clock.now, options.durations).hasAgent else {
      throw DriverError(.unreachable, "The guest agent of \(machine.uuid) does not answer.")
    }
  }
}
