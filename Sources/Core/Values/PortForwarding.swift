/// TCP ports of an address of the host that lead to servers which nobody outside reaches otherwise: of each server as many as there
/// are ports of guests. Which ones follows from the server's place in its pool, so that nobody has to remember it.
package struct PortForwarding: Sendable, Equatable {
  /// Nil for the first one of the uplink, whichever that is at the moment.
  package var address: IPv4Address?
  /// Of the host.
  package let range: ClosedRange<Int>
  /// What they lead to, in their order.
  package let guestPorts: [Int]
  /// Whose addresses have them, in the order of their places: apart from each other.
  package let servers: [ClosedRange<IPv4Address>]

  package init(
    address: IPv4Address?, range: ClosedRange<Int>, guestPorts: [Int], servers: [ClosedRange<IPv4Address>]
  ) {
    self.address = address
    self.range = range
    self.guestPorts = guestPorts
    self.servers = servers
  }

  /// Ports of one server.
  package struct Share: Sendable, Equatable {
    package struct Port: Sendable, Equatable {
      package let host: Int
      package let guest: Int
    }

    package let address: IPv4Address
    package private(set) var ports: [Port]
    /// The port that is its sshd's by its place; see `hasSSH`.
    package let sshPort: Int?

    /// Whether that port leads there: whoever logs in where it does not would be at a program of the host.
    package var hasSSH: Bool { ports.contains { $0.guest == 22 } }

    init(address: IPv4Address, ports: [Port]) {
      self.address = address
      self.ports = ports
      sshPort = ports.first { $0.guest == 22 }?.host
    }

    /// What is left where some ports of the host lead elsewhere.
    package func without(_ taken: Set<Int>) -> Share {
      var share = self
      share.ports.removeAll { taken.contains($0.host) }
      return share
    }
  }

  /// How many servers there are ports for.
  package var capacity: Int { range.count / guestPorts.count }
  package var serverCount: Int { servers.map(Self.count).reduce(0, +) }

  /// Nil for an address that has none, and where nobody knows the host's.
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
