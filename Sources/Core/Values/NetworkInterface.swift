/// The network card of a machine. How the machine is reached by its addresses, and which gateways and name servers it is told
/// of, is the network's of its host.
package struct NetworkInterface: Sendable, Equatable {
  /// Nil for a machine that is older than the register of these: its host knows it.
  package let hardwareAddress: HardwareAddress?
  /// The first one: by it the machine is looked for.
  package let address: IPv4Address
  /// In the order in which they were given.
  package let furtherAddresses: [IPv4Address]
  package let ipv6Networks: [IPv6Network]
  /// Another number whenever these are others; 0 as long as it has those that it was made with.
  package let revision: Int64

  package init(
    address: IPv4Address, furtherAddresses: [IPv4Address] = [], ipv6Networks: [IPv6Network] = [], revision: Int64 = 0,
    hardwareAddress: HardwareAddress? = nil
  ) {
    self.address = address
    self.furtherAddresses = furtherAddresses
    self.ipv6Networks = ipv6Networks
    self.revision = revision
    self.hardwareAddress = hardwareAddress
  }

  package var addresses: [IPv4Address] { [address] + furtherAddresses }
}
