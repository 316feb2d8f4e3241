import Core

/// What to do about a difference between what should be and what is: a pure table.
enum Reconciliation: Equatable {
  case none
  /// The guest shut itself down.
  case recordShutdown
  /// Somebody started it on the host.
  case recordRunning
  /// It was given up too early: where it is ready, it is active again.
  case recordReturn
  /// It went away without being told to: start it again.
  case recover
  /// It runs and does not execute, for want of room on the disk: let it go on.
  case resume
  /// It is suspended, and somebody started it all the same.
  case keepOff

  static func action(wanted item: InventoryItem, observed power: MachinePower) -> Reconciliation {
    // An operation under way owns the machine; a delete is one until nothing is left.
    guard !item.hasOperation, !item.isDeleted else { return .none }
    switch (item.status, power) {
    case (.active, .running): return .none
    case (.active, .off(.guestShutdown)): return .recordShutdown
    case (.active, .off(.other)), (.active, .remnant), (.active, .absent): return .recover
    case (.active, .paused): return .resume
    case (.stopped, .running): return .recordRunning
    // What may be on the old disk is not the system that was asked for.
    case (.error, .running): return item.hasDisk && !item.awaitsNewDisk ? .recordReturn : .none
    // Whoever cannot be seen may be as he should.
    case (.active, .off(.unknown)), (.active, .unreachable), (.active, .unknown): return .none
    case (.suspended, .running), (.suspended, .paused): return .keepOff
    case (.stopped, _), (.error, _), (.suspended, _): return .none
    case (.provisioning, _), (.starting, _), (.stopping, _), (.rebooting, _): return .none
    }
  }
}
