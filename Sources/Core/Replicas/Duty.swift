package import struct Foundation.UUID

/// Work that exactly one of the services of a database does at a time.
package enum Duty: Sendable, Hashable {
  /// All that belongs to no host: billing, the backup schedule, notices.
  case installation
  /// Everything that watches a host or acts on it.
  case host(ID<Host>)
  /// The same for all hosts of a location, by its code, where they are members of one cluster.
  case location(String)
}

/// A duty held by one service. Its next holder gets a higher term, and from then on writes under this tenure are
/// refused.
package struct Tenure: Sendable, Hashable {
  package let duty: Duty
  package let term: Int64

  package init(_ duty: Duty, term: Int64) {
    self.duty = duty
    self.term = term
  }
}

/// One service process among those of a database, from its start to its end.
package struct Replica: Sendable, Hashable {
  package let id: UUID
  /// For people who look at the services.
  package let name: String

  package init(id: UUID = UUID.random(), name: String) {
    self.id = id
    self.name = name
  }
}

/// The answer to a service's heartbeat.
package struct ReplicaBeat: Sendable {
  /// All duties that the service holds from now on.
  package let tenures: [Tenure]
  /// By the database's clock.
  package let time: Timestamp
  /// The number of services, this one included.
  package let replicaCount: Int
  /// The services that were silent for too long, and are removed.
  package let dead: [Replica]

  package init(tenures: [Tenure], time: Timestamp, replicaCount: Int, dead: [Replica]) {
    self.tenures = tenures
    self.time = time
    self.replicaCount = replicaCount
    self.dead = dead
  }
}

/// A hint that a service sends to all services after a commit, so that they look at the database.
package enum StoreChange: Sendable, Equatable {
  case server(ID<Server>, on: ID<Host>)
  /// Another service was asked to set a password in a guest of the host.
  case passwordReset(on: ID<Host>)
  /// A duty was given back.
  case duty
  /// A host joined, went away, came back, or is to be drained.
  case host
  /// Anything may have changed: the listener was disconnected for a while.
  case unknown
}
