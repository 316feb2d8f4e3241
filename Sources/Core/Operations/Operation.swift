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
    /// Starts a machine again that went away without being told to.
    case recover
    /// Brings a changed hostname into a running guest.
    case configure
    /// Brings other addresses to the host, and into a running guest.
    case readdress
    /// Gives the server another plan.
    case resize
    /// Gives the server a new disk with an operating system.
    case rebuild
    case delete
    /// Makes a backup.
    case backup
    case snapshot
    /// Puts a copy in the place of the disk.
    case restore
    /// Removes the file of a copy that nobody sees any more.
    case discard
    /// Runs another system in the place of the server's own, with the server's disk beside it.
    case rescue
    /// Runs the server's own system again.
    case leaveRescue = "leave_rescue"
  }

  package enum State: String, Sendable, CaseIterable {
    case queued
    case running
    case succeeded
    case failed
    /// A delete came first.
    case cancelled
  }

  package let id: ID<Operation>
  package let serverID: ID<Server>
  package let kind: Kind
  /// What it is about beside its server, as the kind says: the id of a disk copy, a plan or an operating system.
  package let subjectID: Int64?
  package let state: State
  /// The workflow's name for what comes next; nil before its first step.
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
  /// The statuses out of which an operation of this kind takes a server down, to bring it up again afterwards. Meanwhile the
  /// server is `rebooting`: from the moment at which no other operation is before it.
  package var powersOff: Set<ServerStatus> {
    switch self {
    case .reboot, .resize: [.active]
    case .rebuild, .rescue: [.active, .stopped, .error]
    case .restore, .leaveRescue: [.active, .error]
    case .create, .start, .stop, .hardStop, .recover, .configure, .readdress, .delete, .backup, .snapshot, .discard: []
    }
  }
}

extension Operation.Kind {
  /// Whether a machine may go off or on while such an operation waits or runs, and that is none of its business.
  package var leavesPowerAlone: Bool {
    switch self {
    case .backup, .snapshot, .discard, .readdress: true
    case .create, .start, .stop, .hardStop, .reboot, .recover, .configure, .resize, .rebuild, .restore, .delete,
      .rescue,
      .leaveRescue:
      false
    }
  }
}

/// The right to run the next step of an operation, and to commit its outcome. Whoever has it gives it back; those of a process
/// that died are released by the next one.
package struct Lease: Sendable, Equatable {
  package let operation: Operation
  package let token: UUID

  package init(operation: Operation, token: UUID) {
    self.operation = operation
    self.token = token
  }
}
