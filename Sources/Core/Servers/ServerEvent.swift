/// Something that happened to a server of an account.
package struct ServerEvent: Sendable, Equatable {
  package enum Subject: Sendable, Equatable {
    /// The new status of the server; nil if it was deleted.
    case server(ServerStatus?)
    /// When it is deleted because its account is out of credit; nil if somebody has paid.
    case deletion(Timestamp?)
    /// Whether it is throttled from now on because it had more traffic than its plan includes.
    case throttle(Bool)
    case operation(
      id: ID<Operation>, kind: Operation.Kind, state: Operation.State, reason: String?, subject: OperationSubject?)
  }

  /// Grows with every event of the installation.
  package let id: Int64
  package let at: Timestamp
  package let serverID: ID<Server>
  package let serverName: ServerName
  package let subject: Subject

  package init(id: Int64, at: Timestamp, serverID: ID<Server>, serverName: ServerName, subject: Subject) {
    self.id = id
    self.at = at
    self.serverID = serverID
    self.serverName = serverName
    self.subject = subject
  }
}

/// The ids of the first and the last event that are still stored.
package struct EventRange: Sendable, Equatable {
  package let first: Int64
  package let last: Int64

  package init(first: Int64, last: Int64) {
    self.first = first
    self.last = last
  }
}
