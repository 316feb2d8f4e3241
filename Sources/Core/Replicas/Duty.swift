package import struct Foundation.UUID

/// What exactly one of the services of a database does at a time.
package enum Duty: Sendable, Hashable {
  /// What is of no host: billing, the schedule of backups, notices.
  case installation
  /// Whatever watches or acts for the host.
  case host(ID<Host>)
}

/// A duty in the hands of one service. Whoever has it next has it for a higher term, and from then on nothing is written for this
/// one any more.
package struct Tenure: Sendable, Hashable {
  package let duty: Duty
  package let term: Int64

  package init(_ duty: Duty, term: Int64) {
    self.duty = duty
    self.term = term
  }
}

/// One process that serves a database beside others, from its start to its end.
package struct Replica: Sendable, Hashable {
  package let id: UUID
  /// For people who look.
  package let name: String

  package init(id: UUID = UUID(), name: String) {
    self.id = id
    self.name = name
  }
}

/// What a service learns when it says that it lives.
package struct ReplicaBeat: Sendable {
  /// All that it has from now on.
  package let tenures: [Tenure]
  /// By the database's clock.
  package let time: Timestamp
  /// Itself too.
  package let replicaCount: Int
  /// Those that were not heard of for too long, and are forgotten.
  package let dead: [Replica]

  package init(tenures: [Tenure], time: Timestamp, replicaCount: Int, dead: [Replica]) {
    self.tenures = tenures
    self.time = time
    self.replicaCount = replicaCount
    self.dead = dead
  }
}

/// What one service tells all of them when it has committed: a hint, after which they look.
package enum StoreChange: Sendable, Equatable {
  case server(ID<Server>, on: ID<Host>)
  /// A duty was given back.
  case duty
  /// It may have been anything: whoever listens could not hear for a while.
  case unknown
}
