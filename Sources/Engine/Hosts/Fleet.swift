package import Core

/// All hosts of this service. Whatever a server needs is asked of its own host, and of no other.
package struct Fleet: Sendable {
  package static let awayReason = "The host of this server does not answer at the moment."

  package let hosts: [FleetHost]
  private let byID: [ID<Host>: FleetHost]

  package init(_ hosts: [FleetHost]) {
    self.hosts = hosts
    byID = Dictionary(uniqueKeysWithValues: hosts.map { ($0.id, $0) })
  }

  /// Nil where the host is not in the configuration any more.
  package subscript(id: ID<Host>) -> FleetHost? { byID[id] }

  /// Throws `unreachable` where nothing can be asked of the server's host.
  package func driver(of server: Server) throws(DriverError) -> any ComputeDriver {
    guard let host = self[server.hostID], !host.isAway else {
      throw DriverError(.unreachable, "The host of server \(server.id) is away.", customerReason: Self.awayReason)
    }
    return host.driver
  }

  /// The port of the server's address that leads to its sshd.
  func sshPort(of server: Server) -> Int { self[server.hostID]?.driver.sshPort(of: server.uuid) ?? 22 }

  /// The ports of its host that are forwarded to the server; nil where its own address can be reached.
  func forwarding(to server: Server) -> PortForwarding.Share? {
    self[server.hostID]?.driver.forwarding(to: server.uuid)
  }

  /// Why the server may not be in the state that it shows, as a sentence; nil where nothing is known to be wrong.
  func reason(for server: Server) -> String? {
    guard let host = self[server.hostID], !host.isAway else { return Self.awayReason }
    let lost = host.driver.lostPorts(of: server.uuid)
    let ports = lost.map { String($0) }.joined(separator: ", ")
    switch lost.count {
    case 0: return nil
    case 1: return Self.lostReason("port \(ports)", "another program of its host has it")
    default: return Self.lostReason("ports \(ports)", "other programs of its host have them")
    }
  }

  private static func lostReason(_ ports: String, _ cause: String) -> String {
    "Connections to \(ports) of this server's address do not reach it at the moment: \(cause)."
  }

  /// Wakes the host's runner, because there may be work.
  package func ring(_ host: ID<Host>) { self[host]?.doorbell.ring() }

  /// Wakes all runners, because there may be work for any host.
  package func ring() {
    for host in hosts { host.doorbell.ring() }
  }
}
