/// The status of a server that customers see.
package enum ServerStatus: String, Sendable, CaseIterable {
  case provisioning
  case active
  case stopping
  case stopped
  case starting
  case rebooting
  case suspended
  case error

  /// Whether an operation is under way that leads to another status.
  package var isTransitional: Bool {
    switch self {
    case .provisioning, .starting, .stopping, .rebooting: true
    case .active, .stopped, .suspended, .error: false
    }
  }
}

/// The power actions that a customer can request.
package enum PowerAction: String, Sendable, CaseIterable {
  case start
  case stop
  case reboot
  /// Cuts the power at once.
  case hardStop = "hard_stop"

  /// The status that is shown while the action is carried out.
  package var transitionalStatus: ServerStatus {
    switch self {
    case .start: .starting
    case .stop, .hardStop: .stopping
    case .reboot: .rebooting
    }
  }
}

extension ServerStatus {
  /// The state machine of the API: returns the status that follows an action, or throws why the action is refused.
  ///
  /// - Parameter hasDisk: Whether a machine was made; a server that failed before that cannot be started.
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

  /// For requests that need a running guest and do not change its status. Throws whenever a stop would be refused.
  package func requireActive(hasDisk: Bool) throws(Failure) {
    _ = try status(after: .stop, hasDisk: hasDisk)
  }
}

extension ServerStatus {
  /// Checks that the server's machine or disk may be changed: it must have a machine, or be about to get one. Throws
  /// why not.
  package func requireChangeable(hasDisk: Bool) throws(Failure) {
    switch self {
    case .suspended: throw Failure(.wrongState, "Server is suspended.")
    case .error where !hasDisk: throw .neverCreated
    case .error, .active, .stopped, .provisioning, .starting, .stopping, .rebooting: break
    }
  }
}
