package import struct Foundation.UUID

/// The firewall of a server, and whether its host has applied it. A server for which none was ever set has the disabled
/// one.
package struct ServerFirewall: Sendable, Equatable {
  package let serverID: ID<Server>
  package let machine: UUID
  package let hostID: ID<Host>
  package let firewall: Firewall
  /// Whether the account's servers may open connections to TCP port 25 even where the host blocks that for others.
  package let mayMail: Bool
  /// The port speed of the server's plan; 0 for no limit.
  package let portSpeedMbit: Int
  /// The speed to which the server is throttled because it had more traffic than its plan includes; nil if it is not.
  package let throttleMbit: Int?
  /// Grows with every change; 0 if there was none.
  package let revision: Int64
  /// The newest revision that its host is known to have applied.
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

  /// The allowance that the server has with another plan.
  package func allowance(portSpeedMbit: Int) -> NetworkAllowance {
    let speeds = [portSpeedMbit > 0 ? portSpeedMbit : nil, throttleMbit].compactMap { $0 }
    return NetworkAllowance(mayMail: mayMail, speedMbit: speeds.min())
  }

  package var isApplied: Bool { appliedRevision == revision }
}
