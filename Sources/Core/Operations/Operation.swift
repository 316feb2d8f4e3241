package import Foundation

/// A piece of long work on one server: a durable row that survives the process. At most one runs on a server at a time;
/// finished ones stay as the server's history.
package struct Operation: Sendable, Equatable {
  package enum Kind: String, Sendable, CaseIterable {
    case create
    case start
    case stop
    case hardStop = "hard_stop"
    case reboot
    /// Restarts a machine that went off without being told to.
    case recover
    /// Applies a changed hostname to a running guest.
    case configure
    /// Applies changed addresses to the host, and to a running guest.
    case readdress
    /// Gives the server another plan.
    case resize
    /// Brings the server to another host.
    case move
    /// Gives the server a new disk with an operating system.
    case rebuild
    case delete
    /// Makes a backup.
    case backup
    case snapshot
    /// Replaces the disk with a copy.
    case restore
    /// Removes the file of a copy that customers do not see any more.
    case discard
    /// Runs a rescue system in place of the server's own, with the server's disk attached.
    case rescue
    /// Runs the server's own system again.
    case leaveRescue = "leave_rescue"
  }

  package enum State: String, Sendable, CaseIterable {
    case queued
    case running
    case succeeded
    case failed
    /// A deletion of the server came first.
    case cancelled
  }

  package let id: ID<Operation>
  package let serverID: ID<Server>
  package let kind: Kind
  /// The id of the disk copy, plan or operating system that the operation is about, depending on its kind; nil for
  /// none.
  package let subjectID: Int64?
  package let state: State
  /// The workflow's name for the next step; nil before the first one.
  package let step: String?
  /// How often the current step has failed.
  package let failures: Int
  package let requestedBy: ID<Token>?
  package let createdAt: Timestamp
  package let finishedAt: Timestamp?
  package let customerReason: String?
  package let operatorDetail: String?

  package init(
    id: ID<Operation>, serverID: ID<Server>, kind: Kind, subjectID: Int64?, state: State, step: String?,
    failures: Int, requestedBy: ID<Token>?, createdAt: Timestamp, finishedAt: Timestamp?,
    customerReason: String?, operatorDetail: String?
  ) {
    self.id = id
    self.serverID = serverID
    self.kind = kind
    self.subjectID = subjectID
    self.state = state
    self.step = step
    self.failures = failures
    self.requestedBy = requestedBy
    self.createdAt = createdAt
    self.finishedAt = finishedAt
    self.customerReason = customerReason
    self.operatorDetail = operatorDetail
  }
}

extension Operation.Kind {
  /// The statuses from which an operation of this kind shuts a server down and starts it again afterwards. The server
  /// is `rebooting` meanwhile, from the moment when no other operation is ahead of this one.
  package var powersOff: Set<ServerStatus> {
    switch self {
    case .reboot, .resize, .move: [.active]
    case .rebuild, .rescue: [.active, .stopped, .error]
    case .restore, .leaveRescue: [.active, .error]
    case .create, .start, .stop, .hardStop, .recover, .configure, .readdress, .delete, .backup, .snapshot, .discard: []
    }
  }
}

extension Operation.Kind {
  /// Whether such an operation does not care about the machine's power, which may change while it waits or runs.
  package var leavesPowerAlone: Bool {
    switch self {
    case .backup, .snapshot, .discard, .readdress: true
    case .create, .start, .stop, .hardStop, .reboot, .recover, .configure, .resize, .move, .rebuild, .restore,
      .delete, .rescue, .leaveRescue:
      false
    }
  }
}

extension Operation {
  /// The same operation before this step.
  package func advanced(to step: String) -> Operation {
    Operation(
      id: id, serverID: serverID, kind: kind, subjectID: subjectID, state: state, step: step, failures: 0,
      requestedBy: requestedBy, createdAt: createdAt, finishedAt: finishedAt, customerReason: customerReason,
      operatorDetail: operatorDetail)
  }
}

/// The right to run the next step of an operation, and to commit its outcome. Its holder gives it back; leases of a
/// process that died are released by its successor.
package struct Lease: Sendable, Equatable {
  package let operation: Operation
  package let token: UUID

  package init(operation: Operation, token: UUID) {
    self.operation = operation
    self.token = token
  }
}
