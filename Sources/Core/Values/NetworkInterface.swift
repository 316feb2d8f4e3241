/// The network card of a machine. How the machine is reached by its addresses, and which gateways and name servers it is told
/// of, is the network's of its host.
package struct NetworkInterface: Sendable, Equatable {
  /// Nil for a machine that is older than the register of these: its host knows it.
  package let hardwareAddress: HardwareAddress?
  package let address: IPv4Address
  package let ipv6Network: IPv6Network?

  package init(address: IPv4Address, ipv6Network: IPv6Network? = nil, hardwareAddress: HardwareAddress? = nil) {
    self.address = address
    self.ipv6Network = ipv6Network
    self.hardwareAddress = hardwareAddress
  }
}
