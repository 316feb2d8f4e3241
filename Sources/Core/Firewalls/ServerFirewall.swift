package import struct Foundation.UUID

/// The firewall of a server, and how far it has come. A server that never had another one has the disabled one.
package struct ServerFirewall: Sendable, Equatable {
  package let serverID: ID<Server>
  package let machine: UUID
  package let hostID: ID<Host>
  package let firewall: Firewall
  /// Whether its account's servers may open connections to TCP port 25 where others' may not.
  package let mayMail: Bool
  /// Counts its changes; 0 for none.
  package let revision: Int64
  /// The newest one that its host is known to have taken over.
  package let appliedRevision: Int64
  package let updatedAt: Timestamp

  package init(
    serverID: ID<Server>, machine: UUID, hostID: ID<Host>, firewall: Firewall, mayMail: Bool, revision: Int64,
    appliedRevision: Int64, updatedAt: Timestamp
  ) {
    self.serverID = serverID
    self.machine = machine
    self.hostID = hostID
    self.firewall = firewall
    self.mayMail = mayMail
    self.revision = revision
    self.appliedRevision = appliedRevision
    self.updatedAt = updatedAt
  }

  package var isApplied: Bool { appliedRevision == revision }
}
