package import struct Foundation.UUID

/// The firewall of a server, and how far it has come. A server that never had another one has the disabled one.
package struct ServerFirewall: Sendable, Equatable {
  package let serverID: ID<Server>
  package let machine: UUID
  package let hostID: ID<Host>
  package let firewall: Firewall
  /// Whether its account's servers may open connections to TCP port 25 where others' may not.
  package let mayMail: Bool
  /// Of its plan; 0 for no limit.
  package let portSpeedMbit: Int
  /// To which it is held back because it had more traffic than its plan includes; nil as long as it had not.
  package let throttleMbit: Int?
  /// Counts its changes; 0 for none.
  package let revision: Int64
  /// The newest one that its host is known to have taken over.
  package let appliedRevision: Int64
  package let updatedAt: Timestamp

  package init(
    serverID: ID<Server>, machine: UUID, hostID: ID<Host>, firewall: Firewall, mayMail: Bool, portSpeedMbit: Int = 0,
    throttleMbit: Int? = nil, revision: Int64, appliedRevision: Int64, updatedAt: Timestamp
  ) {
    self.serverID = serverID
    self.machine = machine
    self.hostID = hostID
    self.firewall = firewall
    self.mayMail = mayMail
    self.portSpeedMbit = portSpeedMbit
    self.throttleMbit = throttleMbit
    self.revision = revision
    self.appliedRevision = appliedRevision
    self.updatedAt = updatedAt
  }

  package var allowance: NetworkAllowance { allowance(portSpeedMbit: portSpeedMbit) }

  /// As it is with another plan.
  package func allowance(portSpeedMbit: Int) -> NetworkAllowance {
    let speeds = [portSpeedMbit > 0 ? portSpeedMbit : nil, throttleMbit].compactMap { $0 }
    return NetworkAllowance(mayMail: mayMail, speedMbit: speeds.min())
  }

  package var isApplied: Bool { appliedRevision == revision }
}
