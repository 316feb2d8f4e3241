import Core

/// What to do about a difference between a server's row and its machine: a pure table.
enum Reconciliation: Equatable {
  case none
  /// The guest shut itself down.
  case recordShutdown
  /// Somebody started it on the host.
  case recordRunning
  /// The server is in `error`, but its machine runs: make it active again once it is ready.
  case recordReturn
  /// The machine is off or gone, and nobody stopped it: start it again.
  case recover
  /// The machine is paused for want of disk space on the host: resume it.
  case resume
  /// The server is suspended, but somebody has started its machine: stop it.
  case keepOff

  static func action(wanted item: InventoryItem, observed power: MachinePower) -> Reconciliation {
    // An operation under way owns the machine. A deleted server has one until nothing is left of it.
    guard !item.hasOperation, !item.isDeleted else { return .none }
    switch (item.status, power) {
    case (.active, .running): return .none
    case (.active, .off(.guestShutdown)): return .recordShutdown
    case (.active, .off(.other)), (.active, .remnant), (.active, .absent): return .recover
    case (.active, .paused): return .resume
    case (.stopped, .running): return .recordRunning
    // While the server awaits a new disk, the old one does not hold the system that was asked for.
    case (.error, .running): return item.hasDisk && !item.awaitsNewDisk ? .recordReturn : .none
    // A machine whose state cannot be seen may be running as it should.
    case (.active, .off(.unknown)), (.active, .unreachable), (.active, .unknown): return .none
    case (.suspended, .running), (.suspended, .paused): return .keepOff
    case (.stopped, _), (.error, _), (.suspended, _): return .none
    case (.provisioning, _), (.starting, _), (.stopping, _), (.rebooting, _): return .none
    }
  }
}
