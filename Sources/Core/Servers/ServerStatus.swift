/// What a customer sees of a server's life.
package enum ServerStatus: String, Sendable, CaseIterable {
  case provisioning
  case active
  case stopping
  case stopped
  case starting
  case rebooting
  case suspended
  case error

  /// Whether an operation is on its way to another status.
  package var isTransitional: Bool {
    switch self {
    case .provisioning, .starting, .stopping, .rebooting: true
    case .active, .stopped, .suspended, .error: false
    }
  }
}

/// What a customer can ask of a server's power switch.
package enum PowerAction: String, Sendable, CaseIterable {
  case start
  case stop
  case reboot
  /// Takes the power away at once.
  case hardStop = "hard_stop"

  /// The status that shows while it is carried out.
  package var transitionalStatus: ServerStatus {
    switch self {
    case .start: .starting
    case .stop, .hardStop: .stopping
    case .reboot: .rebooting
    }
  }
}

extension ServerStatus {
  /// The state machine of the API: the status that follows an action, or why the action is refused.
  ///
  /// - Parameter hasDisk: Whether the server was ever made; one that failed before cannot be started.
  package func status(after action: PowerAction, hasDisk: Bool) throws(Failure) -> ServerStatus {
    switch (self, action) {
    case (.active, .start): throw Failure(.wrongState, "Server is already running.")
    case (.active, .stop), (.active, .reboot), (.active, .hardStop): return action.transitionalStatus
    case (.stopped, .start): return .starting
    case (.stopped, .stop), (.stopped, .reboot), (.stopped, .hardStop):
      throw Failure(.wrongState, "Server is not running.")
    case (.provisioning, _), (.starting, _), (.stopping, _), (.rebooting, _), (.suspended, _):
      throw Failure(.wrongState, "Server is \(rawValue).")
    case (.error, _) where !hasDisk: throw .neverCreated
    case (.error, .start): return .starting
    case (.error, .stop), (.error, .reboot), (.error, .hardStop):
      throw Failure(.wrongState, "Server is not running.")
    }
  }

  /// For what needs a running guest and leaves its status alone: refused as a stop would be.
  package func requireActive(hasDisk: Bool) throws(Failure) {
    _ = try status(after: .stop, hasDisk: hasDisk)
  }
}

extension ServerStatus {
  /// Whether the machine of a server may be changed for good: it must have one, or be about to. Throws why not.
  package func requireChangeable(hasDisk: Bool) throws(Failure) {
    switch self {
    case .suspended: throw Failure(.wrongState, "Server is suspended.")
    case .error where !hasDisk: throw .neverCreated
    case .error, .active, .stopped, .provisioning, .starting, .stopping, .rebooting: break
    }
  }
}
