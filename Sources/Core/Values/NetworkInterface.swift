/// The network card of a machine. How its addresses reach the machine, and which gateways and name servers the guest
/// gets, is up to the network of its host.
package struct NetworkInterface: Sendable, Equatable {
  /// Nil for a machine from before hardware addresses were stored: only its host knows it.
  package let hardwareAddress: HardwareAddress?
  /// The first address, at which the machine is reached.
  package let address: IPv4Address
  /// In the order in which they were given.
  package let furtherAddresses: [IPv4Address]
  package let ipv6Networks: [IPv6Network]
  /// Changes whenever the addresses change; 0 while the machine has those that it was made with.
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
