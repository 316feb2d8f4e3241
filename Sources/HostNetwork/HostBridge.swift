package import Core

/// A bridge of this host that its operator has made. Servers are ports of it.
package struct HostBridge: Sendable, Equatable {
  package var name: String
  /// The routers by which servers reach the rest of the world, for both families.
  package var gateways: [LinkGateway]
  /// Whether no frame passes between two servers of this host.
  package var isIsolating: Bool

  package init(name: String, gateways: [LinkGateway], isIsolating: Bool) {
    self.name = name
    self.gateways = gateways
    self.isIsolating = isIsolating
  }

  package func gateway(of address: IPAddress) -> LinkGateway? { gateways.gateway(of: address) }
}

extension [LinkGateway] {
  /// The gateway whose network contains the address, else one without a network.
  package func gateway(of address: IPAddress) -> LinkGateway? {
    let own = filter { $0.address.isIPv4 == address.isIPv4 }
    return own.first { $0.network?.contains(address) == true } ?? own.first { $0.network == nil }
  }
}

/// A router on a link, `203.0.113.1`, by which servers reach everybody. With the network of the link, `203.0.113.1/24`, they
/// reach addresses of that network directly.
package struct LinkGateway: Sendable, Hashable, CustomStringConvertible {
  package let address: IPAddress
  package let network: IPNetwork?

  package init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { String($0) }
    guard parts.count <= 2, let address = IPAddress(parts[0]), Self.isUnicast(address) else { return nil }
    self.address = address
    if parts.count == 1 {
      network = nil
      return
    }
    guard (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy({ (48...57).contains($0) }),
      let length = Int(parts[1]), (address.isIPv4 ? 8...31 : 16...127).contains(length),
      let network = Self.network(of: address, length: length)
    else { return nil }
    self.network = network
  }

  package var description: String { network.map { "\(address)/\($0.prefixLength)" } ?? "\(address)" }

  private static let never = ["0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3", "::/127", "ff00::/8"].compactMap {
    IPNetwork($0)
  }

  private static func isUnicast(_ address: IPAddress) -> Bool { !never.contains { $0.contains(address) } }

  private static func network(of address: IPAddress, length: Int) -> IPNetwork? {
    let bytes = address.bytes.enumerated().map { index, byte in
      let kept = min(8, max(0, length - 8 * index))
      return byte & UInt8(truncatingIfNeeded: 0xFF << (8 - kept))
    }
    if address.isIPv4 { return IPNetwork(bytes.map { String($0) }.joined(separator: ".") + "/\(length)") }
    let groups = stride(from: 0, to: 16, by: 2).map {
      String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16)
    }
    return IPNetwork(groups.joined(separator: ":") + "/\(length)")
  }
}
