package import Core

/// The settings of this host's network for servers, independent of which servers exist.
package struct HostNetworkSettings: Sendable, Equatable {
  /// The link that leads to the internet, or the bridge; empty where there is none.
  package var uplink: String
  /// The MTU of every tap and every guest's card, in bytes.
  package var mtu: Int
  package var pools: [AddressPool]
  package var ipv6Pools: [IPv6Pool]
  /// Guests may ask these even where they are in a closed network.
  package var nameServers: [IPAddress]
  /// Networks outside the internet that servers may reach nevertheless.
  package var openNetworks: [IPNetwork] = []
  /// Whether servers may open connections to TCP port 25.
  package var mayMail = false
  /// Nil where servers at private addresses cannot be reached from outside.
  package var forwarding: PortForwarding?
  /// The bridge that servers are ports of; nil where this host routes to them.
  package var bridge: HostBridge?

  package init(uplink: String, mtu: Int, pools: [AddressPool], ipv6Pools: [IPv6Pool], nameServers: [IPAddress]) {
    self.uplink = uplink
    self.mtu = mtu
    self.pools = pools
    self.ipv6Pools = ipv6Pools
    self.nameServers = nameServers
  }

  /// The networks of the pools, which belong to servers as a whole, whether an address is in use or not.
  var poolNetworks: [String] { pools.flatMap(\.networks) }
  var poolNetworks6: [String] { ipv6Pools.map(\.description) }

  /// The tables of the packet filter.
  var tables: [String] { ["inet vpsd", "arp vpsd"] + (bridge == nil ? [] : ["bridge vpsd"]) }

  /// Exceptions among the closed networks. On a bridge they include the pools, because servers there do not have links of their
  /// own.
  var networksToReach: [IPNetwork] {
    openNetworks + (bridge == nil ? [] : (poolNetworks + poolNetworks6).compactMap { IPNetwork($0) })
  }

  /// The private address ranges of the pools, in the pools' order and with reserved addresses, so that forwarded ports change
  /// neither with a reservation nor with a pool that is added at the end.
  package static func privateRanges(of pools: [AddressPool]) -> [ClosedRange<IPv4Address>] {
    pools.flatMap(\.configuredRanges).filter { range in
      let ends = [range.lowerBound, range.upperBound].compactMap { IPAddress($0.description) }
      return private4.contains { network in ends.allSatisfy { network.contains($0) } }
    }
  }

  /// The pools' private networks: packets from them leave under the host's own address.
  var privateNetworks: [String] {
    poolNetworks.filter { network in
      IPNetwork(network).map { network in Self.private4.contains { $0.contains(network) } } ?? false
    }
  }

  /// Whether servers may be let into this network. The host's links, including a cloud's metadata service, stay closed.
  package static func canBeOpen(_ network: IPNetwork) -> Bool {
    (private4 + ["198.18.0.0/15", "fc00::/7"].compactMap { IPNetwork($0) }).contains { $0.contains(network) }
  }

  private static let private4 = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"].compactMap {
    IPNetwork($0)
  }
  var privateNetworks6: [String] { ipv6Pools.filter(\.isPrivate).map(\.description) }

  /// The gateway of each guest, on a link that it shares with nobody but the host.
  package static let gateway = "169.254.1.1"
  package static let gateway6 = "fe80::1"
  /// The same on every tap, so that a guest that is copied finds its gateway where the original had it.
  static let gatewayHardwareAddress = "02:00:5e:00:01:01"
  /// Marks our routes among those of the host.
  static let routeProtocol = "240"
}
