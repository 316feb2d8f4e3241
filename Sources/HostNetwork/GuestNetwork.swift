package import Core

/// The network settings that a guest gets. Addresses include the prefix length; there may be none of a family.
package struct GuestNetwork: Sendable, Equatable {
  package var ipv4Address: String?
  package var ipv4Gateway: String?
  package var ipv6Address: String?
  package var ipv6Gateway: String?
  package var nameServers: [String] = []
  /// May be of either family.
  package var furtherAddresses: [String] = []
  /// Changes whenever the addresses do; 0 as long as they are the first.
  package var revision: Int64 = 0

  package init(
    ipv4Address: String? = nil, ipv4Gateway: String? = nil, ipv6Address: String? = nil, ipv6Gateway: String? = nil,
    nameServers: [String] = [], furtherAddresses: [String] = [], revision: Int64 = 0
  ) {
    self.ipv4Address = ipv4Address
    self.ipv4Gateway = ipv4Gateway
    self.ipv6Address = ipv6Address
    self.ipv6Gateway = ipv6Gateway
    self.nameServers = nameServers
    self.furtherAddresses = furtherAddresses
    self.revision = revision
  }

  /// What our images read of it, as lines `KEY=value`.
  package var settings: [(key: String, value: String)] {
    func quoted(_ texts: [String]) -> String? { texts.isEmpty ? nil : "\"\(texts.joined(separator: " "))\"" }
    let lines: [(key: String, value: String?)] = [
      ("ADDRESS4", ipv4Address), ("GATEWAY4", ipv4Gateway), ("ADDRESS6", ipv6Address), ("GATEWAY6", ipv6Gateway),
      ("DNS", quoted(nameServers)), ("ADDRESSES", quoted(furtherAddresses)),
      // Makes the text differ even if a second change undoes the first before the guest reads it: see the image's early-boot.
      ("REVISION", revision == 0 ? nil : String(revision)),
    ]
    return lines.compactMap { key, value in value.map { (key, $0) } }
  }

  /// The arguments of the images' `vpsd-set-addresses`.
  package var arguments: [String] {
    [ipv4Address, ipv4Gateway, ipv6Address, ipv6Gateway].map { $0 ?? "" } + [furtherAddresses.joined(separator: " ")]
  }
}

extension HostNetworkSettings {
  package func guestNetwork(of interface: NetworkInterface) -> GuestNetwork {
    if let bridge { return guestNetwork(of: interface, on: bridge) }
    let networks = interface.ipv6Networks.map { "\($0.serverAddress)/\($0.prefixLength)" }
    return GuestNetwork(
      ipv4Address: "\(interface.address)/32", ipv4Gateway: Self.gateway, ipv6Address: networks.first,
      ipv6Gateway: networks.isEmpty ? nil : Self.gateway6, nameServers: nameServers.map(\.description),
      furtherAddresses: interface.furtherAddresses.map { "\($0)/32" } + networks.dropFirst(),
      revision: interface.revision)
  }

  private func guestNetwork(of interface: NetworkInterface, on bridge: HostBridge) -> GuestNetwork {
    func address(_ text: String, _ address: IPAddress) -> String {
      "\(text)/\(bridge.gateway(of: address)?.network?.prefixLength ?? (address.isIPv4 ? 32 : 128))"
    }
    let four = interface.addresses.map { address($0.description, IPAddress($0)) }
    let six = interface.ipv6Networks.map { address($0.serverAddress, IPAddress(ofServerIn: $0)) }
    return GuestNetwork(
      ipv4Address: four.first, ipv4Gateway: bridge.gateway(of: IPAddress(interface.address))?.address.description,
      ipv6Address: six.first,
      ipv6Gateway: interface.ipv6Networks.first.flatMap { bridge.gateway(of: IPAddress(ofServerIn: $0)) }?.address
        .description,
      nameServers: nameServers.map(\.description),
      furtherAddresses: Array(four.dropFirst() + six.dropFirst()), revision: interface.revision)
  }
}
