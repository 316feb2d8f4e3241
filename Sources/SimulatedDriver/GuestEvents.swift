import Core
package import Foundation
import Synchronization

/// What happens on the other side of the driver: in the guests, and to the host.
extension SimulatedDriver {
  /// Someone inside typed `poweroff`.
  package func guestPowersOff(_ machine: UUID) throws {
    try change(machine) { machine, _ in machine.end(byGuest: true) }
  }

  /// Someone inside wrote to the disk: what was there is gone.
  package func guestWrites(_ content: String, on machine: UUID) throws {
    try change(machine) { machine, _ in
      guard machine.disk != nil else { throw Self.missingDisk(machine.uuid) }
      machine.disk?.content = content
    }
  }

  /// The machine's process was killed.
  package func crash(_ machine: UUID) throws {
    try change(machine) { machine, _ in machine.end(byGuest: false) }
  }

  /// Someone removed the machine behind our back: with its disk, or only the definition. Copies stay.
  package func vanish(_ machine: UUID, keepingDisk: Bool = false) throws {
    guard keepingDisk else { return try remove(machine) }
    try change(machine) { machine, _ in
      machine.end(byGuest: false)
      machine.definition = nil
    }
  }

  /// The host stopped executing it, as when its disk is full.
  package func pause(_ machine: UUID) throws {
    try change(machine) { machine, now in
      if machine.boot?.pausedAtMilliseconds == nil {
        machine.boot?.pausedAtMilliseconds = now.millisecondsSinceEpoch
      }
    }
  }

  /// The host lost its power and came back: every machine is off, and none was seen to shut down; work on disks ended.
  package func hostRestarts() throws {
    let machines = try state.withLock { state in
      try state.readRecords()
      return Array(state.machines.keys)
    }
    for uuid in machines {
      try change(uuid) { machine, _ in machine.end(byGuest: false) }
    }
    try state.withLock { state in
      (state.copying, state.restoring) = ([:], [:])
      try state.kept().disks?.closeAll()
    }
  }

  /// Decides what this guest does wrong from now on.
  package func setQuirks(_ quirks: Set<GuestQuirk>, of machine: UUID) throws {
    try change(machine) { machine, _ in machine.quirks = quirks }
  }
}
