/// TCP ports of a host's address that are forwarded to servers which cannot be reached from outside otherwise. Each
/// server has one port for each guest port. They follow from the position of the server's address in its pool, so that
/// nothing has to be stored.
package struct PortForwarding: Sendable, Equatable {
  /// Nil for the first address of the uplink, whichever that is at the moment.
  package var address: IPv4Address?
  /// The ports of the host.
  package let range: ClosedRange<Int>
  /// The ports in the guest that they lead to, in this order for each server.
  package let guestPorts: [Int]
  /// The addresses of the servers that have ports, ordered by position and without overlaps.
  package let servers: [ClosedRange<IPv4Address>]

  package init(
    address: IPv4Address?, range: ClosedRange<Int>, guestPorts: [Int], servers: [ClosedRange<IPv4Address>]
  ) {
    self.address = address
    self.range = range
    self.guestPorts = guestPorts
    self.servers = servers
  }

  /// The ports of one server.
  package struct Share: Sendable, Equatable {
    package struct Port: Sendable, Equatable {
      package let host: Int
      package let guest: Int
    }

    package let address: IPv4Address
    package private(set) var ports: [Port]
    /// The host's port that belongs to the server's sshd, even if it does not lead there: see `hasSSH`.
    package let sshPort: Int?

    /// Whether `sshPort` leads to the server. If not, somebody who logs in there would reach another program of the
    /// host.
    package var hasSSH: Bool { ports.contains { $0.guest == 22 } }

    init(address: IPv4Address, ports: [Port]) {
      self.address = address
      self.ports = ports
      sshPort = ports.first { $0.guest == 22 }?.host
    }

    /// The share without the ports of the host that another program has taken.
    package func without(_ taken: Set<Int>) -> Share {
      var share = self
      share.ports.removeAll { taken.contains($0.host) }
      return share
    }
  }

  /// How many servers the range has ports for.
  package var capacity: Int { range.count / guestPorts.count }
  package var serverCount: Int { servers.map(Self.count).reduce(0, +) }

  /// Nil if the address has no ports, or if the host's own address is not known.
  package func share(of server: IPv4Address) -> Share? {
    guard let address, let range = servers.firstIndex(where: { $0.contains(server) }) else { return nil }
    let place = servers[..<range].map(Self.count).reduce(0, +) + Int(server.number - servers[range].lowerBound.number)
    guard place < capacity else { return nil }
    let first = self.range.lowerBound + place * guestPorts.count
    return Share(
      address: address,
      ports: guestPorts.enumerated().map { Share.Port(host: first + $0.offset, guest: $0.element) })
  }

  private static func count(_ range: ClosedRange<IPv4Address>) -> Int {
    Int(range.upperBound.number - range.lowerBound.number) + 1
  }
}
