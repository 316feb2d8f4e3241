package import Core

/// All hosts of this service. Whatever a server needs is asked of its own host, and of no other.
package struct Fleet: Sendable {
  package static let awayReason = "The host of this server does not answer at the moment."
  package static let lostReason =
    "The host of this server has failed. The server comes up on another one as soon as there is room for it."

  package let hosts: [FleetHost]
  private let others = OtherHosts()
  private let byID: [ID<Host>: FleetHost]

  package init(_ hosts: [FleetHost]) {
    self.hosts = hosts
    byID = Dictionary(uniqueKeysWithValues: hosts.map { ($0.id, $0) })
  }

  /// Nil where only another service has the host, or it is not in the configuration any more.
  package subscript(id: ID<Host>) -> FleetHost? { byID[id] }

  /// Takes over what the store tells of the hosts of other services. Returns whether any of them went away or came back.
  @discardableResult
  package func note(_ hosts: [HostLoad]) -> Bool {
    for load in hosts {
      byID[load.host.id]?.note(movesServersAt: load.host.isDraining ? load.host.movesServersAt : nil)
      byID[load.host.id]?.note(isFenced: load.host.state == .fenced)
    }
    return others.replace(by: hosts.map(\.host).filter { byID[$0.id] == nil })
  }

  /// Whether only another service has a host at the location; nil stands for all locations that have no host of their own.
  func haveOthersHost(at location: String?) -> Bool { others.haveOne(at: location) }

  /// Whether nothing can be asked of the server's host, here or at the service that has it.
  func isAway(_ id: ID<Host>) -> Bool { self[id]?.isAway ?? others[id].map(\.isAway) ?? true }

  /// Where browsers reach the service that has the host; nil where every service has it.
  func url(of id: ID<Host>) -> String? { self[id]?.url ?? others[id]?.url }

  func enforcesFirewalls(_ id: ID<Host>) -> Bool {
    self[id]?.driver.enforcesFirewalls ?? others[id]?.enforcesFirewalls ?? false
  }

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
    if isAway(server.hostID) { return self[server.hostID]?.isFenced == true ? Self.lostReason : Self.awayReason }
    guard let host = self[server.hostID] else { return nil }
    let lost = host.driver.lostPorts(of: server.uuid)
    let ports = lost.map { String($0) }.joined(separator: ", ")
    switch lost.count {
    case 0: return host.movesServersAt.map(Self.drainReason)
    case 1: return Self.portReason("port \(ports)", "another program of its host has it")
    default: return Self.portReason("ports \(ports)", "other programs of its host have them")
    }
  }

  private static func portReason(_ ports: String, _ cause: String) -> String {
    "Connections to \(ports) of this server's address do not reach it at the moment: \(cause)."
  }

  private static func drainReason(_ time: Timestamp) -> String {
    "This server is moved to another host of its location after \(time.wireFormat): it keeps its addresses, and is down for a short time."
  }

  /// The hosts that can take over machines of this one while it is off.
  func heirs(ofMachinesOn id: ID<Host>) -> Set<ID<Host>> {
    guard let source = self[id] else { return [] }
    let fit = hosts.filter { host in
      host.id != id && (host.driver as? any MachineHeir)?.canInherit(from: source.driver) == true
    }
    return Set(fit.map(\.id))
  }

  /// Wakes the host's runner, because there may be work.
  package func ring(_ host: ID<Host>) { self[host]?.doorbell.ring() }

  /// Wakes all runners, because there may be work for any host.
  package func ring() {
    for host in hosts { host.doorbell.ring() }
  }

  /// Wakes the host's `PasswordKeeper`, or all of them where it is nil.
  package func ringForPasswords(of id: ID<Host>?) {
    for host in hosts where id == nil || host.id == id { host.passwordBell.ring() }
  }
}
